"""Every letter as people get it, and what no name can do in one."""

import ast
import re
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

import doorward
from doorward.core.call import Letter
from doorward.delivery.composing import compose
from doorward.delivery.texts import TEXTS, Code, Link
from tests.delivery import golden, letters_about_addresses, letters_of_recovery, letters_that_let_in

WORDS = {
    "service": "Acme",
    "name": "Ada",
    "time": "2026-11-23T12:00+00:00",
    "until": "2026-12-07T12:00+00:00",
    "code": "482913",
    "minutes": "10",
    "link_minutes": "30",
    "username": "ada",
    "link": "https://acme.example/auth/email/verify?token=abc&x=1",
    "sign_in_link": "https://acme.example/auth/sign-in",
    "address": "n•••@new.example",
    "undo_link": "https://acme.example/auth/email/undo?token=abc&x=1",
    "cancel_link": "https://acme.example/auth/recovery/cancel?token=abc&x=1",
    "removed": "authenticator app, recovery code",
    "kind": "authenticator app",
    "device": "My phone",
    "left": "9",
    "agent": "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0",
    "network": "192.0.2.7",
    "key": "Nightly report",
    "scopes": "reports.read",
    "inviter": "bea@example.com",
}
FOOTER = "\n-- \nAcme sent this letter by itself. Nobody reads answers to it.\n"
GOLDEN = {**letters_about_addresses.GOLDEN, **letters_that_let_in.GOLDEN, **letters_of_recovery.GOLDEN, **golden.GOLDEN}


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


@pytest.mark.parametrize("template", ["password_changed", "authenticator_added", "new_sign_in", "refresh_token_reused"])
def test_a_notice_has_the_link_of_who_was_not_it(template: str) -> None:
    link = "https://acme.example/auth/not-me?token=abc"
    _, text, html = compose(letter(template, not_me_link=link))
    assert f"\n\n{link}\n\n" in text
    assert "tell the people who run" not in text
    assert link in Page(html).links


@pytest.mark.parametrize("agent", ["evil.example/1 click", "call 0900 12345 now", "http://evil.example", "<b>", ""])
def test_a_user_agent_says_nothing_to_the_owner(agent: str) -> None:
    _, text, html = compose(letter("new_sign_in", agent=agent))
    assert "evil" not in text + html
    assert "12345" not in text
    assert "Device: " in text
