"""The letters we send, each written once, and set as plain text and as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import fill

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from doorward.core.call import Letter
from doorward.locale import Catalogues, Language, _, catalogues
from doorward.primitives import text


@dataclass(frozen=True, slots=True)
class Say:
    """A paragraph. With `only_with` it stands there only when that word is not empty."""

    message: str
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code to type, on a line of its own so that it is easily copied."""

    word: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link of ours to follow; `only_with` as in `Say`."""

    word: str
    message: str
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """One kind of letter. No subject holds a secret: it shows on locked screens, and in logs of mail servers.

    `greets`: by the name of the account. Not in letters to an address that nobody has proved: that name was chosen
    by a stranger, and we would carry what he writes to anybody he likes.
    """

    subject: str
    parts: tuple[Say | Code | Link, ...]
    greets: bool = True


NOT_YOU = Say(
    _(
        "If this was not you, somebody else may be in your account. Sign in, change your password and end all other "
        "sessions. If you can't, tell the people who run {service} at once."
    )
)
NOT_YOU_AND_UNDO = (
    Say(_("If this was not you, somebody else may be in your account.")),
    Say(
        _(
            "This link undoes the change and those after it, and ends all sessions. It is good for 7 days, and asks "
            "before it does anything:"
        ),
        only_with="undo_link",
    ),
    Link("undo_link", _("Undo the change"), only_with="undo_link"),
    Say(
        _(
            "Sign in, change your password and end all other sessions. If you can't, tell the people who run {service} "
            "at once."
        )
    ),
)
GREETING = _("Hello {name},")
GREETING_WITHOUT_NAME = _("Hello,")
FOOTER = _("{service} sent this letter by itself. Nobody reads answers to it.")

TEXTS: Mapping[str, Text] = {
    "verify_address": Text(
        _("Confirm your e-mail address for {service}"),
        (
            Say(_("Type this code where you signed up for {service}:")),
            Code("code"),
            Say(_("It works for {minutes} minutes. Instead of it you can open this link, and confirm there:")),
            Link("link", _("Confirm my address")),
            Say(_("Nobody from {service} will ever ask you for this code. Give it to no one.")),
            Say(_("If you did not sign up, there is nothing to do: without the code or the link nothing happens.")),
        ),
        greets=False,
    ),
    "address_taken": Text(
        _("Your account at {service}"),
        (
            Say(
                _(
                    "Somebody tried to sign up at {service} with your address. You have an account there already, and "
                    "nothing about it has changed."
                )
            ),
            Say(_("If it was you, sign in instead:")),
            Link("sign_in_link", _("Sign in")),
            Say(_("If it was not you, there is nothing to do.")),
        ),
        greets=False,
    ),
    "verify_added_address": Text(
        _("Confirm your e-mail address for {service}"),
        (
            Say(_("Somebody who is signed in at {service} wants to add this address to their account.")),
            Say(_("If it was you, type this code where you asked for it:")),
            Code("code"),
            Say(
                _(
                    "It works for {minutes} minutes. Instead of it you can open this link in a browser in which you "
                    "are signed in, and confirm there:"
                )
            ),
            Link("link", _("Confirm my address")),
            Say(
                _(
                    "If it was not you, there is nothing to do. Give the code to no one: with it, letters about "
                    "somebody else's account would come to you."
                )
            ),
        ),
        greets=False,
    ),
    "address_wanted": Text(
        _("Your address at {service}"),
        (
            Say(
                _(
                    "Somebody who is signed in to another account at {service} tried to add your address to it. You "
                    "have an account with this address, and nothing about it has changed."
                )
            ),
            Say(_("If it was you, sign in to the account that has the address, and remove it there first.")),
            Say(_("If it was not you, there is nothing to do.")),
        ),
        greets=False,
    ),
    "address_added": Text(
        _("An address was added to your account at {service}"),
        (
            Say(_("This e-mail address was added to your account at {service} on {time}: {address}.")),
            Say(_("Whoever reads its mail can sign in by it, and receives what we write to you.")),
            *NOT_YOU_AND_UNDO,
        ),
    ),
    "address_made_primary": Text(
        _("Another address is the main one of your account at {service}"),
        (
            Say(_("Since {time} this is the main e-mail address of your account at {service}: {address}.")),
            *NOT_YOU_AND_UNDO,
        ),
    ),
    "address_removed": Text(
        _("An address was removed from your account at {service}"),
        (
            Say(_("This e-mail address was removed from your account at {service} on {time}: {address}.")),
            *NOT_YOU_AND_UNDO,
        ),
    ),
    "address_change_undone": Text(
        _("A change of addresses at {service} was undone"),
        (
            Say(
                _(
                    "On {time} somebody who reads the mail of {address} undid a change of the e-mail addresses of your "
                    "account at {service}. All sessions were ended."
                )
            ),
            Say(_("Sign in, see that the addresses are yours, and change your password.")),
        ),
    ),
    "reset_password": Text(
        _("A new password at {service}"),
        (
            Say(_("Somebody, most likely you, forgot the password of your account at {service}.")),
            Say(_("Type this code where you asked for it, and choose a new password there:")),
            Code("code"),
            Say(_("It works for {minutes} minutes. This link works for {link_minutes}, and in any browser:")),
            Link("link", _("Choose a new password")),
            Say(_("Nobody from {service} will ever ask you for this code. Give it to no one.")),
            Say(_("If you did not ask for it, there is nothing to do: your password stays as it is.")),
        ),
        greets=False,
    ),
    "reset_password_of_one": Text(
        _("A new password at {service}"),
        (
            Say(_("Somebody, most likely you, forgot the password of an account at {service}.")),
            Say(_("Several accounts have your address, so each of them has a letter and a link of its own.")),
            Say(_("This is the one with the user name {username}."), only_with="username"),
            Say(_("With this link you can choose a new password for it, for {link_minutes} minutes:")),
            Link("link", _("Choose a new password")),
            Say(_("If you did not ask for it, there is nothing to do: your password stays as it is.")),
        ),
        greets=False,
    ),
    "password_reset": Text(
        _("Your password at {service} was reset"),
        (
            Say(_("Somebody who reads your mail chose a new password for your account at {service} on {time}.")),
            Say(_("All sessions were ended.")),
            NOT_YOU,
        ),
    ),
    "password_changed": Text(
        _("Your password at {service} was changed"),
        (
            Say(_("The password of your account at {service} was changed on {time}. All other sessions were ended.")),
            NOT_YOU,
        ),
    ),
    "password_closed": Text(
        _("Somebody is guessing your password at {service}"),
        (
            Say(
                _(
                    "Too many wrong passwords were tried for your account at {service}. Since {time} we take no "
                    "password for it any more from devices on which you have not signed in before."
                )
            ),
            Say(
                _(
                    "On a device on which you have signed in before, your password works as always. Sign in there and "
                    "change it: then the new one works everywhere."
                )
            ),
            Say(_("If you have no such device, tell the people who run {service}.")),
        ),
    ),
    "second_step_closed": Text(
        _("Somebody knows your password at {service}"),
        (
            Say(
                _(
                    "Somebody typed the right password for your account at {service}, and then too many wrong codes. "
                    "Nobody got in. Since {time} we take no codes of that kind any more from devices on which you have "
                    "not signed in before."
                )
            ),
            Say(
                _(
                    "On a device on which you have signed in before, everything works as always. Sign in there, change "
                    "your password, then set up the second step anew."
                )
            ),
            Say(_("If you have no such device, tell the people who run {service}.")),
        ),
    ),
    "authenticator_added": Text(
        _("A new way to sign in at {service}"),
        (
            Say(_("This was added to your account at {service} on {time}: {kind}.")),
            Say(_("Its name: {device}"), only_with="device"),
            NOT_YOU,
        ),
    ),
    "authenticator_removed": Text(
        _("A way to sign in at {service} was removed"),
        (
            Say(_("This was removed from your account at {service} on {time}: {kind}.")),
            NOT_YOU,
        ),
    ),
    "api_key_created": Text(
        _("A new API key at {service}"),
        (
            Say(_("An API key was made for your account at {service} on {time}. A program that has it acts for you.")),
            Say(_("Its name: {key}")),
            Say(_("What it is for: {scopes}")),
            NOT_YOU,
        ),
    ),
    "recovery_codes_made": Text(
        _("New recovery codes at {service}"),
        (
            Say(_("New recovery codes were made for your account at {service} on {time}. Older ones work no more.")),
            NOT_YOU,
        ),
    ),
    "recovery_code_used": Text(
        _("A recovery code was used at {service}"),
        (
            Say(_("A recovery code of your account at {service} was used on {time}. Codes left: {left}.")),
            NOT_YOU,
        ),
    ),
    "refresh_token_reused": Text(
        _("We ended a session of yours at {service}"),
        (
            Say(
                _(
                    "A key that keeps one of your apps signed in at {service} was used a second time on {time}. That "
                    "happens when somebody has copied it, so we ended that session. The app will ask you to sign in."
                )
            ),
            Say(_("If you don't know of such an app, change your password and look at the list of your sessions.")),
        ),
    ),
}

LONGEST_NAME = 60  # code points
# Mail programs make links of what looks like one. A name with any of this in it is left out: nobody is called so.
LIKE_A_LINK = re.compile(r"[/\\:@]|[.。．｡․]\w|www|\d{5}", re.IGNORECASE)

_frames = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def compose(letter: Letter, known: Catalogues | None = None) -> tuple[str, str, str]:
    """Subject, plain text and HTML of a letter, in its language if it is among those that are known.

    Raises `KeyError` for an unknown letter or a missing word.
    """
    language = (known or catalogues()).language(letter.locale)
    words = _shown(letter.words, language)
    kind = TEXTS[letter.template]
    greeting = GREETING if kind.greets and words.get("name") else GREETING_WITHOUT_NAME
    parts = [Say(greeting), *(part for part in kind.parts if _stands(part, words))]
    subject = said(kind.subject, language).format_map(words)
    frame = _frames.get_template("letter.html")
    html = frame.render(
        subject=subject,
        language=language.tag,
        parts=[_in_html(part, words, language) for part in parts],
        footer=_formatted(FOOTER, words, language),
    )
    lines = [_in_text(part, words, language) for part in parts]
    return subject, "\n\n".join([*lines, "-- \n" + _in_text(Say(FOOTER), words, language)]) + "\n", html


def _stands(part: Say | Code | Link, words: Mapping[str, str]) -> bool:
    return isinstance(part, Code) or not part.only_with or bool(words[part.only_with])


def said(message: str, language: Language) -> str:
    """The message in that language: the one place where letters are translated."""
    return language.gettext(message)


def _in_text(part: Say | Code | Link, words: Mapping[str, str], language: Language) -> str:
    if isinstance(part, Say):
        paragraph = said(part.message, language).format_map(words)
        return fill(paragraph, 72, break_long_words=False, break_on_hyphens=False)
    return words[part.word]  # code or link: alone on its line


def _in_html(part: Say | Code | Link, words: Mapping[str, str], language: Language) -> dict[str, str]:
    if isinstance(part, Say):
        return {"say": _formatted(part.message, words, language)}
    if isinstance(part, Code):
        return {"code": words[part.word]}
    return {"link": words[part.word], "label": _formatted(part.message, words, language)}


def _formatted(message: str, words: Mapping[str, str], language: Language) -> Markup:
    """The message with its words escaped."""
    return escape(said(message, language)).format_map(words)


def _shown(words: Mapping[str, str], language: Language) -> dict[str, str]:
    """The words as they are shown: one line each, names only where they are harmless, times for people."""
    shown = {name: _one_line(word) for name, word in words.items()}
    for typed in ("name", "device"):
        if typed in shown and not _is_harmless(shown[typed]):
            shown[typed] = ""
    if username := shown.get("username"):  # the letter is of no use without it: what may be a link is cut off
        cut = LIKE_A_LINK.split(username[:LONGEST_NAME], maxsplit=1)[0]
        shown["username"] = username if cut == username else f"{cut}…"
    if "time" in shown:
        shown["time"] = language.moment(datetime.fromisoformat(shown["time"]))
    if "kind" in shown:
        shown["kind"] = said(shown["kind"], language)
    return shown


def _one_line(word: str) -> str:
    return "".join(char for char in word if text.is_clean(char))


def _is_harmless(name: str) -> bool:
    return len(name) <= LONGEST_NAME and not LIKE_A_LINK.search(name)
