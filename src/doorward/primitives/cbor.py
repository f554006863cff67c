"""CBOR as authenticators write it (CTAP 2.1 §8: canonical), read in one way only and bounded first.

A general decoder takes much that two readers understand differently: members twice, numbers written at length, tags.
"""

from __future__ import annotations

from typing import TypeAlias

Value: TypeAlias = "int | bytes | str | bool | list[Value] | dict[int | str, Value] | None"

MOST_DEPTH = 4  # CTAP 2.1 §8; an attestation statement adds none
MOST_ITEMS = 64
_SIMPLE: dict[int, bool | None] = {20: False, 21: True, 22: None}
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


def decode(raw: bytes) -> Value:
    """The one value that `raw` holds. Raises ValueError for trailing bytes and for all that is not canonical."""
    value, end = decode_first(raw)
    if end != len(raw):
        raise ValueError("bytes after the CBOR value")
    return value


def decode_first(raw: bytes, start: int = 0) -> tuple[Value, int]:
    """The value that begins at `start`, and where it ends."""
    return _value(raw, start, MOST_DEPTH)


def _value(raw: bytes, at: int, depth: int) -> tuple[Value, int]:
    major, number, at = _head(raw, at)
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        end = at + number
        if end > len(raw):
            raise ValueError("a CBOR text ends before its length")
        return (raw[at:end] if major == 2 else raw[at:end].decode()), end
    if major == 7 and number in _SIMPLE:
        return _SIMPLE[number], at
    if major not in (4, 5) or not depth or number > MOST_ITEMS:
        raise ValueError("tags, floats, or CBOR too deep or too large")
    return _list(raw, at, number, depth - 1) if major == 4 else _map(raw, at, number, depth - 1)


def _head(raw: bytes, at: int) -> tuple[int, int, int]:
    if at >= len(raw):
        raise ValueError("CBOR ends too early")
    major, low = raw[at] >> 5, raw[at] & 31
    at += 1
    if low < 24:
        return major, low, at
    width = _WIDTHS.get(low)
    if width is None or at + width > len(raw) or major == 7:
        raise ValueError("a CBOR length that is indefinite, or cut off")
    number = int.from_bytes(raw[at : at + width], "big")
    if number < (24 if width == 1 else 1 << (4 * width)):
        raise ValueError("a CBOR number longer than it need be")
    return major, number, at + width


def _list(raw: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    for _ in range(count):
        item, at = _value(raw, at, depth)
        items.append(item)
    return items, at


def _map(raw: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    members: dict[int | str, Value] = {}
    for _ in range(count):
        name, at = _value(raw, at, 0)
        # `True` is 1 to Python, and 1 is the name of a member in COSE keys.
        if not isinstance(name, int | str) or isinstance(name, bool) or name in members:
            raise ValueError("a CBOR map with a member twice, or one that has no name")
        members[name], at = _value(raw, at, depth)
    return members, at
