"""Trusted devices: they save a second step and nothing else, and end with what they were trusted by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doorward.core.devices import TrustedDevice
from doorward.core.steps import Prove
from doorward.features import (
    magic_link,
    notices,
    password,
    recovery_codes,
    reset_password,
    sessions,
    sign_out,
    sign_up,
    step_up,
    totp,
    trusted_device,
    verify_email,
)
from doorward.server import people
from doorward.testing.doubles import Guest, House
from tests.features.forgetful import ANN, NEW, by_code, forgot
from tests.features.people import PASSWORD, code_of, recovery, refused, second_step, signed_in, signed_up, with_totp


def trusting(house: House, secret: bytes, email: str = ANN, ip: str = "192.0.2.20") -> Guest:
    """A browser that has proved both, and is not to be asked again."""
    guest = house.browser(ip)
    second_step(house, guest, email=email)
    guest.do(totp.sign_in, code=code_of(house, secret), trust_device=True)
    house.clock.forward(seconds=30)
    return guest


def later(house: House, guest: Guest, **changes: Any) -> Guest:
    """The same browser another day, without a session."""
    again = house.browser()
    again.client = replace(guest.client, attempt="", **changes)
    return again


def asks(guest: Guest, email: str = ANN) -> bool:
    """Whether this browser is asked for a second step."""
    answer = signed_in(guest, email)
    assert (answer.identity is None) == (answer.hold == Prove(("totp",)))
    return answer.identity is None


def test_a_trusted_browser_is_asked_for_the_password_only(house: House) -> None:
    secret = with_totp(signed_up(house))
    guest = trusting(house, secret)
    house.clock.forward(days=29)
    again = later(house, guest)
    answer = signed_in(again)
    assert (answer.identity.amr, answer.identity.aal) == (("pwd",), 1)
    (row,) = again.do(trusted_device.list_devices).items
    assert (row.current, row.last_used_at, row.ip) == (True, house.clock.now, "192.0.2.20")
    assert row.expires_at - row.created_at == timedelta(days=30)


def test_trust_ends_after_thirty_days_however_often_it_is_used(house: House) -> None:
    guest = trusting(house, with_totp(signed_up(house)))
    for _ in range(3):
        house.clock.forward(days=9)
        assert not asks(later(house, guest))
    house.clock.forward(days=4)
    assert asks(later(house, guest))


def test_nobody_is_trusted_who_did_not_ask_for_it(house: House) -> None:
    secret = with_totp(signed_up(house))
    guest = house.browser()
    second_step(house, guest)
    guest.do(totp.sign_in, code=code_of(house, secret))
    assert guest.client.trusted_device == ""
    assert asks(later(house, guest))


def test_it_skips_no_password(house: House) -> None:
    guest = later(house, trusting(house, with_totp(signed_up(house))))
    refused("wrong_credentials", signed_in, guest, password_="the password of somebody else")
    refused("no_sign_in_under_way", guest.do, totp.sign_in, code="123456")
    refused("not_signed_in", guest.do, sessions.session)


def test_it_adds_nothing_and_lowers_no_step_up(house: House) -> None:
    """Rule 27."""
    guest = later(house, trusting(house, with_totp(signed_up(house))))
    signed_in(guest)
    refused("fresh_proof_required", guest.do, totp.remove)
    asked = guest.do(step_up.step_up)
    assert asked.hold == Prove(("totp",))
    refused("fresh_proof_required", guest.do, recovery_codes.generate)


def test_the_cookie_of_somebody_else_is_worth_nothing(house: House) -> None:
    anns = with_totp(signed_up(house))
    with_totp(signed_up(house, "bob@example.com"))
    guest = later(house, trusting(house, anns))
    assert asks(guest, "bob@example.com")
    assert not asks(later(house, guest))


@pytest.mark.parametrize("made_up", ["", "x", "0" * 43, "'; DROP", "a" * 4096])
def test_a_made_up_cookie_is_worth_nothing(house: House, made_up: str) -> None:
    guest = trusting(house, with_totp(signed_up(house)))
    assert asks(later(house, guest, trusted_device=made_up))


def test_the_stored_digest_is_no_cookie(house: House) -> None:
    guest = trusting(house, with_totp(signed_up(house)))
    (row,) = house.run(lambda call: call.store.find(TrustedDevice))
    assert guest.client.trusted_device not in (row.digest, row.id)
    assert asks(later(house, guest, trusted_device=row.digest))


def change_password(house: House, owner: Guest, secret: bytes) -> None:
    owner.do(password.change, current_password=PASSWORD, new_password=PASSWORD + " and a wren")


def remove_factor(house: House, owner: Guest, secret: bytes) -> None:
    owner.do(totp.begin)
    owner.do(totp.remove)


def sign_out_everywhere(house: House, owner: Guest, secret: bytes) -> None:
    owner.do(sign_out.sign_out, all=True)


def end_all_others(house: House, owner: Guest, secret: bytes) -> None:
    owner.do(sessions.end, others=True)


def not_me(house: House, owner: Guest, secret: bytes) -> None:
    link = next(letter.words["not_me_link"] for letter in reversed(house.mail.letters) if "not_me_link" in letter.words)
    house.browser().do(notices.not_me, token=link.partition("token=")[2])


def disable(house: House, owner: Guest, secret: bytes) -> None:
    house.run(people.set_active, ANN, active=False)
    house.run(people.set_active, ANN, active=True)


def reset(house: House, owner: Guest, secret: bytes) -> None:
    by_code(forgot(house))


ENDS = (change_password, remove_factor, sign_out_everywhere, end_all_others, not_me, disable, reset)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_it_ends_with(house: House, end: Callable[[House, Guest, bytes], None]) -> None:
    """A cookie that was stolen before then is worth nothing afterwards, and there is no row of it."""
    owner = signed_up(house)
    secret = with_totp(owner)
    thief = later(house, trusting(house, secret))
    end(house, owner, secret)
    assert house.run(lambda call: call.store.count(TrustedDevice)) == 0
    passwords = {"change_password": PASSWORD + " and a wren", "reset": NEW}
    if end is remove_factor:
        enrolled = house.browser()
        signed_in(enrolled)
        with_totp(enrolled)
    held = signed_in(thief, password_=passwords.get(end.__name__, PASSWORD))
    assert held.hold == Prove(("totp",))


def test_it_is_listed_and_ended_one_by_one_or_all_at_once(house: House) -> None:
    owner = signed_up(house)
    secret = with_totp(owner)
    first, second = trusting(house, secret), trusting(house, secret, ip="192.0.2.21")
    newest, oldest = owner.do(trusted_device.list_devices).items
    assert (newest.ip, oldest.ip, newest.current) == ("192.0.2.21", "192.0.2.20", False)
    owner.do(trusted_device.end, id=oldest.id)
    assert asks(later(house, first))
    assert not asks(later(house, second))
    refused("not_found", owner.do, trusted_device.end, id=oldest.id)
    owner.do(trusted_device.end)
    assert asks(later(house, second))
    assert owner.do(trusted_device.list_devices).items == ()


def test_the_browser_that_ends_its_own_trust_loses_the_cookie(house: House) -> None:
    guest = trusting(house, with_totp(signed_up(house)))
    (row,) = guest.do(trusted_device.list_devices).items
    guest.do(trusted_device.end, id=row.id)
    assert guest.client.trusted_device == ""


def test_nobody_lists_or_ends_those_of_others(house: House) -> None:
    owner = signed_up(house)
    guest = trusting(house, with_totp(owner))
    (row,) = owner.do(trusted_device.list_devices).items
    bob = signed_up(house, "bob@example.com")
    assert bob.do(trusted_device.list_devices).items == ()
    refused("not_found", bob.do, trusted_device.end, id=row.id)
    bob.do(trusted_device.end)
    assert not asks(later(house, guest))
    for action in (trusted_device.list_devices, trusted_device.end):
        refused("not_signed_in", house.browser().do, action)
    for id in (7, "", "x" * 65, "a b"):
        refused("invalid_input", owner.do, trusted_device.end, id=id)


def test_a_browser_that_is_trusted_again_has_one_row(house: House) -> None:
    owner = signed_up(house)
    secret = with_totp(owner)
    guest = trusting(house, secret)
    house.clock.forward(minutes=11)
    guest.do(step_up.step_up)
    guest.do(password.sign_in, password=PASSWORD, attempt=guest.client.attempt)
    guest.do(totp.sign_in, code=code_of(house, secret), trust_device=True)
    assert len(owner.do(trusted_device.list_devices).items) == 1
    assert not asks(later(house, guest))


def test_programs_are_not_trusted(house: House) -> None:
    secret = with_totp(signed_up(house))
    program = house.program()
    second_step(house, program)
    program.do(totp.sign_in, code=code_of(house, secret), attempt=program.client.attempt, trust_device=True)
    assert program.client.trusted_device == ""


def test_a_recovery_code_may_trust_too_and_mail_alone_may_not(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    codes = recovery(owner)
    guest = house.browser()
    second_step(house, guest)
    guest.do(recovery_codes.sign_in, code=codes[0], trust_device=True)
    assert guest.client.trusted_device
    by_mail = house.browser()
    by_mail.do(magic_link.send, identifier=ANN)
    assert by_mail.do(magic_link.sign_in, token=house.mail.token()).hold is not None
    assert by_mail.client.trusted_device == ""


def test_trust_is_asked_for_again_after_a_reset_by_mail_alone(house: House) -> None:
    """Who has the mailbox and a stolen cookie has nothing: the reset ends the trust before the gates are asked."""
    thief = later(house, trusting(house, with_totp(signed_up(house))))
    thief.do(reset_password.forgot, email=ANN)
    assert by_code(thief).hold == Prove(("totp",))


def test_strict_trusts_no_browser(open_house: Callable[..., House]) -> None:
    house = open_house(policy={"second_factor_required": True})
    owner = house.browser()
    owner.do(sign_up.sign_up, email=ANN, password=PASSWORD)
    owner.do(verify_email.verify, code=house.mail.code())
    guest = trusting(house, with_totp(owner))
    assert not asks(later(house, guest)), "a demand of a second factor may be met by trust, where that is allowed"
    policy = replace(house.doorward.world.policy, trusted_device_life=timedelta(0))
    house.doorward.world = replace(house.doorward.world, policy=policy)
    assert asks(later(house, guest)), "what the policy allows no more ends at once"
    again = later(house, guest)
    second_step(house, again)
    assert again.client.trusted_device == guest.client.trusted_device
