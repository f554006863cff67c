"""A letter as it leaves: its text in the reader's language, set as plain text and as HTML."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime
from pathlib import Path
from textwrap import fill
from typing import Any

from markupsafe import Markup, escape

from doorward.core.call import Letter
from doorward.delivery.parts import Code, Either, Link, Part, Say, Text
from doorward.delivery.texts import FOOTER, GREETING, GREETING_WITHOUT_NAME, TEXTS
from doorward.delivery.texts_for_phones import SHORT
from doorward.locale import Catalogues, Language, catalogues
from doorward.primitives import text
from doorward.templating import check, environment

log = logging.getLogger("doorward.delivery")

LONGEST_NAME = 60  # code points
# Mail programs make links of what looks like one. A name with any of this in it is left out: nobody is called so.
LIKE_A_LINK = re.compile(r"[/\\:@]|[.。．｡․]\w|www|\d{5}", re.IGNORECASE)

OURS = Path(__file__).parent / "templates"
ENDINGS = ("txt", "html")
# What every template of a letter is given, beside the letter's own words.
SHARED = frozenset({"subject", "language", "parts", "lines", "footer"})

_ours = environment(OURS)


class Letters:
    """Makes letters: in the languages that are known, and by the templates in a host's `folder/letters`.

    Raises `Misconfigured` for a template that can't be read, or asks for a word that its letter has not.
    """

    def __init__(self, known: Catalogues | None = None, folder: str = "", *, reload: bool = False) -> None:
        self.known = known or catalogues()
        own = Path(folder) / "letters"
        self._hosts = environment(OURS, own, reload=reload) if folder and own.is_dir() else None
        if self._hosts is not None:
            every = {f"{name}.{ending}" for name in ("letter", *TEXTS) for ending in ENDINGS}
            check(self._hosts, own, ours=every, takes=_words_for, endings=ENDINGS)

    def compose(self, letter: Letter) -> tuple[str, str, str]:
        """Subject, plain text and HTML of a letter, in its language if it is among those that are known.

        Raises `KeyError` for an unknown letter or a missing word.
        """
        language = self.known.language(letter.locale)
        words = _shown(letter.words, language)
        kind = TEXTS[letter.template]
        greeting = GREETING if kind.greets and words.get("name") else GREETING_WITHOUT_NAME
        parts = [Say(greeting), *_standing(kind.parts, words)]
        subject = said(kind.subject, language).format_map(words)
        given = {**dict.fromkeys(words_in(kind), ""), **words, "subject": subject, "language": language}
        given["parts"] = [_in_html(part, words, language) for part in parts]
        given["lines"] = [_in_text(part, words, language) for part in parts]
        plain = self._rendered(letter.template, "txt", {**given, "footer": _in_text(Say(FOOTER), words, language)})
        html = self._rendered(letter.template, "html", {**given, "footer": _formatted(FOOTER, words, language)})
        return subject, plain.rstrip() + "\n", html

    def _rendered(self, letter: str, ending: str, words: Mapping[str, Any]) -> str:
        if self._hosts is not None:
            try:
                return self._hosts.select_template([f"{letter}.{ending}", f"letter.{ending}"]).render(words)
            except Exception as error:  # ours says the same: nobody waits for a code because of how it would look
                log.error("the template of %s.%s failed, and ours is sent: %s", letter, ending, type(error).__name__)
        return _ours.get_template(f"letter.{ending}").render(words)


def _words_for(name: str) -> Set[str] | None:
    """What the template of a letter is given; the frame of all, what all have."""
    letter = name.partition(".")[0]
    if letter == "letter":
        return SHARED | set.intersection(*(words_in(kind) for kind in TEXTS.values()))
    return SHARED | words_in(TEXTS[letter]) if letter in TEXTS else None


def words_in(kind: Text) -> set[str]:
    """The words of a letter, by its sentences."""
    parts = [
        inner
        for part in kind.parts
        for inner in ((*part.given, *part.missing, part) if isinstance(part, Either) else (part,))
    ]
    messages = [kind.subject, *(getattr(part, "message", "") for part in parts)]
    named = {name for message in messages for name in re.findall(r"\{(\w+)\}", message)}
    named |= {getattr(part, place, "") for part in parts for place in ("word", "only_with")} - {""}
    return named | {"name", "service"}


def compose(letter: Letter, known: Catalogues | None = None) -> tuple[str, str, str]:
    """A letter by our own templates."""
    return Letters(known).compose(letter)


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
    if "removed" in shown:  # several kinds
        shown["removed"] = ", ".join(said(kind, language) for kind in shown["removed"].split(", "))
    return shown


def _one_line(word: str) -> str:
    return "".join(char for char in word if text.is_clean(char))


def _is_harmless(name: str) -> bool:
    return len(name) <= LONGEST_NAME and not LIKE_A_LINK.search(name)
