"""API keys as they are written: one form, which scanners find and a slip of the finger does not have."""

from __future__ import annotations

import zlib

import pytest

from doorward.primitives import api_key


def test_the_form_is_fixed() -> None:
    """Scanners know it by this: a new form needs a new prefix, and keys that there are stay good."""
    key = api_key.written(bytes(range(32)))
    assert key == api_key.written(bytes(range(32)))
    assert (len(key), key[:4]) == (53, "dwk_")
    assert api_key.is_well_formed(key)


def test_the_ends_of_the_range() -> None:
    low, high = api_key.written(bytes(32)), api_key.written(b"\xff" * 32)
    assert low.startswith("dwk_" + "0" * 43)
    assert len(low) == len(high) == 53
    assert api_key.is_well_formed(low)
    assert api_key.is_well_formed(high)


def test_the_checksum_is_the_crc_of_what_stands_before_it() -> None:
    """As the documentation tells scanners, computed here in another way."""
    key = api_key.written(b"\x5a" * 32)
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = 0
    for char in key[-6:]:
        number = 62 * number + alphabet.index(char)
    assert number == zlib.crc32(key[:-6].encode())


@pytest.mark.parametrize("count", [0, 16, 31, 33])
def test_it_is_made_of_32_bytes(count: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        api_key.written(bytes(count))


def test_no_single_slip_makes_another_key() -> None:
    key = api_key.written(b"\x17" * 32)
    for at in range(len(key)):
        other = "A" if key[at] != "A" else "B"
        assert not api_key.is_well_formed(key[:at] + other + key[at + 1 :])
    for wrong in (key[:-1], key + "A", key.upper(), key.lower(), f" {key}", f"{key}\n", "", "dwk_", "dwk_" + "٣" * 49):
        assert not api_key.is_well_formed(wrong)


def test_scanners_find_it_in_a_line() -> None:
    key = api_key.written(b"\x42" * 32)
    for line in (
        f"KEY={key}",
        f'"{key}",',
        f"curl -H 'Authorization: Bearer {key}'",
        f"https://x.example/?k={key}&a=b",
    ):
        assert api_key.PATTERN.findall(line) == [key]
    assert api_key.PATTERN.search("x" + key) is None
