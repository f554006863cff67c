"""JSON that two parsers cannot read differently: no duplicate members, no NaN, bounded depth, UTF-8 without tricks."""

import json
import re
from typing import Never

MOST_DEPTH = 8

# Strings are skipped whole, so that a bracket inside one does not count.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def parse(raw: bytes, *, depth: int = MOST_DEPTH) -> object:
    """The value in `raw`. Raises ValueError for all that RFC 8259 calls unpredictable, and for NUL in any text.

    Bound the length before: the time is linear in it.
    """
    text = raw.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("a byte order mark before JSON")
    if text.count("[") + text.count("{") > depth and _depth(text) > depth:
        raise ValueError(f"JSON nested deeper than {depth}")
    value: object = _DECODER.decode(text)
    if "\\u" in text:
        _refuse_bad_escapes(value)
    return value


def _depth(text: str) -> int:
    deepest = now = 0
    for match in _TOKENS.finditer(text):
        token = match[0]
        if token in "[{":
            now += 1
            deepest = max(deepest, now)
        elif token in "]}":
            now -= 1
    return deepest


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member of a JSON object stands twice")
    return members


def _constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number too large for JSON")
    return number


def _refuse_bad_escapes(value: object) -> None:
    """Escapes can bring in what UTF-8 cannot: lone surrogates; and NUL, which cuts texts in C and in PostgreSQL."""
    written = json.dumps(value, ensure_ascii=False)
    written.encode("utf-8")  # UnicodeEncodeError is a ValueError
    if "\\u0000" in written.replace("\\\\", ""):
        raise ValueError("NUL in a JSON text")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
