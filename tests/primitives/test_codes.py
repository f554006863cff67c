"""Codes that people type: exactly the digits asked for, and recovery codes that forgive handwriting."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward.primitives import codes


@given(st.binary(min_size=16, max_size=32), st.integers(4, 10))
def test_a_code_is_typed_back(raw: bytes, digits: int) -> None:
    code = codes.numeric_code(raw, digits=digits)
    assert len(code) == digits
    assert set(code) <= set(string.digits)
    assert codes.typed_code(code, digits=digits) == code
    assert codes.typed_code(f"  {code} ", digits=digits) == code


def test_a_small_number_keeps_its_zeros() -> None:
    assert codes.numeric_code(bytes(15) + b"\x07") == "000007"


def test_few_random_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        codes.numeric_code(bytes(15))
    with pytest.raises(ValueError, match="10 random bytes"):
        codes.recovery_code(bytes(9))


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "12345", "1234567", "12 3456", "123-456", "123456\n", "\t123456", "123456\0", "12345\0"),
        *("١٢٣٤٥٦", "１２３４５６", "12345²", "\u00a0123456", "\ud800"),
        *("+12345", "-12345", "0x1234", "1e5000", "1" * 10_000, " " * 64 + "123456"),
    ],
)
def test_what_is_not_six_ascii_digits_is_no_code(typed: str) -> None:
    assert codes.typed_code(typed) is None


@pytest.mark.parametrize("typed", [None, 123456, 755224.5, ["123456"], {"$ne": ""}, b"123456", True])
def test_what_is_not_text_is_no_code(typed: object) -> None:
    assert codes.typed_code(typed) is None
    assert codes.typed_recovery_code(typed) is None


def test_a_recovery_code_looks_like_one() -> None:
    assert codes.recovery_code(bytes(10)) == "0000-0000-0000-0000"
    assert codes.recovery_code(b"\xff" * 10) == "zzzz-zzzz-zzzz-zzzz"
    assert codes.recovery_code(bytes(range(10)) + b"more") == codes.recovery_code(bytes(range(10)))


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_recovery_codes_are_as_different_as_their_bytes(one: bytes, two: bytes) -> None:
    assert (codes.recovery_code(one) == codes.recovery_code(two)) == (one == two)


@given(st.binary(min_size=10, max_size=10))
@example(b"\x08\x42\x10\x84\x21" * 2)  # sixteen ones
def test_handwriting_is_forgiven(raw: bytes) -> None:
    code = codes.recovery_code(raw)
    for typed in (
        code,
        code.upper(),
        code.replace("-", ""),
        code.replace("-", " "),
        code.replace("-", "–"),
        f"  {code}  ",
        code.replace("0", "o").replace("1", "l"),
        code.replace("0", "O").replace("1", "I"),
    ):
        assert codes.typed_recovery_code(typed) == code


@pytest.mark.parametrize(
    "typed",
    [
        *("", "-", "0000-0000-0000-000", "0000-0000-0000-00000", "uuuu-0000-0000-0000", "0000_0000_0000_0000"),
        *("\u212azzz-zzzz-zzzz-zzzz", "０000-0000-0000-0000", "0000-0000-0000-000\n", "0000-0000-0000-000\ud800"),
        "0" * 10_000,
    ],
)
def test_anything_else_is_no_recovery_code(typed: str) -> None:
    assert codes.typed_recovery_code(typed) is None
