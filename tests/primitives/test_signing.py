"""Signed text: every change, every other purpose, every other key and every later moment is refused."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives import tokens
from doorward.primitives.keyring import Keyring
from doorward.primitives.signing import sign, unsign

NOW = datetime(2026, 11, 23, 12, 0, 0, 400_000, tzinfo=UTC)
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RING = Keyring([("b", NEW), ("a", OLD)])
VECTORS = Path(__file__).parent / "vectors"
PLAIN_TEXT = st.text(max_size=200)


@given(PLAIN_TEXT)
def test_what_is_signed_comes_back(payload: str) -> None:
    assert unsign(RING, sign(RING, purpose="attempt", payload=payload), purpose="attempt", now=NOW) == payload


def test_it_has_five_parts_and_names_its_key() -> None:
    text = sign(RING, purpose="attempt", payload="é", expires_at=NOW)
    assert text.split(".")[:4] == ["1", "b", str(int(NOW.timestamp())), tokens.encode("é".encode())]
    assert sign(RING, purpose="attempt", payload="é").split(".")[2] == "-"


def test_another_purpose_opens_nothing() -> None:
    text = sign(RING, purpose="attempt", payload="x")
    assert unsign(RING, text, purpose="session", now=NOW) is None
    assert unsign(RING, text, purpose="", now=NOW) is None


def test_it_holds_until_its_moment_and_not_in_it() -> None:
    end = NOW.replace(microsecond=0) + timedelta(seconds=10)
    text = sign(RING, purpose="p", payload="x", expires_at=end + timedelta(milliseconds=999))
    assert unsign(RING, text, purpose="p", now=end - timedelta(microseconds=1)) == "x"
    assert unsign(RING, text, purpose="p", now=end) is None
    assert unsign(RING, text, purpose="p", now=end + timedelta(days=9999)) is None


def test_every_key_of_the_ring_verifies_and_no_other() -> None:
    text = sign(Keyring([("a", OLD)]), purpose="p", payload="x")
    assert unsign(RING, text, purpose="p", now=NOW) == "x"
    assert unsign(Keyring([("b", NEW)]), text, purpose="p", now=NOW) is None
    assert unsign(Keyring([("a", NEW)]), text, purpose="p", now=NOW) is None


def test_no_single_character_can_be_changed() -> None:
    text = sign(RING, purpose="p", payload="user 1", expires_at=NOW + timedelta(hours=1))
    for at, char in enumerate(text):
        for other in {"A", "0", "1", "b", "a", "-", "_", ".", "=", " ", "é", "\0"} - {char}:
            assert unsign(RING, text[:at] + other + text[at + 1 :], purpose="p", now=NOW) is None
        assert unsign(RING, text[:at] + text[at + 1 :], purpose="p", now=NOW) is None


@pytest.mark.parametrize(
    "text", ["", ".", "....", "1.b.-..", "1.b.-.eA", "\ud800.b.-.eA.x", "1.b.-.eA.x.y", "٣.b.-.eA.x"]
)
def test_anything_else_is_refused(text: str) -> None:
    assert unsign(RING, text, purpose="p", now=NOW) is None
    assert unsign(RING, f" {sign(RING, purpose='p', payload='x')}\n", purpose="p", now=NOW) is None


def test_oversize_is_refused_before_any_work() -> None:
    with pytest.raises(ValueError, match="4096"):
        sign(RING, purpose="p", payload="x" * 4000)
    body = f"1.b.-.{tokens.encode(b'x' * 4000)}"
    mac = tokens.encode(hmac.digest(RING.key("signing/p"), body.encode(), "sha256"))
    assert unsign(RING, f"{body}.{mac}", purpose="p", now=NOW) is None


def test_naive_moments_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sign(RING, purpose="p", payload="x", expires_at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="time zone"):
        unsign(RING, sign(RING, purpose="p", payload="x"), purpose="p", now=datetime(2026, 1, 1))


def test_the_mac_below_is_as_published() -> None:
    groups = json.loads((VECTORS / "hmac_sha256_test.json").read_text())["testGroups"]
    cases = [case for group in groups for case in group["tests"] if group["tagSize"] == 256]
    assert len(cases) > 50
    for case in cases:
        mac = hmac.digest(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]), "sha256").hex()
        assert hmac.compare_digest(mac, case["tag"]) == (case["result"] == "valid")
