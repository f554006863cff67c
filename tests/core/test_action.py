"""Arguments by signature: closed, typed, bounded, and every fault named at once."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from doorward.core.action import Action, CodeText, EmailText, IdText, NameText, PasswordText, action
from doorward.core.call import Call
from doorward.core.refusals import REASONS, Refused


@action("toy.play", lenient=False)
async def play(
    call: Call,
    *,
    email: EmailText,
    password: PasswordText,
    name: NameText = "",
    id: IdText | None = None,
    code: CodeText | None = None,
    loud: bool = False,
    times: int = 1,
    how: Literal["fast", "slow"] = "fast",
) -> None:
    """Play."""


GOOD = {"email": "a@b.example", "password": "p"}


def faults(given: dict[str, Any], *, form: bool = False, act: Action[..., Any] = play) -> dict[str, str]:
    with pytest.raises(Refused) as caught:
        act.read(given, form=form)
    assert caught.value.reason == "invalid_input"
    return {error.field: error.reason for error in caught.value.errors}


def test_the_name_is_the_url() -> None:
    assert play.path == "/toy/play"
    assert action("sign_in.recovery_code")(play.run).path == "/sign-in/recovery-code"


def test_defaults_fill_what_is_absent() -> None:
    assert play.read(GOOD) == {**GOOD, "name": "", "id": None, "code": None, "loud": False, "times": 1, "how": "fast"}


def test_all_faults_come_at_once() -> None:
    given = {"email": 7, "role": "admin", "loud": "yes", "times": True, "how": "sideways"}
    assert faults(given) == {
        "email": "wrong_type",
        "password": "required",
        "role": "unknown",
        "loud": "wrong_type",
        "times": "wrong_type",
        "how": "not_offered",
    }


@pytest.mark.parametrize("wrong", [["a"], {"a": "b"}, 1, 1.5, True, None])
@pytest.mark.parametrize("field", ["email", "password"])
def test_types_are_never_bent(field: str, wrong: Any) -> None:
    assert faults({**GOOD, field: wrong})[field] == "wrong_type"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("email", "a" * 255, "too_long"),
        ("email", "", "required"),
        ("password", "x" * 1025, "too_long"),
        ("password", "", "required"),
        ("password", "\udfff", "not_valid"),
        ("name", "Ann\nBcc: x", "not_valid"),
        ("name", "Ann\x00", "not_valid"),
        ("name", "Ann\u202egnp", "not_valid"),
        ("name", "x" * 151, "too_long"),
        ("id", "ä", "not_valid"),
        ("id", "a b", "not_valid"),
        ("id", "x" * 65, "too_long"),
        ("code", "1" * 65, "too_long"),
    ],
)
def test_bounds(field: str, value: str, reason: str) -> None:
    assert faults({**GOOD, field: value}) == {field: reason}


def test_a_password_may_hold_anything_that_can_be_stored() -> None:
    for password in ("tab\tnul\x00bell\a", "x" * 1024, " ", "🔐", "\u202e"):
        assert play.read({**GOOD, "password": password})["password"] == password


def test_null_counts_as_absence_only_where_none_is_a_value() -> None:
    assert play.read({**GOOD, "id": None})["id"] is None
    assert faults({**GOOD, "name": None}) == {"name": "wrong_type"}


def test_forms_send_text_for_everything() -> None:
    read = play.read({**GOOD, "loud": "on", "times": "3", "id": "", "name": ""}, form=True)
    assert (read["loud"], read["times"], read["id"], read["name"]) == (True, 3, None, "")
    assert faults({**GOOD, "loud": "maybe", "times": "3.5"}, form=True) == {"loud": "wrong_type", "times": "wrong_type"}
    assert faults({**GOOD, "times": "٣"}, form=True) == {"times": "wrong_type"}


def test_what_is_lenient_ignores_what_it_does_not_know() -> None:
    lenient = action("toy.lenient", lenient=True)(play.run)
    assert lenient.read({**GOOD, "more": 1})["email"] == "a@b.example"


def test_a_hostile_field_name_is_shown_harmless() -> None:
    (name,) = faults({**GOOD, "\u202e<script>" + "x" * 100: 1})
    assert len(name) < 80
    assert name.isascii()


def test_an_unknown_reason_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Refused("no_such_word")
    assert all(detail.endswith(".") for _, _, detail in REASONS.values())
