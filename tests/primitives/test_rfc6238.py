"""TOTP and HOTP as published, at the edges of the window, and once only."""

import json
from base64 import b32decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives.rfc6238 import (
    Algorithm,
    TotpKey,
    base32,
    code_at_step,
    hotp,
    matching_step,
    packed,
    provisioning_uri,
    step_of,
    unpacked,
)

ALGORITHMS = get_args(Algorithm)
VECTORS = json.loads((Path(__file__).parent / "vectors" / "hotp_totp.json").read_text())
KEY = TotpKey(VECTORS["secret_ascii"].encode())
NOW = datetime.fromtimestamp(1_700_000_010, UTC)
STEP = step_of(NOW)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("case", VECTORS["rfc4226"] + VECTORS["leading_zero_codes"])
def test_hotp_as_in_rfc_4226(case: dict[str, object]) -> None:
    assert hotp(KEY, int(str(case["counter"]))) == case["code"]


@pytest.mark.parametrize("case", VECTORS["rfc6238"])
def test_totp_as_in_rfc_6238(case: dict[str, str | int]) -> None:
    key = TotpKey(str(case["seed_ascii"]).encode(), digits=8, algorithm=str(case["alg"]).upper())  # type: ignore[arg-type]
    assert step_of(at(int(case["time"]))) == case["step"]
    assert code_at_step(key, int(case["step"])) == case["code"]
    assert matching_step(key, case["code"], at(int(case["time"]))) == case["step"]


@pytest.mark.parametrize("case", VECTORS["window_edges"])
def test_the_window_is_one_step_to_each_side(case: dict[str, int | str]) -> None:
    step = matching_step(KEY, case["code"], at(int(case["server_time"])))
    assert step == (case["code_step"] if abs(int(case["steps_apart"])) <= 1 else None)
    wide = matching_step(KEY, case["code"], at(int(case["server_time"])), drift=3)
    assert wide == case["code_step"]
    narrow = matching_step(KEY, case["code"], at(int(case["server_time"])), drift=0)
    assert (narrow is None) == (case["steps_apart"] != 0)


@pytest.mark.parametrize("case", VECTORS["same_code_in_two_adjacent_steps"])
def test_a_code_that_two_neighbours_share_is_spent_for_both(case: dict[str, object]) -> None:
    first, second = case["counters"]  # type: ignore[misc]
    for now in (at(first * 30), at(second * 30)):
        assert matching_step(KEY, case["code"], now) == second
        assert matching_step(KEY, case["code"], now, after=second) is None


@pytest.mark.parametrize("code", VECTORS["hostile_inputs_must_reject"], ids=repr)
def test_hostile_input_matches_nothing(code: object) -> None:
    assert matching_step(KEY, code, NOW) is None
    assert matching_step(KEY, code, at(0)) is None


def test_a_code_is_accepted_once() -> None:
    code = code_at_step(KEY, STEP)
    assert matching_step(KEY, code, NOW) == STEP
    assert matching_step(KEY, code, NOW, after=STEP - 1) == STEP
    assert matching_step(KEY, code, NOW, after=STEP) is None
    assert matching_step(KEY, code, NOW + timedelta(seconds=30), after=STEP) is None


def test_older_codes_are_dead_once_a_newer_one_was_used() -> None:
    assert matching_step(KEY, code_at_step(KEY, STEP - 1), NOW, after=STEP) is None
    assert matching_step(KEY, code_at_step(KEY, STEP + 1), NOW, after=STEP) == STEP + 1


def test_a_space_around_the_code_is_forgiven() -> None:
    assert matching_step(KEY, f" {code_at_step(KEY, STEP)} ", NOW) == STEP


def test_the_beginning_of_time_has_no_steps_before_it() -> None:
    assert matching_step(KEY, code_at_step(KEY, 0), at(0)) == 0
    assert matching_step(KEY, code_at_step(KEY, 0), at(-60)) is None


def test_every_candidate_is_computed_whatever_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []

    def counted(key: TotpKey, step: int) -> str:
        computed.append(step)
        return hotp(key, step)

    monkeypatch.setattr("doorward.primitives.rfc6238.code_at_step", counted)
    for code in (hotp(KEY, STEP - 1), hotp(KEY, STEP + 1), "000000", "no code", None):
        computed.clear()
        matching_step(KEY, code, NOW)
        assert computed == [STEP - 1, STEP, STEP + 1]


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        step_of(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "settings",
    [
        {"secret": b""},
        {"secret": bytes(15)},
        {"digits": 5},
        {"digits": 9},
        {"period": 0},
        {"period": -30},
        {"algorithm": "MD5"},
    ],
)
def test_weak_keys_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        TotpKey(**{"secret": bytes(20), **settings})  # type: ignore[arg-type]


def test_a_key_does_not_print_its_secret() -> None:
    assert "1234" not in repr(KEY)


@given(st.binary(min_size=16, max_size=64), st.integers(0, 2**40), st.sampled_from(["SHA1", "SHA256", "SHA512"]))
def test_codes_are_those_of_another_implementation(secret: bytes, step: int, algorithm: str) -> None:
    key = TotpKey(secret, algorithm=algorithm)  # type: ignore[arg-type]
    assert code_at_step(key, step) == pyotp.HOTP(base32(secret), digest=algorithm.lower()).at(step)  # type: ignore[arg-type]


def test_the_uri_is_what_apps_read() -> None:
    uri = urlsplit(provisioning_uri(KEY, issuer="Acme & Söhne", account="ann+x@example.com"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == "/Acme & Söhne:ann+x@example.com"
    assert {name: value for name, (value,) in parse_qs(uri.query).items()} == {
        "secret": VECTORS["secret_base32"],
        "issuer": "Acme & Söhne",
        "algorithm": "SHA1",
        "digits": "6",
        "period": "30",
    }
    assert "+" not in uri.query


def test_the_uri_of_every_key_is_read_back_by_another_implementation() -> None:
    key = TotpKey(bytes(range(33)), digits=8, period=60, algorithm="SHA256")
    other = pyotp.parse_uri(provisioning_uri(key, issuer="Acme", account="ann@example.com"))
    assert isinstance(other, pyotp.TOTP)
    assert other.at(1_700_000_010) == code_at_step(key, step_of(NOW, 60))


@given(st.binary(max_size=80))
def test_base32_is_typed_back(secret: bytes) -> None:
    text = base32(secret)
    assert "=" not in text
    assert b32decode(text + "=" * (-len(text) % 8)) == secret


@pytest.mark.parametrize(("issuer", "account"), [("", "ann"), ("Acme", ""), ("Ac:me", "ann"), ("Acme", "ann:x")])
def test_names_that_would_confuse_an_app_are_refused(issuer: str, account: str) -> None:
    with pytest.raises(ValueError, match="colon"):
        provisioning_uri(KEY, issuer=issuer, account=account)


@given(
    st.binary(min_size=16, max_size=64), st.integers(6, 8), st.sampled_from([30, 60]), st.sampled_from(list(ALGORITHMS))
)
def test_what_is_kept_of_a_key_is_read_back(secret: bytes, digits: int, period: int, algorithm: Algorithm) -> None:
    key = TotpKey(secret, digits, period, algorithm)
    assert unpacked(packed(key)) == key
    assert unpacked(secret) == TotpKey(secret)


@pytest.mark.parametrize("case", VECTORS["rfc6238"])
def test_the_published_codes_come_of_what_is_kept(case: dict[str, str | int]) -> None:
    key = TotpKey(str(case["seed_ascii"]).encode(), digits=8, algorithm=str(case["alg"]).upper())  # type: ignore[arg-type]
    assert matching_step(unpacked(packed(key)), case["code"], at(int(case["time"]))) == case["step"]
