"""Step-up: the same person, the same session, proofs of now."""

from __future__ import annotations

from doorward.core.steps import Prove
from doorward.features import password, recovery_codes, sessions, sign_out, step_up, totp
from doorward.testing.doubles import House
from tests.features.people import PASSWORD, code_of, refused, signed_up, with_totp


def test_a_fresh_session_needs_nothing(house: House) -> None:
    guest = signed_up(house)
    assert guest.do(step_up.step_up).hold is None


def test_a_proof_of_now_makes_the_session_fresh_and_keeps_its_id(house: House) -> None:
    guest = signed_up(house)
    before = guest.do(sessions.session).identity.session
    secret = guest.session
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", guest.do, recovery_codes.generate)
    asked = guest.do(step_up.step_up)
    assert asked.hold == Prove(("password",))
    answer = guest.do(password.sign_in, password=PASSWORD, attempt=asked.attempt)
    assert answer.identity.session.id == before.id
    assert guest.session != secret
    guest.do(recovery_codes.generate)


def test_who_has_a_second_factor_proves_both_again(house: House) -> None:
    guest = signed_up(house)
    secret = with_totp(guest)
    house.clock.forward(minutes=11)
    asked = guest.do(step_up.step_up)
    half = guest.do(password.sign_in, password=PASSWORD, attempt=asked.attempt)
    assert half.hold == Prove(("totp",))
    refused("fresh_proof_required", guest.do, recovery_codes.generate)
    guest.do(totp.sign_in, code=code_of(house, secret))
    guest.do(recovery_codes.generate)


def test_another_users_proof_is_refused(house: House) -> None:
    guest = signed_up(house)
    signed_up(house, "bob@example.com", "the password of somebody else")
    house.clock.forward(minutes=11)
    asked = guest.do(step_up.step_up)
    refused(
        "no_sign_in_under_way",
        guest.do,
        password.sign_in,
        identifier="bob@example.com",
        password="the password of somebody else",
        attempt=asked.attempt,
    )


def test_it_dies_with_its_session_and_moves_in_no_other(house: House) -> None:
    guest = signed_up(house)
    house.clock.forward(minutes=11)
    asked = guest.do(step_up.step_up)
    thief = house.browser("198.51.100.6")
    thief.client = guest.client
    refused("no_sign_in_under_way", thief.do, password.sign_in, password=PASSWORD, attempt=asked.attempt)
    guest.do(sign_out.sign_out)
    refused("no_sign_in_under_way", guest.do, password.sign_in, password=PASSWORD, attempt=asked.attempt)
    refused("not_signed_in", guest.do, step_up.step_up)
