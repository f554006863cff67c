"""Somebody who knows the password and reads the mailbox, and how they try to get in without the second factor."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.action import Action
from doorward.core.refusals import Refused
from doorward.core.sign_in import Stepped
from doorward.features import (
    account,
    change_email,
    email_code,
    forward_auth,
    invitations,
    magic_link,
    notices,
    passkeys,
    password,
    recovery_codes,
    refresh_tokens,
    reset_password,
    sessions,
    sign_up,
    sms_code,
    totp,
    verify_email,
)
from doorward.testing import SoftAuthenticator
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, code_of, recovery, signed_in, signed_up, with_totp
from tests.security.thieves import ANN, is_in

BOB = "bob@example.com"
NEW = "a heron stood by the weir"


class BreakIn:  # it is read as two words
    """Ann has an app and codes on paper. The thief knows her password, reads her mail, and has an account of his own
    with an app. `pending` is a sign-in as Ann that waits for the second step."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.owner = signed_up(house)
        self.secret = with_totp(self.owner)
        recovery(self.owner)
        self.own = signed_up(house, BOB)
        self.own_secret = with_totp(self.own)
        self.own_codes = recovery(self.own)
        house.clock.forward(minutes=1)

    def thief(self) -> Guest:
        return self.house.browser("203.0.113.66")

    def pending(self) -> Guest:
        guest = self.thief()
        assert signed_in(guest).hold is not None
        return guest

    def own_code(self) -> str:
        self.house.clock.forward(seconds=30)
        return code_of(self.house, self.own_secret)


def by_password(it: BreakIn) -> Guest:
    thief = it.thief()
    for remember in (False, True):
        for issue in ("session", "tokens"):
            holds(thief, password.sign_in, identifier=ANN, password=PASSWORD, remember=remember, issue=issue)
    return thief


def by_reset(it: BreakIn) -> Guest:
    by_code, by_link = it.thief(), it.thief()
    by_code.do(reset_password.forgot, email=ANN)
    holds(by_code, reset_password.reset, code=it.house.mail.code(), new_password=NEW)
    by_link.do(reset_password.forgot, email=ANN)
    holds(by_link, reset_password.reset, token=it.house.mail.token(), new_password=NEW)
    assert not is_in(by_code)
    return by_link


def by_email_code(it: BreakIn) -> Guest:
    thief = it.thief()
    thief.do(email_code.send, identifier=ANN)
    holds(thief, email_code.sign_in, code=it.house.mail.code(), trust_device=True)
    holds(thief, password.sign_in, password=PASSWORD, attempt=thief.client.attempt)
    return thief


def by_magic_link(it: BreakIn) -> Guest:
    thief = it.thief()
    thief.do(magic_link.send, identifier=ANN)
    holds(thief, magic_link.sign_in, token=it.house.mail.token())
    holds(thief, password.sign_in, password=PASSWORD, attempt=thief.client.attempt)
    return thief


def by_passkey(it: BreakIn) -> Guest:
    """One of the thief's own, made for his account, in a sign-in as Ann; and one that nobody registered."""
    device, pending = SoftAuthenticator(), it.pending()
    begun = it.own.do(passkeys.register_begin)
    it.own.do(passkeys.register_finish, credential=device.register(begun.options))
    refuses(pending, passkeys.sign_in_begin, attempt=pending.client.attempt)
    begun = it.thief().do(passkeys.sign_in_begin)
    credential = device.authenticate(begun.options)
    refuses(pending, passkeys.sign_in_finish, credential=credential)
    refuses(pending, passkeys.register_begin)
    return pending


def by_app(it: BreakIn) -> Guest:
    pending = it.pending()
    refuses(pending, totp.sign_in, code=it.own_code())
    refuses(pending, totp.begin)
    refuses(pending, totp.confirm, code=it.own_code())
    return pending


def by_text_message(it: BreakIn) -> Guest:
    pending = it.pending()
    refuses(pending, sms_code.send)
    refuses(pending, sms_code.sign_in, code="123456")
    return pending


def by_recovery_code(it: BreakIn) -> Guest:
    pending = it.pending()
    refuses(pending, recovery_codes.sign_in, code=it.own_codes[0])
    return pending


def by_signing_up_again(it: BreakIn) -> Guest:
    """For her address; and a sign-up of his own whose proof is mixed into a sign-in as Ann."""
    thief, pending = it.thief(), it.pending()
    thief.do(sign_up.sign_up, email=ANN, password=NEW)
    refuses(thief, verify_email.verify, code="123456")
    refuses(thief, verify_email.verify, token="x" * 43)
    for action, given in (
        (sign_up.choose_password, {"new_password": NEW}),
        (sign_up.choose_username, {"username": "annie"}),
        (verify_email.resend, {}),
    ):
        refuses(pending, action, **given)
    return thief


def by_refreshing(it: BreakIn) -> Guest:
    program = it.house.program("203.0.113.66")
    held = signed_in(program, issue="tokens")
    refuses(program, refresh_tokens.refresh, refresh_token=held.attempt)
    own = signed_in(it.house.program(), BOB, issue="tokens")
    refuses(program, refresh_tokens.refresh, refresh_token=own.attempt)
    program.bearer = held.attempt
    refuses(program, sessions.session)
    program.bearer = ""
    return program


def by_keeping_the_account(it: BreakIn) -> Guest:
    """She has closed it: the letter's link keeps it, and neither that nor saying so signs anybody in."""
    it.owner.do(account.close, password=PASSWORD)
    token = it.house.mail.token()
    thief = it.pending()
    refuses(thief, account.keep_account)
    thief.do(account.undo, token=token)
    refuses(thief, account.keep_account)
    return thief


def by_undoing(it: BreakIn) -> Guest:
    it.owner.do(change_email.add, email="second@example.com")
    thief = it.thief()
    refuses(thief, change_email.undo, token="x" * 43)
    return thief


def by_not_me(it: BreakIn) -> Guest:
    thief = it.thief()
    letter = next(one for one in reversed(it.house.mail.letters) if one.words.get("not_me_link"))
    thief.do(notices.not_me, token=letter.words["not_me_link"].partition("token=")[2])
    return thief


def by_invitation(it: BreakIn) -> Guest:
    thief = it.pending()
    refuses(thief, invitations.accept, token="x" * 43)
    return thief


def by_a_proxy(it: BreakIn) -> Guest:
    thief = it.pending()
    refuses(thief, forward_auth.verify)
    refuses(thief, forward_auth.arrive, code="x" * 43)
    return thief


def by_saying_that_all_is_lost(it: BreakIn) -> Guest:
    """Asks for a way back in at once: the mailbox is no second factor, and a wait lets nobody in now."""
    pending = it.pending()
    actions = it.house.doorward.actions
    for name in ("sign_in.recovery.send", "sign_in.recovery", "sign_in.recovery.wait", "recovery.assisted"):
        known = {"code": "123456", "token": "x" * 43, "new_password": NEW}
        given = {a.name: known[a.name] for a in actions[name].arguments if a.name in known}
        try:
            answer = pending.do(actions[name], **given)
        except Refused:
            continue
        assert getattr(answer, "identity", None) is None
        assert getattr(answer, "tokens", None) is None
    refuses(pending, actions["recovery.cancel"], token="x" * 43)
    return pending


def holds(guest: Guest, action: Action[..., Any], **given: Any) -> None:
    """The sign-in does not end: something is asked for that the thief has not."""
    answer = guest.do(action, **given)
    assert isinstance(answer, Stepped)
    assert answer.hold is not None
    assert answer.tokens is None


def refuses(guest: Guest, action: Action[..., Any], **given: Any) -> None:
    with pytest.raises(Refused):
        guest.do(action, **given)
