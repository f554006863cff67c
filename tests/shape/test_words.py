"""What no file of the project holds: unfinished work, machine paths, package registries, keys."""

import re

import pytest

from tests.shape.tree import ROOT, shown, tracked_files

# Spelt in halves, so that this file passes its own test.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|Not" r"ImplementedError)\b")
HIDDEN = re.compile(r"pytest\.mark\.(ski" r"p|skip" r"if|xfa" r"il)\b|unittest\.ski" r"p")
MACHINE = re.compile(r"(?<![\w.:/-])/(?:wo" r"rk|ro" r"ot|ho" r"me/\w+|Us" r"ers/\w+)/")
REGISTRY = re.compile(r"(py" r"pi\.org|python" r"hosted|npm" r"js\.|--find-" r"links|extra-index-" r"url)")
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE " r"KEY-----")
VENDORED = re.compile(r"\.min\.|/vendor/")  # other people's files, with licence and version beside them

TEXT = {
    shown(path): text
    for path in tracked_files()
    for text in [path.read_bytes().decode("utf-8", errors="replace")]
    if "\0" not in text and not VENDORED.search(shown(path))
}


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (UNFINISHED, ()),
        (HIDDEN, ()),
        (MACHINE, ()),
        (REGISTRY, ("dev",)),  # ./dev looks for them in what it writes
        (PRIVATE_KEY, ()),
    ],
    ids=["unfinished work", "hidden tests", "machine paths", "registries", "private keys"],
)
def test_no_file_holds(pattern: re.Pattern[str], allowed: tuple[str, ...]) -> None:
    found = {
        f"{name}:{number}: {match[0]}"
        for name, text in TEXT.items()
        if name not in allowed
        for number, line in enumerate(text.splitlines(), 1)
        for match in pattern.finditer(line)
    }
    assert found == set()


def test_requirements_are_hashed() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        pinned = re.split(r"\n(?=[A-Za-z])", path.read_text().strip())
        assert [entry.split()[0] for entry in pinned if "--hash=sha256:" not in entry] == [], path.name
