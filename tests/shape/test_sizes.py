"""Files and functions stay small enough to be read."""

import ast
from pathlib import Path

import pytest

from tests.shape.tree import functions, modules, parsed, shown

MOST_LINES = 400
MOST_FUNCTION_LINES = 60
EVERYTHING = ("src", "tests", "bench", "examples", "tools")


def test_no_module_is_longer_than_it_can_be_read() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*EVERYTHING)}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{shown(path)}:{function.lineno} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in modules(*EVERYTHING)
        if "migrations" not in path.parts  # lists of tables, one statement long
        for function in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_FUNCTION_LINES} == {}


def test_most_functions_are_short() -> None:
    lengths = sorted((f.end_lineno or 0) - f.lineno + 1 for path in modules("src") for f in functions(path))
    assert lengths[len(lengths) * 9 // 10] < 30


@pytest.mark.parametrize("path", modules("src"), ids=shown)
def test_a_module_opens_with_a_sentence(path: Path) -> None:
    docstring = ast.get_docstring(parsed(path)) or ""
    assert docstring.splitlines()[:1], "the first line says what the module is for"
