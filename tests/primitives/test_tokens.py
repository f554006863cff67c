"""Opaque secrets: one spelling each, digests that do not coincide, nothing printed."""

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives import tokens
from doorward.primitives.tokens import Secret

ANY_TEXT = st.text(alphabet=st.characters())  # lone surrogates too
KEY = bytes(range(32))


def test_a_secret_prints_as_nothing() -> None:
    secret = Secret("correct horse")
    assert {repr(secret), str(secret), f"{secret}", f"{secret!r:>9}", "%s" % secret} == {"Secret(…)"}  # noqa: UP031
    assert secret.reveal() == "correct horse"
    assert not hasattr(secret, "__dict__")


def test_secrets_are_equal_by_value_and_to_secrets_only() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("\ud800") == Secret("\ud800")


def test_a_secret_is_neither_hashed_nor_pickled_nor_written_as_json() -> None:
    with pytest.raises(TypeError):
        hash(Secret("a"))
    with pytest.raises(TypeError):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError):
        json.dumps(Secret("a"))


def test_records_that_hold_a_secret_can_be_copied() -> None:
    @dataclass(frozen=True)
    class Letter:
        token: Secret

    letter = Letter(Secret("a"))
    assert asdict(letter) == {"token": Secret("a")}
    assert copy.deepcopy(letter) == letter
    assert copy.copy(letter.token) is letter.token


@given(st.binary(max_size=64))
def test_what_is_encoded_is_decoded(raw: bytes) -> None:
    assert tokens.decode(tokens.encode(raw)) == raw


@given(ANY_TEXT)
def test_a_token_has_one_spelling(text: str) -> None:
    raw = tokens.decode(text)
    assert raw is None or tokens.encode(raw) == text


@pytest.mark.parametrize(
    "text",
    [
        *("QQ==", "QQ=", "QR", "Q", "Q Q", " QQ", "QQ\n", "QUJ\tD", "="),
        *("Q+Q_", "Q/Q_", "QQ\0", "ÄÄ", "ＱＱ", "\ud800", "QQ.QQ"),
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    assert tokens.decode(text) is None


def test_a_digest_depends_on_secret_and_purpose() -> None:
    assert tokens.digest("s", purpose="session") == tokens.digest("s", purpose="session")
    assert tokens.digest("s", purpose="session").startswith("1.")
    assert tokens.digest("s", purpose="session") != tokens.digest("s", purpose="refresh")
    assert tokens.digest("s", purpose="session") != tokens.digest("t", purpose="session")
    assert "\ud800" not in tokens.digest("\ud800", purpose="session")


def test_a_purpose_cannot_reach_into_the_secret() -> None:
    with pytest.raises(ValueError, match="NUL"):
        tokens.digest("c", purpose="a\0b")


@given(st.lists(ANY_TEXT, max_size=4), st.lists(ANY_TEXT, max_size=4))
def test_different_parts_give_different_digests(one: list[str], two: list[str]) -> None:
    assert (tokens.hmac_digest(KEY, *one) == tokens.hmac_digest(KEY, *two)) == (one == two)


def test_the_parts_of_a_digest_do_not_run_together() -> None:
    assert tokens.hmac_digest(KEY, "ab", "c") != tokens.hmac_digest(KEY, "a", "bc")
    assert tokens.hmac_digest(KEY, "a") != tokens.hmac_digest(bytes(32), "a")


@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_short_hmac_key_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tokens.hmac_digest(bytes(length), "a")


@given(ANY_TEXT, ANY_TEXT)
def test_same_is_equality(a: str, b: str) -> None:
    assert tokens.same(a, b) == (a == b)
    assert tokens.same(a, a)
