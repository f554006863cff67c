"""A letter as it leaves: its text in the reader's language, set as plain text and as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from textwrap import fill

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from doorward.core.call import Letter
from doorward.delivery.parts import Code, Either, Link, Part, Say
from doorward.delivery.texts import FOOTER, GREETING, GREETING_WITHOUT_NAME, SHORT, TEXTS
from doorward.locale import Catalogues, Language, catalogues
from doorward.primitives import text

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
    parts = [Say(greeting), *_standing(kind.parts, words)]
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


def compose_text(message: Letter, known: Catalogues | None = None) -> str:
    """What a text message says, in its language. Where it brings a code, the last line binds it to our origin: phones
    offer it there, and nowhere else (https://wicg.github.io/sms-one-time-codes/).

    Raises `KeyError` for an unknown message or a missing word.
    """
    language = (known or catalogues()).language(message.locale)
    words = _shown(message.words, language)
    text = said(SHORT[message.template], language).format_map(words)
    return f"{text}\n\n@{words['host']} #{words['code']}" if "code" in words else text


def _standing(parts: Iterable[Part], words: Mapping[str, str]) -> Iterator[Say | Code | Link]:
    """The parts that these words call for."""
    for part in parts:
        if isinstance(part, Either):
            yield from part.given if words.get(part.word) else part.missing
        elif isinstance(part, Code) or not part.only_with or words[part.only_with]:
            yield part


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
    for at in ("time", "until"):
        if at in shown:
            shown[at] = language.moment(datetime.fromisoformat(shown[at]))
    if "agent" in shown:
        named = language.device(shown["agent"])
        shown["agent"] = named if _is_harmless(named) else language.device("")
    if "kind" in shown:
        shown["kind"] = said(shown["kind"], language)
    return shown


def _one_line(word: str) -> str:
    return "".join(char for char in word if text.is_clean(char))


def _is_harmless(name: str) -> bool:
    return len(name) <= LONGEST_NAME and not LIKE_A_LINK.search(name)
