"""Which language is spoken, and how: matching of tags, dates, plural forms, and catalogues of a host."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from doorward.core.refusals import Misconfigured
from doorward.core.settings import load_settings
from doorward.locale import Catalogues, catalogues
from doorward.testing.doubles import ORIGIN, SECRET

AT = datetime(2026, 3, 5, 9, 7, tzinfo=UTC)


def compiled(folder: Path, language: str, words: dict[str, str]) -> Path:
    """A host's folder with one catalogue more."""
    catalog = Catalog(locale=language)
    for message, said in words.items():
        catalog.add(message, said)
    path = folder / language / "LC_MESSAGES" / "doorward.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)
    return folder


def test_we_speak_english_and_german() -> None:
    known = catalogues().languages
    assert {tag: language.name for tag, language in known.items()} == {"en": "English", "de": "Deutsch"}


@pytest.mark.parametrize(
    ("tags", "best"),
    [
        (["de"], "de"),
        (["DE-at"], "de"),
        (["de-Latn-CH-1996"], "de"),
        (["fr", "en-GB", "de"], "en"),
        (["fr", "*"], ""),
        (["deu"], ""),
        (["-", "", "../../etc", "de\0"], ""),
        ([], ""),
    ],
)
def test_tags_find_their_language(tags: list[str], best: str) -> None:
    assert catalogues().best(tags) == best


def test_an_unknown_language_is_english() -> None:
    assert catalogues().language("tlh").tag == catalogues().language("").tag == "en"


def test_times_and_numbers_are_said_as_people_say_them() -> None:
    english, german = catalogues().language("en"), catalogues().language("de-AT")
    assert english.moment(AT) == "5 March 2026, 09:07 UTC"
    assert german.moment(AT) == "5. März 2026, 09:07 Uhr UTC"
    forms = ("%(number)s hour", "%(number)s hours")
    assert [english.ngettext(*forms, number) for number in (1, 2)] == list(forms)
    assert [german.ngettext(*forms, number) for number in (1, 2)] == ["%(number)s Stunde", "%(number)s Stunden"]


def test_the_empty_message_is_not_the_header_of_a_catalogue() -> None:
    assert catalogues().language("de").gettext("") == ""


def test_a_host_adds_a_language(tmp_path: Path) -> None:
    known = Catalogues(compiled(tmp_path, "pt_BR", {"Continue": "Continuar", "English": "Português"}))
    assert list(known.languages) == ["en", "de", "pt-BR"]
    spoken = known.language("pt-br")
    assert (spoken.tag, spoken.name, spoken.gettext("Continue")) == ("pt-BR", "Português", "Continuar")
    assert spoken.gettext("Sign in") == "Sign in"  # what it has no word for


def test_a_host_changes_a_word_of_ours(tmp_path: Path) -> None:
    compiled(tmp_path, "de", {"Sign in": "Hereinspaziert"})
    compiled(tmp_path, "en", {"Sign in": "Come in"})
    known = Catalogues(tmp_path)
    assert known.language("de").gettext("Sign in") == "Hereinspaziert"
    assert known.language("de").gettext("Continue") == "Weiter"
    assert known.language("en").gettext("Sign in") == "Come in"
    assert catalogues().language("de").gettext("Sign in") == "Anmelden"


@pytest.mark.parametrize("said", ["Guten Tag,", "Guten Tag {nam},", "%(name)s"])
def test_words_that_would_break_a_page_are_refused_at_start(tmp_path: Path, said: str) -> None:
    compiled(tmp_path, "fr", {"Hello {name},": said})
    with pytest.raises(ValueError, match="other placeholders"):
        Catalogues(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"\xde\x12\x04\x95", b"not a catalogue" * 20])
def test_a_folder_without_catalogues_is_refused_at_start(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        path = tmp_path / "fr" / "LC_MESSAGES" / "doorward.mo"
        path.parent.mkdir(parents=True)
        path.write_bytes(BytesIO(content).read())
    with pytest.raises(Misconfigured, match=r"settings\.E2"):
        load_settings({"secret": SECRET, "origin": ORIGIN, "locales": str(tmp_path)})
