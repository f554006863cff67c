"""The languages that pages and letters speak: our catalogues and a host's, compiled, as gettext reads them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from doorward.primitives.agents import agent_of

DOMAIN = "doorward"
ENGLISH = "en"  # what stands in the source
OURS = Path(__file__).parent

# `%(name)s` in pages, `{name}` in letters.
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def _(message: str) -> str:
    """Marks what catalogues translate where it stands; it is looked up where it is shown."""
    return message


MONTHS = (
    *(_("January"), _("February"), _("March"), _("April"), _("May"), _("June")),
    *(_("July"), _("August"), _("September"), _("October"), _("November"), _("December")),
)


@dataclass(frozen=True, slots=True)
class Language:
    """One language; `tag` as in BCP 47, such as `de` or `pt-BR`. What it has no word for is said in English."""

    tag: str
    catalogue: NullTranslations

    @property
    def name(self) -> str:
        """What those who speak it call it; its tag where its catalogue does not say."""
        own = self.gettext(_("English"))
        return own if self.tag == ENGLISH or own != "English" else self.tag

    def gettext(self, message: str) -> str:
        """The message in this language."""
        return self.catalogue.gettext(message) if message else ""

    def ngettext(self, one: str, many: str, number: int) -> str:
        """The form that belongs to a number."""
        return self.catalogue.ngettext(one, many, number)

    def day(self, at: datetime) -> str:
        """`23 November 2026`. Month names do not depend on the server's own locale."""
        words = {"day": at.day, "month": self.gettext(MONTHS[at.month - 1]), "year": at.year}
        return self.gettext(_("%(day)s %(month)s %(year)s")) % words

    def moment(self, at: datetime) -> str:
        """`23 November 2026, 12:00 UTC`."""
        return self.gettext(_("%(day)s, %(time)s UTC")) % {"day": self.day(at), "time": f"{at:%H:%M}"}

    def device(self, user_agent: str) -> str:
        """`Firefox on Windows` for a browser; the program's own name for others."""
        browser, system = agent_of(user_agent)
        if not system:
            return browser or self.gettext(_("Unknown device"))
        return self.gettext(_("%(browser)s on %(system)s")) % {"browser": browser, "system": system}


class Catalogues:
    """All languages of an installation, by tag: English, ours, and those of a host's `folder`, whose words win.

    Raises `ValueError` for a folder without catalogues, and for words whose placeholders are not those of the English.
    """

    def __init__(self, folder: str | Path = "") -> None:
        found = dict(_read(OURS))
        if folder:
            for tag, catalogue in _checked(folder).items():
                if tag in found:
                    catalogue.add_fallback(found[tag])
                found[tag] = catalogue
        english = found.pop(ENGLISH, NullTranslations())
        every = {ENGLISH: english, **dict(sorted(found.items()))}
        self.languages: Mapping[str, Language] = {tag: Language(tag, words) for tag, words in every.items()}

    def language(self, tag: str) -> Language:
        """The language of a tag, English for one that we do not speak."""
        return self.languages[self.best([tag]) or ENGLISH]

    def best(self, tags: Iterable[str]) -> str:
        """The first of these that we speak, by RFC 4647 §3.4 (`de-AT` finds `de`); empty where it is none of them."""
        known = {tag.lower(): tag for tag in self.languages}
        for tag in tags:
            parts = tag.lower().split("-")
            for length in range(len(parts), 0, -1):
                if (found := known.get("-".join(parts[:length]))) is not None:
                    return found
        return ""


@lru_cache(maxsize=16)
def catalogues(folder: str = "") -> Catalogues:
    """Read once. Raises `ValueError` as `Catalogues` does."""
    return Catalogues(folder)


def _read(folder: Path) -> dict[str, GNUTranslations]:
    found = {}
    for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")):
        with path.open("rb") as file:
            found[path.parts[-3].replace("_", "-")] = GNUTranslations(file)
    return found


def _checked(folder: str | Path) -> dict[str, GNUTranslations]:
    try:
        found = _read(Path(folder))
    except (OSError, UnicodeError, struct.error) as error:
        raise ValueError(f"a catalogue in {folder} can't be read: {error}") from None
    if not found:
        raise ValueError(f"{folder} has no LANGUAGE/LC_MESSAGES/{DOMAIN}.mo; compile your .po files into such")
    for tag, catalogue in found.items():
        for message, said in _messages(catalogue):
            if said and set(PLACEHOLDER.findall(message)) != set(PLACEHOLDER.findall(said)):
                raise ValueError(f"{tag} of {folder}: {said!r} has other placeholders than {message!r}")
    return found


def _messages(catalogue: GNUTranslations) -> Iterable[tuple[str, str]]:
    """(English, said) of what a catalogue holds, without its header and plural forms, which may leave numbers out."""
    entries: Mapping[object, str] = getattr(catalogue, "_catalog", {})
    return [(message, said) for message, said in entries.items() if isinstance(message, str) and message]
