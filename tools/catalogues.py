"""Keeps the catalogues: extracts all that is said, puts it into each language's file, and compiles what is translated.

`python tools/catalogues.py` writes them and names what has no words yet; translate that in the .po file, then run it
once more.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from doorward.locale import DOMAIN, OURS, PLACEHOLDER

SOURCE = OURS.parent
# Calls that hold a sentence: the places of their arguments, and names.
CALLS: dict[str, tuple[int | str, ...]] = {
    "_": (0,),
    "gettext": (0,),
    "Reason": (1, 2),
    "Refused": (1, "detail"),
    "FieldError": (2,),
    "invalid": (2,),
    "_Wrong": (1,),
}
# Tables of sentences in http/pages/shown.py.
TABLES = ("_WAYS", "_NOTICES", "_HAPPENED", "_WORDED", "_SENTENCES")

Found = tuple[int, str, str | tuple[str, ...], list[str]]


def extract_python(file: io.BufferedIOBase, *_: object, **__: object) -> Iterator[Found]:
    """What Python code says to people: marked by `_`, as a refusal, or in the tables of the pages."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call):
            yield from _said_by(node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in TABLES:
            assert isinstance(node.value, ast.Dict)
            for value in node.value.values:
                for text in value.elts if isinstance(value, ast.Tuple) else [value]:
                    yield from _sentence(text)


def _said_by(call: ast.Call) -> Iterator[Found]:
    name = getattr(call.func, "id", "") or getattr(call.func, "attr", "")
    if name == "ngettext":
        forms = tuple(argument.value for argument in call.args[:2] if isinstance(argument, ast.Constant))
        if len(forms) == 2:
            yield call.lineno, "ngettext", forms, []
    for place in CALLS.get(name, ()):
        named = [keyword.value for keyword in call.keywords if keyword.arg == place]
        for text in named if isinstance(place, str) else call.args[place : place + 1]:
            yield from _sentence(text)
    if name in ("tell", "Letter"):  # what was added or removed, put into a sentence
        for words in (argument for argument in call.args if isinstance(argument, ast.Dict)):
            for key, value in zip(words.keys, words.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "kind":
                    yield from _sentence(value)


def _sentence(node: ast.expr) -> Iterator[Found]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.lineno, "_", node.value, []


METHODS = [("server/**.py", "ignore"), ("**.py", extract_python), ("**/templates/**.*", "jinja2")]
OPTIONS = {"**/templates/**.*": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def template() -> Catalog:
    """All that is said, without a language. Places are files alone, so that a catalogue changes when words do."""
    catalog = Catalog(domain=DOMAIN, project="Doorward", charset="utf-8", fuzzy=False)
    for name, _, message, _, context in extract_from_dir(SOURCE, METHODS, OPTIONS, keywords=KEYWORDS):
        catalog.add(message, locations=[(name, 0)], context=context)
    return catalog


def languages() -> list[str]:
    """The languages that have a file."""
    return sorted(path.parts[-3] for path in OURS.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def file_of(language: str, ending: str = "po") -> Path:
    """Where a language's words stand."""
    return OURS / language / "LC_MESSAGES" / f"{DOMAIN}.{ending}"


def updated(language: str, source: Catalog) -> Catalog:
    """The catalogue of a language with all that is said now; what is said no more is gone. Nothing is guessed."""
    with file_of(language).open("rb") as file:
        known = read_po(file, locale=language)
    catalog = Catalog(locale=language, domain=DOMAIN, project="Doorward", charset="utf-8", fuzzy=False)
    for message in source:
        if message.id:
            had = known.get(message.id, message.context)
            said = had.string if had is not None else message.string
            catalog.add(message.id, said, message.locations, had.flags if had is not None else ())
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """The text of a catalogue: sorted, without times and line numbers."""
    out = io.BytesIO()
    write_po(out, catalog, width=120, sort_output=True, include_lineno=False, omit_header=True)
    header = f'msgid ""\nmsgstr ""\n"Language: {catalog.locale}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    return f'{header}"Plural-Forms: {catalog.plural_forms}\\n"\n\n'.encode() + out.getvalue()


def as_mo(po: bytes, language: str) -> bytes:
    """The same, compiled, and without the time at which that was done."""
    catalog, out = read_po(io.BytesIO(po), locale=language), io.BytesIO()
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(out, catalog)
    return out.getvalue()


def faults(catalog: Catalog) -> list[str]:
    """What is missing or wrong, each as a line."""
    return [f"{why}: {message.id!r}" for message in catalog if message.id and (why := _fault(message))]


def _fault(message: Message) -> str:
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    said = [message.string] if isinstance(message.string, str) else list(message.string or ())
    if not said or not all(said):
        return "no words"
    if message.fuzzy:
        return "fuzzy"
    wanted = set(PLACEHOLDER.findall(" ".join(ids)))
    return "" if set(PLACEHOLDER.findall(" ".join(said))) == wanted else "other placeholders"


def main() -> int:
    source, wrong = template(), 0
    for language in languages():
        catalog = updated(language, source)
        po = as_po(catalog)
        file_of(language).write_bytes(po)
        file_of(language, "mo").write_bytes(as_mo(po, language))
        for line in (found := faults(catalog)):
            print(f"{language}: {line}")
        wrong += len(found)
        print(f"{language}: {len(catalog)} messages, {len(found)} to be mended in {file_of(language)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
