"""A lost second factor: two ways replace it and never one alone; every address hears of it first, and can stop it."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from doorward.core.events import RecoveryBegun, RecoveryCancelled, SecondFactorReplaced
from doorward.core.recovering import RecoveryWait
from doorward.core.refusals import Refused
from doorward.core.steps import Enroll, Prove
from doorward.features import (
    account,
    notices,
    password,
    recovery,
    recovery_codes,
    sessions,
    sign_out,
    step_up,
    totp,
)
from doorward.testing import SoftAuthenticator
from doorward.testing.doubles import Guest, House
from tests.features.addresses import added, letters, rows
from tests.features.passkeys_used import let_in, not_taken, registered
from tests.features.people import PASSWORD, at_once, code_of, refused, second_step, signed_in, signed_up, with_totp
from tests.features.people import recovery as ten_codes
from tests.features.recovering import (
    ANN,
    ENROLL,
    NEW,
    WAIT,
    enrolled,
    kinds,
    owner_with_totp,
    proving,
    reset,
    stop_link,
    waiting,
)

# The waiting period


def test_after_the_waiting_period_another_factor_takes_the_place_of_the_lost_one(house: House) -> None:
    told: list[Any] = []
    house.doorward.on(SecondFactorReplaced)(told.append)
    owner, old = owner_with_totp(house)
    begun = waiting(house)
    assert begun.due_at - house.clock.now == timedelta(hours=72)
    house.clock.forward(hours=72)
    guest, answer = proving(house)
    assert answer.hold == ENROLL
    refused("not_signed_in", guest.do, sessions.session)
    identity = enrolled(guest).identity
    assert (identity.amr, identity.aal) == (("pwd", "email", "otp", "mfa"), 2)
    assert kinds(house) == ["password", "totp"]
    assert [event.removed for event in told] == [("totp",)]
    assert "second_factor_replaced" in house.mail.to(ANN)
    refused("not_signed_in", owner.do, sessions.session)
    other = house.browser()
    second_step(house, other)
    house.clock.forward(seconds=30)
    refused("wrong_code", other.do, totp.sign_in, code=code_of(house, old))
    assert rows(house, RecoveryWait) == []
    assert guest.do(sessions.session).identity is not None
    assert guest.do(recovery_codes.generate).codes


def test_a_passkey_takes_the_place_of_a_lost_one(house: House) -> None:
    owner, lost, new = signed_up(house), SoftAuthenticator(), SoftAuthenticator()
    registered(owner, lost)
    guest = house.browser("192.0.2.9")
    for step in (WAIT, ENROLL):
        signed_in(guest)
        guest.do(recovery.send)
        assert guest.do(recovery.prove_mailbox, code=house.mail.code()).hold == step
        if step == WAIT:
            guest.do(recovery.begin_wait)
            house.clock.forward(hours=72)
    assert registered(guest, new).identity.aal == 2
    assert kinds(house) == ["passkey", "password"]
    not_taken("unknown_passkey", house.browser(), lost)
    assert let_in(house.browser(), new).identity is not None


def test_who_is_signed_in_and_can_not_step_up_signs_in_anew_by_it(house: House) -> None:
    """Such as in a trusted browser, which is asked for no second factor when it signs in."""
    _, lost = owner_with_totp(house)
    owner = house.browser()
    second_step(house, owner, remember=True)
    owner.do(totp.sign_in, code=code_of(house, lost))
    waiting(house)
    house.clock.forward(hours=72)
    owner.do(step_up.step_up)
    refused("wrong_method", owner.do, recovery.send)  # the password of three days ago counts for nothing
    owner.do(password.sign_in, password=PASSWORD, attempt=owner.client.attempt)
    owner.do(recovery.send)
    before = owner.do(sessions.session).identity.session.id
    assert owner.do(recovery.prove_mailbox, code=house.mail.code()).hold == ENROLL
    refused("fresh_proof_required", owner.do, recovery_codes.generate)
    secret = base64.b32decode(owner.do(totp.begin, attempt=owner.client.attempt).secret)
    done = owner.do(totp.confirm, code=code_of(house, secret), attempt=owner.client.attempt)
    assert (done.identity.aal, done.identity.session.id == before) == (2, False)
    assert [session.session.id for session in owner.do(sessions.list_sessions).items] == [done.identity.session.id]


def test_not_a_second_sooner_and_not_a_week_later(house: House) -> None:
    owner_with_totp(house)
    waiting(house)
    house.clock.forward(hours=72, seconds=-1)
    guest, answer = proving(house)
    assert answer.hold == WAIT
    refused("wrong_method", guest.do, totp.begin)
    assert guest.do(recovery.begin_wait).due_at - house.clock.now == timedelta(seconds=1)
    house.clock.forward(days=7, seconds=1)
    guest, answer = proving(house)
    assert answer.hold == WAIT
    assert guest.do(recovery.begin_wait).due_at - house.clock.now == timedelta(hours=72)


def test_nothing_is_bound_and_nothing_removed_until_the_sign_in_is_done(house: House) -> None:
    _, old = owner_with_totp(house)
    waiting(house)
    house.clock.forward(hours=72)
    guest, _ = proving(house)
    secret = base64.b32decode(guest.do(totp.begin).secret)
    refused("wrong_code", guest.do, totp.confirm, code="000000")
    assert kinds(house) == ["password", "totp"]
    owner = house.browser()
    second_step(house, owner)
    assert owner.do(totp.sign_in, code=code_of(house, old)).identity is not None  # which stops it
    refused("no_sign_in_under_way", guest.do, totp.confirm, code=code_of(house, secret))
    assert kinds(house) == ["password", "totp"]


def test_every_address_is_told_at_once_and_again_and_can_stop_it(house: House) -> None:
    told: list[Any] = []
    house.doorward.on(RecoveryBegun)(told.append)
    house.doorward.on(RecoveryCancelled)(told.append)
    owner = added(signed_up(house), "ann@work.example")
    with_totp(owner)
    waiting(house)
    for address in (ANN, "ann@work.example"):
        assert house.mail.to(address)[-1] == "recovery_begun"
    assert house.run(recovery.remind) == 0
    house.clock.forward(hours=48, seconds=1)
    with ThreadPoolExecutor(4) as rivals:
        assert sum(rivals.map(lambda _: house.run(recovery.remind), range(4))) == 1
    for address in (ANN, "ann@work.example"):
        assert house.mail.to(address).count("recovery_due") == 1
    token = stop_link(house, "recovery_due")
    assert house.browser().do(recovery.stop, token=token) is None
    assert house.mail.to("ann@work.example")[-1] == "recovery_cancelled"
    house.clock.forward(hours=24)
    _, answer = proving(house)
    assert answer.hold == WAIT
    assert [type(event) for event in told] == [RecoveryBegun, RecoveryCancelled]


def test_the_link_stops_it_once_and_no_later_one(house: House) -> None:
    owner_with_totp(house)
    waiting(house)
    token = stop_link(house)
    house.run(recovery.load_cancel, {"token": token})
    assert len(rows(house, RecoveryWait)) == 1  # looking changes nothing
    house.browser().do(recovery.stop, token=token)
    refused("invalid_token", house.browser().do, recovery.stop, token=token)
    waiting(house, ip="192.0.2.10")
    refused("invalid_token", house.browser().do, recovery.stop, token=token)
    assert len(rows(house, RecoveryWait)) == 1


def test_a_link_of_another_purpose_or_user_stops_nothing(house: House) -> None:
    owner_with_totp(house)
    signed_up(house, "bob@example.com").do(account.close)
    token = house.mail.token()
    waiting(house)
    for wrong in (token, "A" * 43, "x"):
        refused("invalid_token", house.browser().do, recovery.stop, token=wrong)
    refused("invalid_token", house.browser().do, account.undo, token=stop_link(house))
    refused("not_signed_in", house.browser().do, recovery.stop)
    refused("not_found", signed_up(house, "cas@example.com").do, recovery.stop)
    assert len(rows(house, RecoveryWait)) == 1


def test_who_is_signed_in_sees_it_and_stops_it(house: House) -> None:
    owner, _ = owner_with_totp(house)
    assert owner.do(recovery.state).due_at is None
    due_at = waiting(house).due_at
    seen = owner.do(recovery.state)
    assert (seen.due_at, seen.ip) == (due_at, "192.0.2.9")
    owner.do(recovery.stop)
    assert owner.do(recovery.state).due_at is None
    assert house.mail.to(ANN)[-1] == "recovery_cancelled"


def test_a_sign_in_with_the_factor_stops_it(house: House) -> None:
    _, secret = owner_with_totp(house)
    waiting(house)
    owner = house.browser()
    second_step(house, owner)
    house.clock.forward(seconds=30)
    assert owner.do(totp.sign_in, code=code_of(house, secret)).identity is not None
    assert rows(house, RecoveryWait) == []
    assert "recovery_cancelled" in house.mail.to(ANN)


def test_who_finds_the_phone_half_way_keeps_what_there_was(house: House) -> None:
    owner, secret = owner_with_totp(house)
    ten_codes(owner)
    waiting(house)
    house.clock.forward(hours=72)
    guest, answer = proving(house)
    assert isinstance(answer.hold, Enroll)
    assert guest.do(totp.sign_in, code=code_of(house, secret)).identity is not None
    assert kinds(house) == ["password", "recovery_code", "totp"]
    assert rows(house, RecoveryWait) == []


@pytest.mark.parametrize("end", ["not me", "password", "everywhere", "reset", "disabled"])
def test_what_ends_sessions_ends_it(house: House, end: str) -> None:
    owner, _ = owner_with_totp(house)
    waiting(house)
    if end == "not me":
        letter = letters(house, ANN, "recovery_begun")[-1]
        house.browser().do(notices.not_me, token=letter.words["not_me_link"].partition("token=")[2])
    elif end == "password":
        owner.do(password.change, current_password=PASSWORD, new_password=NEW)
    elif end == "everywhere":
        owner.do(sign_out.sign_out, all=True)
    elif end == "reset":
        reset(house)
    else:
        owner.do(account.close)
    house.clock.forward(hours=72)
    assert house.run(recovery.remind) == 0
    if end != "disabled":
        guest, answer = proving(house, password_=NEW if end in ("password", "reset") else PASSWORD)
        assert answer.hold == (Prove(()) if end == "reset" else WAIT)
        refused("wrong_method", guest.do, totp.begin)


def test_of_forty_who_ask_for_the_letter_at_once_as_many_get_one_as_are_answered(house: House) -> None:
    owner_with_totp(house)
    guest = house.browser()
    second_step(house, guest)
    guests = [house.browser() for _ in range(40)]
    for one in guests:
        one.client = guest.client
    outcomes = at_once(*(lambda one=one: one.do(recovery.send) for one in guests))
    assert set(outcomes) <= {"done", "state_changed", "too_many_attempts"}
    assert outcomes.count("done") == len(letters(house, ANN, "recovery_code_mailed")) >= 1


def test_forty_who_begin_at_once_are_one(house: House) -> None:
    owner_with_totp(house)
    guest, _ = proving(house)

    def begin(_: int) -> Any:
        rival = Guest(house, guest.client)
        try:
            return rival.do(recovery.begin_wait).due_at
        except Refused as no:
            return no.reason

    with ThreadPoolExecutor(40) as rivals:
        outcomes = set(rivals.map(begin, range(40)))
    assert len(outcomes) == 1
    assert len(rows(house, RecoveryWait)) == 1
    assert house.mail.to(ANN).count("recovery_begun") == 1


def test_of_forty_who_end_at_once_one_is_in(house: House) -> None:
    owner_with_totp(house)
    waiting(house)
    house.clock.forward(hours=72)
    guests = [proving(house, ip=f"192.0.2.{number}")[0] for number in range(8)]
    secrets = [base64.b32decode(guest.do(totp.begin).secret) for guest in guests]

    def confirm(number: int) -> bool:
        try:
            done = guests[number].do(totp.confirm, code=code_of(house, secrets[number]))
        except Refused:
            return False
        return done.identity is not None

    with ThreadPoolExecutor(8) as rivals:
        assert sum(rivals.map(confirm, range(8))) == 1
    assert kinds(house) == ["password", "totp"]


def test_it_can_not_be_begun_without_end(house: House) -> None:
    owner, _ = owner_with_totp(house)
    for number in range(recovery.MOST_WAITS):
        waiting(house, ip=f"192.0.2.{number}")
        owner.do(recovery.stop)
    guest, _ = proving(house)
    refused("too_many_attempts", guest.do, recovery.begin_wait)
