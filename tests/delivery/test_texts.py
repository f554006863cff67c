"""Every letter as people get it, and what no name can do in one."""

import ast
import re
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

import doorward
from doorward.core.call import Letter
from doorward.delivery.texts import TEXTS, Code, Link, compose
from tests.delivery import letters_about_addresses

WORDS = {
    "service": "Acme",
    "name": "Ada",
    "time": "2026-11-23T12:00+00:00",
    "code": "482913",
    "minutes": "10",
    "link_minutes": "30",
    "username": "ada",
    "link": "https://acme.example/auth/email/verify?token=abc&x=1",
    "sign_in_link": "https://acme.example/auth/sign-in",
    "address": "n•••@new.example",
    "undo_link": "https://acme.example/auth/email/undo?token=abc&x=1",
    "kind": "authenticator app",
    "device": "My phone",
    "left": "9",
    "key": "Nightly report",
    "scopes": "reports.read",
}
NOT_YOU = """
If this was not you, somebody else may be in your account. Sign in,
change your password and end all other sessions. If you can't, tell the
people who run Acme at once.
"""
FOOTER = "\n-- \nAcme sent this letter by itself. Nobody reads answers to it.\n"


def letter(template: str, **words: str) -> Letter:
    return Letter("ada@example.com", template, {**WORDS, **words})


class Page(HTMLParser):
    """The links, words and tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "background")]

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


GOLDEN = {
    **letters_about_addresses.GOLDEN,
    "verify_address": (
        "Confirm your e-mail address for Acme",
        """
        Hello,

        Type this code where you signed up for Acme:

        482913

        It works for 10 minutes. Instead of it you can open this link, and
        confirm there:

        https://acme.example/auth/email/verify?token=abc&x=1

        Nobody from Acme will ever ask you for this code. Give it to no one.

        If you did not sign up, there is nothing to do: without the code or the
        link nothing happens.
        """,
    ),
    "address_taken": (
        "Your account at Acme",
        """
        Hello,

        Somebody tried to sign up at Acme with your address. You have an account
        there already, and nothing about it has changed.

        If it was you, sign in instead:

        https://acme.example/auth/sign-in

        If it was not you, there is nothing to do.
        """,
    ),
    "reset_password": (
        "A new password at Acme",
        """
        Hello,

        Somebody, most likely you, forgot the password of your account at Acme.

        Type this code where you asked for it, and choose a new password there:

        482913

        It works for 10 minutes. This link works for 30, and in any browser:

        https://acme.example/auth/email/verify?token=abc&x=1

        Nobody from Acme will ever ask you for this code. Give it to no one.

        If you did not ask for it, there is nothing to do: your password stays
        as it is.
        """,
    ),
    "reset_password_of_one": (
        "A new password at Acme",
        """
        Hello,

        Somebody, most likely you, forgot the password of an account at Acme.

        Several accounts have your address, so each of them has a letter and a
        link of its own.

        This is the one with the user name ada.

        With this link you can choose a new password for it, for 30 minutes:

        https://acme.example/auth/email/verify?token=abc&x=1

        If you did not ask for it, there is nothing to do: your password stays
        as it is.
        """,
    ),
    "password_reset": (
        "Your password at Acme was reset",
        """
        Hello Ada,

        Somebody who reads your mail chose a new password for your account at
        Acme on 23 November 2026, 12:00 UTC.

        All sessions were ended.
        """
        + NOT_YOU,
    ),
    "password_changed": (
        "Your password at Acme was changed",
        """
        Hello Ada,

        The password of your account at Acme was changed on 23 November 2026,
        12:00 UTC. All other sessions were ended.
        """
        + NOT_YOU,
    ),
    "password_closed": (
        "Somebody is guessing your password at Acme",
        """
        Hello Ada,

        Too many wrong passwords were tried for your account at Acme. Since 23
        November 2026, 12:00 UTC we take no password for it any more from
        devices on which you have not signed in before.

        On a device on which you have signed in before, your password works as
        always. Sign in there and change it: then the new one works everywhere.

        If you have no such device, tell the people who run Acme.
        """,
    ),
    "second_step_closed": (
        "Somebody knows your password at Acme",
        """
        Hello Ada,

        Somebody typed the right password for your account at Acme, and then too
        many wrong codes. Nobody got in. Since 23 November 2026, 12:00 UTC we
        take no codes of that kind any more from devices on which you have not
        signed in before.

        On a device on which you have signed in before, everything works as
        always. Sign in there, change your password, then set up the second step
        anew.

        If you have no such device, tell the people who run Acme.
        """,
    ),
    "authenticator_added": (
        "A new way to sign in at Acme",
        """
        Hello Ada,

        This was added to your account at Acme on 23 November 2026, 12:00 UTC:
        authenticator app.

        Its name: My phone
        """
        + NOT_YOU,
    ),
    "authenticator_removed": (
        "A way to sign in at Acme was removed",
        """
        Hello Ada,

        This was removed from your account at Acme on 23 November 2026, 12:00
        UTC: authenticator app.
        """
        + NOT_YOU,
    ),
    "recovery_codes_made": (
        "New recovery codes at Acme",
        """
        Hello Ada,

        New recovery codes were made for your account at Acme on 23 November
        2026, 12:00 UTC. Older ones work no more.
        """
        + NOT_YOU,
    ),
    "recovery_code_used": (
        "A recovery code was used at Acme",
        """
        Hello Ada,

        A recovery code of your account at Acme was used on 23 November 2026,
        12:00 UTC. Codes left: 9.
        """
        + NOT_YOU,
    ),
    "api_key_created": (
        "A new API key at Acme",
        """
        Hello Ada,

        An API key was made for your account at Acme on 23 November 2026, 12:00
        UTC. A program that has it acts for you.

        Its name: Nightly report

        What it is for: reports.read
        """
        + NOT_YOU,
    ),
    "refresh_token_reused": (
        "We ended a session of yours at Acme",
        """
        Hello Ada,

        A key that keeps one of your apps signed in at Acme was used a second
        time on 23 November 2026, 12:00 UTC. That happens when somebody has
        copied it, so we ended that session. The app will ask you to sign in.

        If you don't know of such an app, change your password and look at the
        list of your sessions.
        """,
    ),
}


def plain(golden: str) -> str:
    body = "\n".join(line.strip() for line in golden.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", body) + "\n" + FOOTER


@pytest.mark.parametrize("template", TEXTS)
def test_a_letter_reads_so(template: str) -> None:
    subject, text, _ = compose(letter(template))
    assert (subject, text) == (GOLDEN[template][0], plain(GOLDEN[template][1]))


@pytest.mark.parametrize("template", TEXTS)
def test_html_says_what_the_plain_text_says(template: str) -> None:
    subject, text, html = compose(letter(template))
    page = Page(html)
    said = " ".join(" ".join(page.words).split())
    for paragraph in text.replace("-- \n", "").split("\n\n"):
        if not paragraph.startswith("https://"):
            assert " ".join(paragraph.split()) in said
    assert subject in page.words
    assert page.links == re.findall(r"https://\S+", text)


@pytest.mark.parametrize("template", TEXTS)
def test_html_loads_nothing_and_is_fit_for_screen_readers(template: str) -> None:
    html = compose(letter(template))[2]
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert {"title", "main", "footer"} <= set(Page(html).tags)
    assert {"img", "script", "link", "table", "iframe", "form"} & set(Page(html).tags) == set()
    assert "url(" not in html


@pytest.mark.parametrize("template", TEXTS)
def test_no_subject_holds_a_secret(template: str) -> None:
    subject = compose(letter(template))[0]
    secrets = [WORDS[part.word] for part in TEXTS[template].parts if isinstance(part, Code | Link)]
    assert [secret for secret in secrets if secret in subject] == []


HARMFUL = [
    "<a href=//evil.example>click</a>",
    "https://evil.example/",
    "evil.example",
    "WWW evil",
    "evil。example",
    "evil․example",
    "mail@evil.example",
    "javascript:alert(1)",
    "\\\\evil\\share",
    "call 0900123456",
    "x" * 61,
]


@pytest.mark.parametrize("name", HARMFUL)
def test_a_name_that_could_become_a_link_is_left_out(name: str) -> None:
    subject, text, html = compose(letter("authenticator_added", name=name, device=name))
    assert text.startswith("Hello,\n")
    assert "Its name" not in text
    assert Page(html).links == []
    assert [part for part in (subject, text, html) if "evil" in part.lower()] == []


@pytest.mark.parametrize(
    "name", ["<b>Ada", "{{7*7}}", "${7*7}", "{service}", "{0}", "%(code)s", 'O\'Brien & "Co"', "<!--"]
)
def test_a_name_is_nothing_but_text(name: str) -> None:
    _, text, html = compose(letter("password_changed", name=name))
    assert text.startswith(f"Hello {name},\n")
    assert f"Hello {name}," in " ".join(Page(html).words)
    assert {"b", "script"} & set(Page(html).tags) == set()
    assert "49" not in text + html


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "J. R. R. Tolkien", "Ada-Lovelace", "李小龙", "Zoë", "محمد", "O'Brien"]
)
def test_people_are_greeted_by_their_names(name: str) -> None:
    assert compose(letter("password_changed", name=name))[1].startswith(f"Hello {name},\n")


@pytest.mark.parametrize("template", ["verify_address", "address_taken", "verify_added_address", "address_wanted"])
def test_a_stranger_can_say_nothing_to_an_address_that_is_not_his(template: str) -> None:
    subject, text, html = compose(letter(template, name="You won a prize"))
    assert [part for part in (subject, text, html) if "prize" in part] == []


def test_who_may_not_undo_gets_no_link_for_it() -> None:
    _, text, html = compose(letter("address_removed", undo_link=""))
    assert "undo" not in (text + html).lower()


@pytest.mark.parametrize("line", ["Acme\r\nBcc: eve@example.com", "Acme\nX", "Acme\u2028X", "Acme\0", "Acme\u202eX"])
def test_a_subject_is_one_line(line: str) -> None:
    subject = compose(letter("password_changed", service=line))[0]
    assert len(subject.splitlines()) == 1
    message = EmailMessage()
    message["Subject"] = subject
    assert message.keys() == ["Subject"]


def test_an_unknown_letter_and_a_missing_word_are_errors() -> None:
    with pytest.raises(KeyError):
        compose(Letter("ada@example.com", "of_the_next_release"))
    with pytest.raises(KeyError):
        compose(Letter("ada@example.com", "verify_address", {"service": "Acme"}))


def written_letters() -> set[str]:
    """Each letter that the source writes: `Letter(…, "name", …)`, `tell(…, "name")`, `tell_daily(…, "name")`."""
    source = Path(doorward.__file__).parent
    calls = [
        node
        for path in source.rglob("*.py")
        if path.parent.name != "delivery"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("Letter", "tell", "tell_daily")
    ]
    arguments = [argument for call in calls for argument in call.args if isinstance(argument, ast.Constant)]
    return {argument.value for argument in arguments if isinstance(argument.value, str)}


def test_every_letter_that_is_written_has_its_text_and_no_text_is_for_nothing() -> None:
    assert written_letters() == set(TEXTS)


@pytest.mark.parametrize(("named", "shown"), [("ada", "ada"), ("call.evil.example", "call…"), ("a 080012345", "a …")])
def test_a_user_name_is_cut_where_it_could_be_a_link(named: str, shown: str) -> None:
    _, text, _ = compose(letter("reset_password_of_one", username=named))
    assert f"with the user name {shown}." in " ".join(text.split())
