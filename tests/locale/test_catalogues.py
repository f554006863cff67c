"""All that is said is said in every language of ours: nothing missing, fuzzy, or with other placeholders."""

from __future__ import annotations

import importlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from tests.shape.tree import ROOT

CURE = "run `python tools/catalogues.py`, translate in the .po file what it names, and run it once more"


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "tools"))
    yield importlib.import_module("catalogues")
    sys.path.remove(str(ROOT / "tools"))


@pytest.fixture(scope="module")
def source(tool: ModuleType) -> Catalog:
    return tool.template()


def test_nothing_is_missing_fuzzy_or_of_other_placeholders(tool: ModuleType, source: Catalog) -> None:
    assert "de" in tool.languages()
    for language in tool.languages():
        found = tool.faults(tool.updated(language, source))
        assert found == [], f"{language}: {CURE}"


def test_catalogues_are_what_the_tool_writes(tool: ModuleType, source: Catalog) -> None:
    for language in tool.languages():
        written = tool.file_of(language).read_bytes()
        assert written == tool.as_po(tool.updated(language, source)), f"{language}: {CURE}"
        assert tool.file_of(language, "mo").read_bytes() == tool.as_mo(written, language), f"{language}: {CURE}"


def test_all_places_of_sentences_are_found(source: Catalog) -> None:
    said = {message.id if isinstance(message.id, str) else message.id[0] for message in source}
    assert {
        "Your address is confirmed.",  # a table of the pages
        "Start again from the sign-in page.",  # a reason
        "This audience is not one of TOKEN_AUDIENCE.",  # a refusal's own detail
        "this is not an e-mail address",  # a field's error
        "%(number)s second",
        "Hello {name},",
        "authenticator app",  # a word of a letter
        'Change<span class="away"> password</span>',  # {% trans %}
        "Code from the app",  # _("…") in a template
    } <= said


def test_german_speaks_to_everybody_in_one_way(tool: ModuleType) -> None:
    """With «Sie», on pages and in letters alike."""
    with tool.file_of("de").open("rb") as file:
        said = [form for message in read_po(file, locale="de") for form in _forms(message)]
    assert len(said) > 500
    assert [one for one in said if re.search(r"\b(?:du|dir|dich|dein\w*)\b", one, re.IGNORECASE)] == []


def _forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


BROKEN = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Hello {name},"
msgstr "Guten Tag {nam},"

msgid "Continue"
msgstr ""

#, fuzzy
msgid "Password"
msgstr "Passwort"

msgid "%(number)s second"
msgid_plural "%(number)s seconds"
msgstr[0] "Eine Sekunde"
msgstr[1] "%(number)s Sekunden"
"""


def test_what_is_wrong_is_found(tool: ModuleType) -> None:
    catalog = read_po(io.BytesIO(BROKEN.encode()), locale="de")
    assert tool.faults(catalog) == [
        "other placeholders: 'Hello {name},'",
        "no words: 'Continue'",
        "fuzzy: 'Password'",
    ]


def test_what_python_says_is_extracted_wherever_it_stands(tool: ModuleType, tmp_path: Path) -> None:
    code = b"""
_NOTICES = {"a.b": "Done."}
raise Refused("state_changed", detail="Begin again.")
raise invalid("x", "not_valid", "not like that")
await tell(call, user, "added", {"kind": "passkey", "device": "no sentence"})
f"{not_said} here"; Refused("a", f"not {this}")
ngettext("%(n)s day", "%(n)s days", number); self.ngettext(one, many, number)
"""
    found = [message for _, _, message, _ in tool.extract_python(io.BytesIO(code))]
    assert sorted(map(str, found)) == sorted(
        ["Done.", "Begin again.", "not like that", "passkey", "('%(n)s day', '%(n)s days')"]
    )
