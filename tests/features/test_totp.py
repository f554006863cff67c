"""TOTP: a code works once, a secret counts for nothing before it is confirmed, and one user's code is nobody else's."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

from doorward.core.refusals import Refused
from doorward.core.steps import Enroll, Prove
from doorward.features import password, sessions, sign_up, totp, verify_email
from doorward.testing.doubles import Guest, House
from tests.features.people import (
    PASSWORD,
    code_of,
    refused,
    second_step,
    signed_in,
    signed_up,
    wait_out_limits,
    with_totp,
)


def test_begin_confirm_sign_in(house: House) -> None:
    guest = signed_up(house)
    begun = guest.do(totp.begin, name="phone")
    assert begun.uri.startswith("otpauth://totp/Doorward:ann@example.com?secret=")
    assert begun.qr.startswith("<svg")
    assert len(base64.b32decode(begun.secret)) == 20
    guest.do(totp.confirm, code=code_of(house, base64.b32decode(begun.secret)))
    assert guest.do(sessions.session).identity.aal == 2
    assert house.mail.last.template == "authenticator_added"
    house.clock.forward(seconds=30)
    again = house.browser()
    assert second_step(house, again).hold == Prove(("totp",))
    answer = again.do(totp.sign_in, code=code_of(house, base64.b32decode(begun.secret)))
    assert answer.identity.amr == ("pwd", "otp", "mfa")
    assert [d.name for d in again.do(totp.list_devices).items] == ["phone"]


def test_the_session_secret_changes_as_the_session_rises(house: House) -> None:
    guest = signed_up(house)
    before = guest.session
    with_totp(guest)
    assert guest.session != before
    thief = house.browser()
    thief.session = before
    refused("not_signed_in", thief.do, sessions.session)


def test_an_unconfirmed_secret_asks_for_nothing_and_opens_nothing(house: House) -> None:
    guest = signed_up(house)
    secret = base64.b32decode(guest.do(totp.begin).secret)
    answer = signed_in(house.browser())
    assert answer.identity is not None
    for _ in range(5):
        refused("wrong_code", guest.do, totp.confirm, code="000000" if code_of(house, secret) != "000000" else "1" * 6)
    refused("state_changed", guest.do, totp.confirm, code=code_of(house, secret))
    guest.do(totp.begin)
    house.clock.forward(minutes=16)
    refused("fresh_proof_required", guest.do, totp.confirm, code="000000")


def test_a_code_works_once_and_so_does_no_older_one(house: House) -> None:
    secret = with_totp(signed_up(house))
    code = code_of(house, secret)
    first, second = house.browser(), house.browser()
    second_step(house, first)
    second_step(house, second)
    first.do(totp.sign_in, code=code)
    refused("wrong_code", second.do, totp.sign_in, code=code)


def test_of_two_hundred_parallel_uses_one_gets_in(house: House) -> None:
    secret = with_totp(signed_up(house))
    guests = [house.browser(f"192.0.2.{i}") for i in range(200)]
    window = house.doorward.world.policy.tries_per_identifier
    for guest in guests[:window]:
        second_step(house, guest)
    for guest in guests[window:]:
        guest.client = guests[0].client  # the same attempt again
    code = code_of(house, secret)

    def attempt(guest: Guest) -> str:
        try:
            return "in" if guest.do(totp.sign_in, code=code).identity else "held"
        except Refused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(40) as pool:
        outcomes = list(pool.map(attempt, guests))
    assert outcomes.count("in") == 1, outcomes
    assert set(outcomes) <= {"in", "wrong_code", "too_many_attempts", "attempt_expired", "no_sign_in_under_way"}


def test_a_code_of_one_user_is_wrong_for_another(house: House) -> None:
    secret = with_totp(signed_up(house))
    other = signed_up(house, "bob@example.com")
    with_totp(other)
    guest = house.browser()
    second_step(house, guest, email="bob@example.com")
    refused("wrong_code", guest.do, totp.sign_in, code=code_of(house, secret))


def test_an_attempt_has_five_tries_and_a_new_attempt_does_not_give_the_authenticator_more(house: House) -> None:
    secret = with_totp(signed_up(house))
    spent = 0
    for _ in range(4):
        guest = house.browser()
        second_step(house, guest)
        for _ in range(5):
            refused("wrong_code", guest.do, totp.sign_in, code="abcdef")
            spent += 1
        refused("attempt_expired", guest.do, totp.sign_in, code=code_of(house, secret))
    guest = house.browser()
    second_step(house, guest)
    refused("too_many_attempts", guest.do, totp.sign_in, code=code_of(house, secret))
    assert spent == house.doorward.world.policy.tries_per_identifier


def test_who_knows_the_password_and_guesses_codes_is_told_of_once(house: House) -> None:
    """Rule 12: strangers have 80 tries, then it is closed to them; the owner's known device still opens the door."""
    owner = signed_up(house)
    secret = with_totp(owner)
    thief = house.browser("198.51.100.6")
    for _ in range(17):
        wait_out_limits(house)
        second_step(house, thief)
        for _ in range(5):
            refused("wrong_code", thief.do, totp.sign_in, code="000000")
    assert house.mail.to("ann@example.com").count("second_step_closed") == 1
    wait_out_limits(house)
    second_step(house, thief)
    refused("wrong_code", thief.do, totp.sign_in, code=code_of(house, secret))
    second_step(house, owner)
    assert owner.do(totp.sign_in, code=code_of(house, secret)).identity is not None


def test_only_exactly_six_ascii_digits(house: House) -> None:
    secret = with_totp(signed_up(house))
    code = code_of(house, secret)
    guest = house.browser()
    second_step(house, guest)
    for typed in (
        code[:5],
        code + "0",
        f"{code[:3]} {code[3:]}",
        code.translate({48 + i: 0x660 + i for i in range(10)}),
    ):
        refused("wrong_code", guest.do, totp.sign_in, code=typed)
    for typed in (int(code), [code], None, {"code": code}):
        refused("invalid_input", guest.do, totp.sign_in, code=typed)


def test_the_second_step_needs_the_first(house: House) -> None:
    with_totp(signed_up(house))
    refused("no_sign_in_under_way", house.browser().do, totp.sign_in, code="123456")
    pending = house.browser()
    pending.do(sign_up.sign_up, email="new@example.com", password=PASSWORD)
    refused("wrong_method", pending.do, totp.sign_in, code="123456")


def test_a_pending_sign_in_can_do_nothing_else(house: House) -> None:
    with_totp(signed_up(house))
    guest = house.browser()
    second_step(house, guest)
    refused("wrong_method", guest.do, totp.begin)
    refused("wrong_method", guest.do, totp.confirm, code="123456")
    for action in (sessions.session, sessions.list_sessions, totp.list_devices, totp.remove):
        refused("not_signed_in", guest.do, action)
    refused("not_signed_in", guest.do, password.change, current_password=PASSWORD, new_password=PASSWORD + "!")
    refused("no_sign_in_under_way", guest.do, verify_email.verify, code="123456")


def test_removal_needs_a_fresh_proof(house: House) -> None:
    guest = signed_up(house)
    with_totp(guest)
    house.clock.forward(minutes=11)
    assert refused("fresh_proof_required", guest.do, totp.remove).methods == ("password",)


def test_remove(house: House) -> None:
    guest = signed_up(house)
    with_totp(guest)
    other = signed_up(house, "bob@example.com")
    (device,) = guest.do(totp.list_devices).items
    refused("not_found", other.do, totp.remove, id=device.id)
    guest.do(totp.remove, id=device.id)
    assert house.mail.last.template == "authenticator_removed"
    assert signed_in(house.browser()).identity is not None


def test_where_a_second_factor_is_demanded_it_is_enrolled_while_signing_in(open_house) -> None:  # type: ignore[no-untyped-def]
    """Rule 7: after a proof of the address in this attempt; and nothing but what is asked for."""
    house: House = open_house(policy="strict")
    guest = house.browser()
    guest.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    assert guest.do(verify_email.verify, code=house.mail.code()).hold == Enroll(("totp",))
    refused("not_signed_in", guest.do, sessions.session)
    secret = base64.b32decode(guest.do(totp.begin).secret)
    assert guest.do(totp.confirm, code=code_of(house, secret)).identity.aal == 2
    refused("last_authenticator", guest.do, totp.remove)
