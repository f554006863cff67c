"""Ways around what a sign-in asks: used-up tries, mixed-up attempts, sessions that come back, shared budgets."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.call import Call
from doorward.core.devices import is_known_device
from doorward.core.identify import end_sessions
from doorward.core.records import Authenticator, User
from doorward.core.refusals import Refused
from doorward.core.session import Session
from doorward.core.steps import Enroll, Prove
from doorward.core.tries import KNOWN_DEVICES, STRANGERS, spend_try
from doorward.core.users import find_user
from doorward.features import password, recovery_codes, refresh_tokens, sessions, sign_up, totp, verify_email
from doorward.primitives.hashing import Bcrypt, Passwords
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, code_of, recovery, refused, second_step, signed_in, signed_up, with_totp
from tests.security.conftest import dump_of
from tests.security.thieves import ANN, is_in, sessions_of, thief_with

OTHER_PASSWORD = "a wholly different password"


# A second factor that is out of tries


async def _use_up(call: Call, kind: str) -> None:
    """What 80 wrong codes of a stranger and 20 from a device the owner once used come to."""
    user = await find_user(call, ANN)
    assert user is not None
    (row,) = await call.store.find(Authenticator, user_id=user.id, kind=kind)
    most = KNOWN_DEVICES if is_known_device(call, user.id) else STRANGERS
    for _ in range(most + 1):
        await spend_try(call, row)


def used_up(house: House, owner: Guest, thief: Guest, kind: str = "totp") -> None:
    """The thief has the password, and the cookie of a shared computer that survives sign-out."""
    thief.run(_use_up, kind)
    thief.client = replace(thief.client, known_device=owner.client.known_device)
    thief.run(_use_up, kind)
    (row,) = [row for row in dump_of(house)[Authenticator] if row.kind == kind]
    assert row.disabled_at is not None


def test_guessing_until_the_second_factor_is_disabled_does_not_make_it_optional(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    thief = house.browser(ip="203.0.113.66")
    used_up(house, owner, thief)
    answer = signed_in(thief)
    assert answer.identity is None
    assert answer.hold == Prove(())
    refused("not_signed_in", thief.do, sessions.session)


def test_who_lost_the_app_to_guessing_comes_in_by_a_recovery_code(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    codes = recovery(owner)
    used_up(house, owner, house.browser(ip="203.0.113.66"))
    again = house.browser()
    assert signed_in(again).hold == Prove(("recovery_code",))
    assert again.do(recovery_codes.sign_in, code=codes[0]).identity is not None


def test_a_disabled_second_factor_still_guards_what_asks_for_it(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    used_up(house, owner, house.browser(ip="203.0.113.66"))
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", owner.do, password.change, current_password=PASSWORD, new_password=OTHER_PASSWORD)
    refused("fresh_proof_required", owner.do, totp.begin)


# Attempts of one purpose used for another


def with_a_mailbox(house: House) -> tuple[Guest, str]:
    """A thief who has proved an address of their own, in a sign-up that is nobody's yet."""
    house.browser(ip="203.0.113.66").do(sign_up.sign_up, email="thief@example.com", password=OTHER_PASSWORD)
    thief = house.browser(ip="203.0.113.67")
    held = thief.do(verify_email.verify, token=house.mail.token())
    assert held.hold == Enroll(("password", "passkey"))
    return thief, held.attempt


def test_the_proof_of_ones_own_mailbox_does_not_enrol_a_factor_for_somebody_else(
    open_house: Callable[..., House],
) -> None:
    """Rule 7: who has a password alone, where a second factor is demanded, must not bring one of their own."""
    house = open_house(policy="strict")
    signed_up(house)  # without a second factor yet
    thief, attempt = with_a_mailbox(house)
    refused("wrong_method", signed_in, thief, attempt=attempt)
    signed_in(thief)
    refused("wrong_method", thief.do, totp.begin)
    assert {row.kind for row in dump_of(house)[Authenticator]} == {"password"}


def test_a_sign_up_and_a_sign_in_are_never_one_attempt(house: House) -> None:
    signed_up(house)
    guest = house.browser()
    held = guest.do(sign_up.sign_up, email="new@example.com", password=PASSWORD)
    refused("wrong_method", signed_in, guest, attempt=held.attempt)
    with_totp(signed_up(house, "tom@example.com"))
    pending = house.browser()
    held = signed_in(pending, "tom@example.com")
    for action, arguments in (
        (verify_email.verify, {"code": "123456"}),
        (verify_email.resend, {}),
        (sign_up.choose_password, {"new_password": OTHER_PASSWORD}),
        (sign_up.choose_username, {"username": "tommy"}),
    ):
        refused("no_sign_in_under_way", pending.do, action, attempt=held.attempt, **arguments)


def test_an_attempt_that_is_refused_binds_nothing(open_house: Callable[..., House]) -> None:
    """The owner ends everything while somebody with the password and the mailbox types the code of their own app."""
    house = open_house(policy="strict")
    guest = house.browser()
    guest.do(sign_up.sign_up, email=ANN, password=PASSWORD)
    guest.do(verify_email.verify, code=house.mail.code())
    secret = base64.b32decode(guest.do(totp.begin).secret)

    async def everything_ends(call: Call) -> None:
        user = await find_user(call, ANN)
        assert user is not None
        await end_sessions(call, user.id)

    house.run(everything_ends)
    letters = len(house.mail.letters)
    refused("attempt_expired", guest.do, totp.confirm, code=code_of(house, secret))
    assert {row.kind for row in dump_of(house)[Authenticator]} == {"password"}
    assert len(house.mail.letters) == letters


# Sessions that come back, or stay


async def _host_sets_password(call: Call, new: str) -> None:
    """As a host's own code does, in its own table and by its own hash."""
    made = Passwords(preferred=Bcrypt(4)).hash(new, salt=b"0123456789abcdef")
    user = await find_user(call, ANN)
    assert user is not None
    assert await call.store.change(User, {"id": user.id}, password=made) == 1


def test_a_session_that_the_host_ended_stays_ended_when_the_hash_is_made_anew(house: House) -> None:
    """Rule 20: the new password's first sign-in re-hashes it, and must not take the thief's session along."""
    thief = thief_with(house, session=signed_up(house).session)
    house.run(_host_sets_password, OTHER_PASSWORD)
    assert not is_in(thief)
    owner = house.browser()
    signed_in(owner, password_=OTHER_PASSWORD)
    assert is_in(owner)
    assert not is_in(thief)


def test_a_hash_made_anew_for_the_same_password_signs_nobody_out(house: House) -> None:
    signed_up(house)
    house.run(_host_sets_password, PASSWORD)
    first = house.browser()
    house.hash.passwords = Passwords(preferred=Bcrypt(4))
    signed_in(first)
    house.hash.passwords = Passwords(preferred=Bcrypt(5))
    signed_in(house.browser())
    assert is_in(first)


def test_no_number_of_sessions_outlives_the_end_of_all_others(house: House) -> None:
    owner = signed_up(house)
    (kept,) = dump_of(house)[Session]

    async def flood(call: Call) -> None:
        rows = (replace(kept, id=f"{number:05}", digest=f"{number:05}") for number in range(10_050))
        assert await call.store.add(*rows)

    house.run(flood)
    owner.do(sessions.end, others=True)
    assert [session.session.id for session in sessions_of(owner)] == [kept.id]
    assert len(dump_of(house)[Session]) == 1


# Budgets


def test_a_network_that_is_over_its_budget_uses_up_nobody_elses(open_house: Callable[..., House]) -> None:
    house = open_house(policy={"tries_per_network": 30})
    signed_up(house)
    policy = house.doorward.world.policy
    flood = house.browser(ip="203.0.113.66")
    for number in range(policy.tries_per_network):
        with pytest.raises(Refused):
            signed_in(flood, f"nobody{number}@example.com")
    for _ in range(policy.tries_per_identifier + 1):
        refused("too_many_attempts", signed_in, flood)
    assert signed_in(house.browser()).identity is not None


def test_who_has_the_password_does_not_keep_the_owner_from_the_second_step(house: House) -> None:
    """Rule 12: known devices have a budget of their own, for codes too."""
    owner = signed_up(house)
    secret = with_totp(owner)
    thief = house.browser(ip="203.0.113.66")
    reasons = []
    for _ in range(5):
        second_step(house, thief)
        reasons += [_reason(thief, code="abcdef") for _ in range(5)]
    assert "too_many_attempts" in reasons
    assert second_step(house, owner)
    assert owner.do(totp.sign_in, code=code_of(house, secret)).identity is not None


def _reason(guest: Guest, **code: Any) -> str:
    with pytest.raises(Refused) as caught:
        guest.do(totp.sign_in, **code)
    return caught.value.reason


def test_names_can_not_be_asked_for_without_end(house: House) -> None:
    signed_up(house, username="annie")
    guest = house.browser(ip="203.0.113.66")
    asked = {"email": "new@example.com", "password": PASSWORD, "username": "annie"}
    for _ in range(house.doorward.world.policy.tries_per_identifier):
        refused("username_taken", guest.do, sign_up.sign_up, **asked)
    refused("too_many_attempts", guest.do, sign_up.sign_up, **asked)


def test_slow_hashes_of_ones_own_are_counted_as_well(house: House) -> None:
    owner = signed_up(house)
    for _ in range(house.doorward.world.policy.tries_per_identifier):
        owner.do(recovery_codes.generate)
    refused("too_many_attempts", owner.do, recovery_codes.generate)


# Input that grows


@pytest.mark.parametrize("target", ["/" + "é" * 2000, "/?" + "é" * 342])
def test_a_target_that_encoding_makes_too_long_is_refused_at_once(house: House, target: str) -> None:
    with_totp(signed_up(house))
    refused("invalid_input", signed_in, house.browser(), return_to=target)
    refused(
        "invalid_input", house.browser().do, sign_up.sign_up, email="x@example.com", password=PASSWORD, return_to=target
    )


def test_a_refresh_token_of_a_session_that_ended_is_worth_nothing(house: House) -> None:
    signed_up(house)
    program = house.program()
    given = signed_in(program, issue="tokens").tokens
    owner = house.browser()
    signed_in(owner)
    owner.do(sessions.end, others=True)
    refused("refresh_refused", program.do, refresh_tokens.refresh, refresh_token=given["refresh_token"])
