"""What a password is worth: the rules' own words, a score, and nothing stored, told or learnt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doorward import actions
from doorward.core.refusals import REASONS, Refused
from doorward.features.password_check import PasswordChecked, check
from doorward.http.answers import encoded
from doorward.primitives import strength
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, refused, signed_up

VECTORS = Path(__file__).parents[1] / "primitives" / "vectors" / "passwords.json"
CASES = {case["id"]: case for case in json.loads(VECTORS.read_text())["cases"]}


def words(found: PasswordChecked) -> list[str]:
    return [remark.reason for remark in found.reasons]


@pytest.mark.parametrize(
    ("password", "context", "reasons", "breached"),
    [
        (PASSWORD, None, [], False),
        ("short", None, ["password_too_short"], False),
        ("password1", None, ["password_too_short", "password_known"], True),
        ("PasswordPassword", None, ["password_known"], True),
        ("ann.lindqvist@example.com", "Ann Lindqvist ann.lindqvist@example.com", ["password_context"], False),
        ("ann.lindqvist@example.com", None, [], False),
        ("app.example.comapp", "", ["password_context"], False),
    ],
)
def test_the_answer_is_what_the_rules_would_say(
    house: House, password: str, context: str | None, reasons: list[str], breached: bool
) -> None:
    found = house.browser().do(check, password=password, context=context)
    assert (found.accepted, words(found), found.breached) == (not reasons, reasons, breached)
    assert all(remark.detail and remark.reason in REASONS for remark in found.reasons)
    if password != PASSWORD:
        return
    assert (found.score, found.warnings) == (4, ())


def test_a_weak_one_that_is_taken_comes_with_a_warning(house: House) -> None:
    found = house.browser().do(check, password="summer summer summer")
    assert (found.accepted, found.score, [remark.reason for remark in found.warnings]) == (True, 2, ["repeat"])


def test_who_is_signed_in_is_context_too(house: House) -> None:
    guest = signed_up(house, name="Ann Lindqvist")
    assert words(guest.do(check, password="annlindqvist ann@example.com")) == ["password_context"]
    assert words(house.browser().do(check, password="annlindqvist ann@example.com")) == []


def test_nothing_is_hashed_and_nothing_is_told_of_anybody(house: House) -> None:
    signed_up(house)
    answers = set()
    for context in ("ann@example.com", "nobody@example.com"):
        worked, letters = house.hash.worked, len(house.mail.messages)
        answers.add(house.browser().do(check, password="plenty of heron feathers", context=context))
        assert (house.hash.worked, len(house.mail.messages)) == (worked, letters)
    assert len(answers) == 1


def test_the_password_stands_in_no_answer(house: House) -> None:
    found = house.browser().do(check, password="quagmire of mandarins", context="Ann")
    assert "quagmire" not in repr(found)


def test_a_network_has_a_budget(open_house) -> None:  # type: ignore[no-untyped-def]
    house = open_house(policy={"tries_per_network": 5})
    guest, other = house.browser(), house.browser("198.51.100.6")
    for _ in range(5):
        guest.do(check, password=PASSWORD)
    refusal = refused("too_many_attempts", guest.do, check, password=PASSWORD)
    assert isinstance(refusal.retry_after, int)
    # It is a budget of its own: who typed too much can still sign in.
    assert other.do(check, password=PASSWORD).accepted
    refused("wrong_credentials", guest.do, actions.password.sign_in, identifier="nobody", password=PASSWORD)


@pytest.mark.parametrize("typed", ["x" * 1025, "", 7, None, ["x"], {"a": 1}, True, "\ud800"])
def test_bad_input_is_named(house: House, typed: object) -> None:
    assert refused("invalid_input", house.browser().do, check, password=typed).errors[0].field == "password"


@pytest.mark.parametrize("context", ["x" * 513, 7, ["x"], True, "a\x00b"])
def test_bad_context_is_named(house: House, context: object) -> None:
    refusal = refused("invalid_input", house.browser().do, check, password=PASSWORD, context=context)
    assert refusal.errors[0].field == "context"


def test_unknown_fields_are_refused(house: House) -> None:
    refusal = refused("invalid_input", house.browser().do, check, password=PASSWORD, email="ann@example.com")
    assert refusal.errors[0].reason == "unknown"


def test_without_zxcvbn_the_rest_of_the_answer_comes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strength, "zxcvbn_module", None)
    found = house.browser().do(check, password="passwordpassword")
    assert (found.accepted, found.breached, found.score, found.warnings) == (False, True, None, ())
    assert json.loads(encoded({"score": found.score})) == {"score": None}


def verdict(guest: Guest, password: str) -> str:
    try:
        return ",".join(words(guest.do(check, password=password))) or "accept"
    except Refused as refusal:
        return refusal.reason


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            "standard",
            {
                "P02": "password_known",
                "P03": "password_too_short",
                "P04": "password_too_short,password_known",
                "P15": "invalid_input",
                "P25": "invalid_input",
            },
        ),
        (
            "strict",
            {
                "P02": "password_known",
                "P03": "password_too_short",
                "P04": "password_known",
                "P15": "invalid_input",
                "P25": "invalid_input",
            },
        ),
    ],
)
def test_every_case_of_the_vectors(open_house, policy: str, expected: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    """Rule 17 and NIST SP 800-63B-4 §3.1.1.2: 15 alone and 8 with a second factor, 64 and more to the bound, code
    points after NFC, nothing demanded of the characters."""
    guest = open_house(policy=policy).browser()
    found = {id: verdict(guest, case["value"]) for id, case in CASES.items()}
    assert {id: said for id, said in found.items() if said != "accept"} == expected


def test_a_password_that_is_the_user_name_is_refused(house: House) -> None:
    named = CASES["P20"]["value"]
    assert words(house.browser().do(check, password=named, context=named)) == ["password_context"]
