"""CBOR is read in one way only: what is canonical is read as the library reads it, and all else is refused."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives import cbor

LEAVES = st.one_of(
    st.integers(-(2**64), 2**64 - 1), st.binary(max_size=300), st.text(max_size=300), st.booleans(), st.none()
)
VALUES = st.one_of(
    LEAVES,
    st.lists(LEAVES, max_size=30),
    st.dictionaries(st.one_of(st.integers(-(2**64), 2**64 - 1), st.text(max_size=9)), LEAVES, max_size=30),
)


@given(VALUES)
def test_what_is_canonical_is_read(value: object) -> None:
    assert cbor.decode(cbor2.dumps(value, canonical=True)) == value


@given(st.binary(max_size=200))
def test_what_is_read_is_what_the_library_writes(raw: bytes) -> None:
    try:
        value = cbor.decode(raw)
    except ValueError:
        return
    assert cbor2.dumps(value, canonical=False) == raw


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "01 01",  # two values
        "18 01",  # 1, written at length
        "19 00ff",
        "1b 0000000000000001",
        "9f 01 ff",  # indefinite
        "5f 41 00 ff",
        "a2 01 02 01 03",  # a member twice
        "a1 f5 02",  # True as a name
        "a1 41 00 02",  # bytes as a name
        "c0 60",  # a tag
        "f9 3c00",  # a float
        "f7",  # undefined
        "f8 14",  # a simple value in two bytes
        "61 ff",  # not UTF-8
        "42 00",  # cut off
        "5b ffffffffffffffff 00",  # sixteen exabytes announced
        "9b ffffffffffffffff 00",
        "81 81 81 81 81 00",  # too deep
        "1c",
    ],
)
def test_what_can_be_read_differently_is_refused(raw: str) -> None:
    with pytest.raises(ValueError):
        cbor.decode(bytes.fromhex(raw))


def test_depth_and_number_of_items_are_bounded() -> None:
    for raw in (b"\x81" * 10_000 + b"\x00", cbor2.dumps([0] * 65), cbor2.dumps(dict.fromkeys(range(65), 0))):
        with pytest.raises(ValueError):
            cbor.decode(raw)
