"""Nothing replaces a second factor alone: not the mailbox, not the password, not a code; and where there is no way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from doorward.core.accounts import account_of
from doorward.core.call import Call
from doorward.core.records import Authenticator
from doorward.core.recovering import MailedPassword, RecoveryWait
from doorward.core.steps import Prove
from doorward.core.users import find_user
from doorward.features import (
    account,
    change_email,
    email_code,
    password,
    recovery,
    recovery_codes,
    reset_password,
    sessions,
    step_up,
    totp,
)
from doorward.testing import SoftAuthenticator
from doorward.testing.doubles import Guest, House
from tests.features.addresses import rows
from tests.features.passkeys_used import let_in, registered
from tests.features.people import PASSWORD, code_of, refused, second_step, signed_in, signed_up, with_totp
from tests.features.people import recovery as ten_codes
from tests.features.recovering import (
    ANN,
    ENROLL,
    NEW,
    WAIT,
    asking,
    enrolled,
    kinds,
    owner_with_totp,
    proving,
    reset,
    waiting,
)


def test_the_mailbox_alone_never_gets_through(house: House) -> None:
    """It chooses a password by itself, and waits for ever: that password is no second way beside it."""
    owner_with_totp(house)
    thief = reset(house)
    thief.do(recovery.send)
    assert thief.do(recovery.prove_mailbox, code=house.mail.code()).hold == Prove(())
    for _ in range(3):
        guest, answer = proving(house, password_=NEW)
        assert answer.hold == Prove(())
        refused("wrong_method", guest.do, recovery.begin_wait)
        refused("wrong_method", guest.do, totp.begin)
        house.clock.forward(days=5)
    assert kinds(house) == ["password", "totp"]


def test_nor_does_it_when_it_resets_the_password_while_somebody_waits(house: House) -> None:
    owner_with_totp(house)
    waiting(house)
    house.clock.forward(hours=71)
    reset(house)
    house.clock.forward(hours=2)
    _, answer = proving(house, password_=NEW)
    assert answer.hold == Prove(())


def test_nor_after_its_owner_signed_in_by_something_else(house: House) -> None:
    """Whoever proves the factor without that password has not vouched for it."""
    _, secret = owner_with_totp(house)
    thief = reset(house)
    owner = house.browser()
    owner.do(email_code.send, identifier=ANN)
    owner.do(email_code.sign_in, code=house.mail.code())
    assert owner.do(totp.sign_in, code=code_of(house, secret)).identity is not None
    second_step(house, thief, password_=NEW)
    thief.do(recovery.send)
    assert thief.do(recovery.prove_mailbox, code=house.mail.code()).hold == Prove(())


def test_nor_after_its_owner_signed_in_by_a_passkey(house: House) -> None:
    """Which is something known too, and not that password."""
    device = SoftAuthenticator()
    registered(signed_up(house), device)
    thief = reset(house)
    assert let_in(house.browser(), device).identity.aal == 2
    assert len(rows(house, MailedPassword)) == 1
    second_step(house, thief, password_=NEW)
    thief.do(recovery.send)
    assert thief.do(recovery.prove_mailbox, code=house.mail.code()).hold == Prove(())


def test_a_password_that_was_reset_is_ones_own_again_once_it_was_proved_with_the_factor(house: House) -> None:
    _, secret = owner_with_totp(house)
    reset(house)
    assert len(rows(house, MailedPassword)) == 1
    owner = house.browser()
    second_step(house, owner, password_=NEW)
    owner.do(totp.sign_in, code=code_of(house, secret))
    assert rows(house, MailedPassword) == []
    _, answer = proving(house, password_=NEW)
    assert answer.hold == WAIT


@pytest.mark.parametrize("how", ["changed", "enrolled"])
def test_so_it_is_when_it_was_changed_or_a_factor_bound_by_who_knows_it(house: House, how: str) -> None:
    if how == "changed":
        _, secret = owner_with_totp(house)
        reset(house)
        owner = house.browser()
        second_step(house, owner, password_=NEW)
        owner.do(totp.sign_in, code=code_of(house, secret))
        owner.do(password.change, current_password=NEW, new_password=PASSWORD)
    else:
        signed_up(house)
        reset(house)
        owner = house.browser()
        signed_in(owner, password_=NEW)
        with_totp(owner)
    assert rows(house, MailedPassword) == []


def test_the_password_alone_gets_nowhere(house: House) -> None:
    owner_with_totp(house)
    thief = asking(house)
    refused("wrong_method", thief.do, recovery.begin_wait)
    for _ in range(5):
        refused("wrong_code", thief.do, recovery.prove_mailbox, code="000000")
    refused("attempt_expired", thief.do, recovery.prove_mailbox, code=house.mail.code())
    assert rows(house, RecoveryWait) == []


def test_another_letter_gives_no_more_tries(house: House) -> None:
    owner_with_totp(house)
    thief = asking(house)
    for _ in range(4):
        refused("wrong_code", thief.do, recovery.prove_mailbox, code="000000")
    thief.do(recovery.send)
    refused("wrong_code", thief.do, recovery.prove_mailbox, code="000000")
    refused("attempt_expired", thief.do, recovery.prove_mailbox, code=house.mail.code())


def test_a_recovery_code_alone_enrols_nothing_here(house: House) -> None:
    owner, _ = owner_with_totp(house)
    codes = ten_codes(owner)
    thief = asking(house)
    assert thief.do(recovery_codes.sign_in, code=codes[0]).hold == Prove(("email",))
    refused("wrong_method", thief.do, totp.begin)
    refused("not_signed_in", thief.do, sessions.session)


def test_nor_does_it_in_a_session(house: House) -> None:
    """It lets in. What changes the account asks for the mailbox too, or for the factor that is not lost after all."""
    owner, _ = owner_with_totp(house)
    codes = ten_codes(owner)
    guest = house.browser("203.0.113.66")
    second_step(house, guest)
    assert guest.do(recovery_codes.sign_in, code=codes[0]).identity.aal == 2
    for action in (totp.begin, totp.remove, recovery_codes.generate):
        assert refused("fresh_proof_required", guest.do, action).methods == ("email", "totp")
    guest.do(step_up.step_up)
    guest.do(email_code.send, attempt=guest.client.attempt)
    assert guest.do(email_code.sign_in, code=house.mail.code()).identity is not None
    assert guest.do(totp.begin).secret


def test_a_recovery_code_and_the_mailbox_replace_it_at_once(house: House) -> None:
    owner, _ = owner_with_totp(house)
    codes = ten_codes(owner)
    guest, answer = proving(house)
    assert answer.hold == WAIT
    assert guest.do(recovery_codes.sign_in, code=codes[0]).hold == ENROLL
    assert enrolled(guest).identity is not None
    assert kinds(house) == ["password", "recovery_code", "totp"]
    assert guest.do(recovery_codes.count).count == 9
    refused("not_signed_in", owner.do, sessions.session)


def test_codes_that_are_lost_too_are_good_no_more(house: House) -> None:
    owner, _ = owner_with_totp(house)
    codes = ten_codes(owner)
    waiting(house)
    house.clock.forward(hours=72)
    guest, _ = proving(house)
    enrolled(guest)
    assert guest.do(recovery_codes.count).count == 0
    other = house.browser()
    second_step(house, other)
    refused("wrong_method", other.do, recovery_codes.sign_in, code=codes[0])


def test_without_a_password_two_ways_are_the_mailbox_and_a_code(house: House) -> None:
    """The mailbox stands in for the password, and counts once."""
    owner, _ = owner_with_totp(house)
    codes = ten_codes(owner)

    def begun() -> Guest:
        guest = house.browser("192.0.2.44")
        guest.do(email_code.send, identifier=ANN)
        guest.do(email_code.sign_in, code=house.mail.code())
        guest.do(recovery.send)
        return guest

    guest = begun()
    assert guest.do(recovery.prove_mailbox, code=house.mail.code()).hold == Prove(("recovery_code",))
    refused("wrong_method", guest.do, recovery.begin_wait)
    assert guest.do(recovery_codes.sign_in, code=codes[0]).hold == ENROLL
    assert enrolled(guest).identity.amr == ("email", "recovery", "otp")


# Where it is no way


def test_strict_leaves_it_to_administrators_and_codes(open_house: Callable[..., House]) -> None:
    house = open_house(policy="strict")
    owner, _ = owner_with_totp(house)
    codes = ten_codes(owner)
    guest, answer = proving(house)
    assert answer.hold == Prove(("recovery_code",))
    refused("wrong_method", guest.do, recovery.begin_wait)
    assert guest.do(recovery_codes.sign_in, code=codes[0]).hold == ENROLL


def test_who_lacks_no_second_factor_can_not_begin(house: House) -> None:
    signed_up(house)
    guest = house.browser()
    refused("no_sign_in_under_way", guest.do, recovery.send)
    signed_in(guest)
    refused("no_sign_in_under_way", guest.do, recovery.send)
    guest.do(email_code.send, identifier=ANN)
    refused("wrong_method", guest.do, recovery.send)  # nothing is proved yet
    owner, _ = signed_up(house, "bob@example.com"), None
    owner.do(change_email.add, email="bob@new.example")
    refused("no_sign_in_under_way", owner.do, recovery.send)


def test_an_attempt_moves_in_its_own_browser_only(house: House) -> None:
    owner_with_totp(house)
    guest = asking(house)
    code = house.mail.code()
    stranger = house.browser("203.0.113.5")
    attempt = guest.client.attempt
    refused("no_sign_in_under_way", stranger.do, recovery.prove_mailbox, code=code, attempt=attempt)
    refused("no_sign_in_under_way", stranger.do, recovery.begin_wait, attempt=attempt)


def test_a_code_of_a_recovery_is_good_for_nothing_else(house: House) -> None:
    owner_with_totp(house)
    guest = asking(house)
    code = house.mail.code()
    refused("no_sign_in_under_way", guest.do, email_code.sign_in, code=code)
    refused("no_sign_in_under_way", guest.do, reset_password.reset, code=code, new_password=NEW)
    assert guest.do(recovery.prove_mailbox, code=code).hold == WAIT
    refused("wrong_code", guest.do, recovery.prove_mailbox, code=code)


def test_who_lost_it_to_guessing_recovers_as_well(house: House) -> None:
    owner_with_totp(house)

    async def disabled(call: Call) -> None:
        await call.store.change(Authenticator, {"kind": "totp"}, disabled_at=call.now)

    house.run(disabled)
    waiting(house)
    house.clock.forward(hours=72)
    guest, _ = proving(house)
    assert enrolled(guest).identity is not None
    assert all(row.disabled_at is None for row in rows(house, Authenticator))  # type: ignore[attr-defined]


def test_what_is_kept_is_exported_and_goes_with_the_user(house: House) -> None:
    owner, _ = owner_with_totp(house)
    waiting(house)
    (row,) = owner.do(account.export).records["recovery_wait"]
    assert (row["ip"], "auth_epoch" in row) == ("192.0.2.9", False)
    sweeps = {(sweep.record, sweep.column) for sweep in house.doorward.sweeps}
    assert (RecoveryWait, "expires_at") in sweeps


def test_the_epoch_is_compared_when_it_ends(house: House) -> None:
    """The row of a wait that is moved to another epoch is worth nothing."""
    owner_with_totp(house)
    waiting(house)

    async def moved(call: Call) -> None:
        user = await find_user(call, ANN)
        assert user is not None
        kept = replace((await call.store.find(RecoveryWait))[0], auth_epoch="another")
        assert kept.auth_epoch != (await account_of(call, user)).auth_epoch
        await call.store.change(RecoveryWait, {"user_id": user.id}, auth_epoch="another")

    house.run(moved)
    house.clock.forward(hours=72)
    _, answer = proving(house)
    assert answer.hold == WAIT
