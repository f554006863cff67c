"""Rules for new passwords: length in code points, known lists, words of context; and nothing else."""

from __future__ import annotations

import unicodedata

import pytest

from doorward.core.call import Call
from doorward.core.refusals import Refused
from doorward.features.password_rules import check_new_password, is_known
from doorward.testing.doubles import House


def reason(house: House, password: str, *context: str) -> str:
    async def checked(call: Call) -> str:
        try:
            await check_new_password(call, password, context=context)
        except Refused as refusal:
            return refusal.reason
        return "taken"

    return str(house.run(checked))


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("fourteen chars", "password_too_short"),
        ("fifteen chars !", "taken"),
        ("nur kleine wörter", "taken"),
        ("🐦🐢🐘🦊🐳🐝🦉🐞🦋🐙🐡🦔🐿🦜🦚", "taken"),  # 15 code points
        ("e\u0301" * 14, "password_too_short"),  # 14 after NFC
        ("e\u0301" * 15, "taken"),
        ("x" * 64, "taken"),  # nothing is demanded of the characters
        ("ann@example.com1234", "password_context"),
        ("app.example.comapp", "password_context"),
        ("x" * 5 + " spaces are fine " + "y" * 5, "taken"),
    ],
)
def test_what_is_taken(house: House, password: str, expected: str) -> None:
    assert reason(house, password, "ann@example.com", "Ann Smith") == expected


def test_nothing_is_demanded_of_the_characters(house: House) -> None:
    assert reason(house, "only lower case words") == "taken"
    assert reason(house, unicodedata.normalize("NFD", "ünüsüäl wörds häre")) == "taken"


def test_eight_do_only_where_a_second_factor_is_enforced_for_all(open_house) -> None:  # type: ignore[no-untyped-def]
    assert reason(open_house(), "k3#vPq9z") == "password_too_short"
    assert reason(open_house(policy="strict"), "k3#vPq9z") == "taken"
    assert reason(open_house(policy="strict"), "k3#vPq9") == "password_too_short"


def test_common_passwords_are_known_in_any_case() -> None:
    for common in ("password1", "qwertyuiop", "1234567890", "iloveyou2"):
        assert is_known(common), common
    assert not is_known("plenty of brown sparrows")


def test_long_ones_from_the_lists_are_refused(open_house) -> None:  # type: ignore[no-untyped-def]
    house = open_house(policy="strict")
    assert reason(house, "Password1") == "password_known"
    assert reason(house, "QWERTYUIOP") == "password_known"
