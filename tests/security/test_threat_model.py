"""What each thing that can be stolen from people gives: one part for each row of docs/security/threat-model.md."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.action import Action, Needs
from doorward.core.records import Authenticator, User
from doorward.core.steps import Prove
from doorward.features import (
    change_email,
    password,
    refresh_tokens,
    reset_password,
    sessions,
    sign_out,
    sign_up,
    step_up,
    totp,
    verify_email,
)
from doorward.features.password import change
from doorward.testing.doubles import House
from tests.features.addresses import NEW, added, letters, shown, undo_of
from tests.features.people import PASSWORD, code_of, refused, signed_in, signed_up, with_totp
from tests.security.thieves import ANN, is_in, sessions_of, thief_with, tokens_of

# A stolen session cookie


def test_a_stolen_session_reads_and_can_bind_or_remove_nothing(house: House) -> None:
    owner = signed_up(house)
    secret = with_totp(owner)
    house.clock.forward(minutes=11)
    thief = thief_with(house, session=owner.session)
    assert is_in(thief)
    for action in house.doorward.actions.values():
        if action.needs is Needs.FRESH:
            reason = "not_permitted" if action.permission else "fresh_proof_required"
            refused(reason, thief.do, action, **_placeholders(action))
    for bind in (totp.begin, totp.confirm):
        arguments = {"code": code_of(house, secret)} if bind is totp.confirm else {}
        refused("fresh_proof_required", thief.do, bind, **arguments)
    refused("fresh_proof_required", thief.do, password.change, current_password=PASSWORD, new_password="x" * 20)


def test_a_session_stolen_while_it_is_fresh_can_bind_and_the_owner_is_told(house: House) -> None:
    owner = signed_up(house)
    thief = thief_with(house, session=owner.session)
    begun = thief.do(totp.begin)
    thief.do(totp.confirm, code=code_of(house, base64.b32decode(begun.secret)))
    assert house.mail.to(ANN)[-1] == "authenticator_added"
    # The session rose, so its secret rotated: the owner is out, and that shows.
    assert not is_in(owner)


def test_a_session_stolen_while_it_is_fresh_can_add_an_address_and_the_owner_takes_it_back(house: House) -> None:
    """Moved to a thief's address, the account is the owner's again by one link in the first letter."""
    owner = signed_up(house)
    thief = added(thief_with(house, session=owner.session), "thief@evil.example")
    thief.do(change_email.make_primary, email="thief@evil.example")
    thief.do(change_email.remove, email=ANN)
    assert house.mail.to(ANN)[-3:] == ["address_added", "address_made_primary", "address_removed"]
    held = owner.do(change_email.undo, token=undo_of(letters(house, ANN, "address_added")[0]))
    assert (held.hold, is_in(thief), is_in(owner)) == (Prove(("password",)), False, False)
    signed_in(owner)
    assert shown(owner) == [(ANN, True, True)]


def test_a_stolen_undo_link_opens_nothing(house: House) -> None:
    owner = added(signed_up(house))
    owner.do(change_email.make_primary, email=NEW)
    thief = thief_with(house)
    held = thief.do(change_email.undo, token=undo_of(letters(house, ANN, "address_made_primary")[0]))
    assert held.hold == Prove(("password",))
    assert not is_in(thief)
    refused("wrong_credentials", thief.do, password.sign_in, password="wrong password", attempt=held.attempt)


def test_the_owners_step_up_takes_the_stolen_secret_away(house: House) -> None:
    owner = signed_up(house)
    thief = thief_with(house, session=owner.session)
    house.clock.forward(minutes=11)
    held = owner.do(step_up.step_up)
    owner.do(password.sign_in, password=PASSWORD, attempt=held.attempt)
    assert is_in(owner)
    assert not is_in(thief)


@pytest.mark.parametrize("end", ["password", "everywhere", "others"])
def test_the_owner_can_end_a_stolen_session_from_elsewhere(house: House, end: str) -> None:
    stolen = signed_up(house).session
    owner = house.browser()
    signed_in(owner)
    if end == "password":
        owner.do(password.change, current_password=PASSWORD, new_password="twelve green bottles hang")
    elif end == "everywhere":
        owner.do(sign_out.sign_out, all=True)
    else:
        owner.do(sessions.end, others=True)
    assert not is_in(thief_with(house, session=stolen))


def test_a_chosen_secret_is_never_adopted(house: House) -> None:
    signed_up(house)
    victim = house.browser()
    victim.session = "a-secret-that-an-attacker-planted-in-this-browser"
    signed_in(victim)
    assert victim.session != "a-secret-that-an-attacker-planted-in-this-browser"
    assert not is_in(thief_with(house, session="a-secret-that-an-attacker-planted-in-this-browser"))


def test_a_stolen_known_device_cookie_opens_nothing(house: House) -> None:
    owner = signed_up(house)
    thief = house.browser(ip="203.0.113.66")
    thief.client = replace(thief.client, known_device=owner.client.known_device)
    assert not is_in(thief)
    refused("wrong_credentials", signed_in, thief, ANN, "not the password")


def test_a_stolen_attempt_opens_nothing(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    program = house.program()
    held = signed_in(program)
    assert isinstance(held.hold, Prove)
    assert not is_in(thief_with(house, session=held.attempt))
    for action in house.doorward.actions.values():
        if action.needs is not Needs.NOTHING:
            refused("not_signed_in", program.do, action, **_placeholders(action))


def _placeholders(action: Action[..., Any]) -> dict[str, Any]:
    text = "plenty-of-words-here"
    return {a.name: ["word"] if a.kind is tuple else text for a in action.arguments if a.required}


# A stolen access token, a stolen refresh token


def test_a_stolen_access_token_lasts_five_minutes_and_not_beyond_its_session(house: House) -> None:
    signed_up(house)
    token = tokens_of(house)["access_token"]
    thief = thief_with(house, bearer=token)
    assert is_in(thief)
    house.clock.forward(minutes=6)
    assert not is_in(thief)
    again = thief_with(house, bearer=tokens_of(house)["access_token"])
    owner = house.browser()
    signed_in(owner)
    owner.do(sign_out.sign_out, all=True)
    assert not is_in(again)


@pytest.mark.parametrize("first", ["thief", "owner"])
def test_a_stolen_refresh_token_ends_itself(house: House, first: str) -> None:
    signed_up(house)
    stolen = tokens_of(house)["refresh_token"]
    thief, owner = thief_with(house), house.program()
    ones = (thief, owner) if first == "thief" else (owner, thief)
    given = ones[0].do(refresh_tokens.refresh, refresh_token=stolen)
    house.clock.forward(minutes=2)
    refused("refresh_refused", ones[1].do, refresh_tokens.refresh, refresh_token=stolen)
    refused("refresh_refused", ones[0].do, refresh_tokens.refresh, refresh_token=given["refresh_token"])
    assert not is_in(thief_with(house, bearer=given["access_token"]))
    assert house.mail.to(ANN)[-1] == "refresh_token_reused"


def test_within_the_grace_a_thief_gets_the_same_successor_and_the_next_use_ends_it(house: House) -> None:
    signed_up(house)
    stolen = tokens_of(house)["refresh_token"]
    owner, thief = house.program(), thief_with(house)
    of_owner = owner.do(refresh_tokens.refresh, refresh_token=stolen)["refresh_token"]
    of_thief = thief.do(refresh_tokens.refresh, refresh_token=stolen)["refresh_token"]
    assert of_owner == of_thief
    owner.do(refresh_tokens.refresh, refresh_token=of_owner)
    house.clock.forward(minutes=2)
    refused("refresh_refused", thief.do, refresh_tokens.refresh, refresh_token=of_thief)


def test_a_refresh_token_proves_nothing_afresh(house: House) -> None:
    signed_up(house)
    stolen = tokens_of(house)["refresh_token"]
    house.clock.forward(minutes=11)
    token = thief_with(house).do(refresh_tokens.refresh, refresh_token=stolen)["access_token"]
    refused("fresh_proof_required", thief_with(house, bearer=token).do, totp.begin)


# A mailbox that somebody else reads


def test_a_letter_of_a_sign_up_opens_no_account_that_there_is(house: House) -> None:
    signed_up(house)
    thief = house.browser(ip="203.0.113.66")
    thief.do(sign_up.sign_up, email=ANN, password="a password of the thief's")
    letter = house.mail.last
    assert (letter.to, letter.template) == (ANN, "address_taken")
    assert not {"code", "link"} & letter.words.keys()
    refused("wrong_credentials", signed_in, thief, ANN, "a password of the thief's")


def test_a_mailbox_gives_an_account_without_a_second_factor_and_its_owner_is_told(house: House) -> None:
    owner = signed_up(house)
    thief = house.browser(ip="203.0.113.66")
    thief.do(reset_password.forgot, email=ANN)
    thief.do(reset_password.reset, code=house.mail.code(), new_password="a password of the thief's")
    assert is_in(thief)
    assert house.mail.to(ANN)[-1] == "password_reset"
    assert not is_in(owner)
    # Nor does it bind anything: that asks for the new password as well.
    refused("fresh_proof_required", thief.do, totp.begin)


def test_a_mailbox_stops_at_the_second_factor(house: House) -> None:
    owner = signed_up(house)
    secret = with_totp(owner)
    thief = house.browser(ip="203.0.113.66")
    thief.do(reset_password.forgot, email=ANN)
    held = thief.do(reset_password.reset, token=house.mail.token(), new_password="a password of the thief's")
    assert held.hold == Prove(("totp",))
    assert not is_in(thief)
    assert signed_in(thief, password_="a password of the thief's").hold == Prove(("totp",))
    refused("wrong_method", thief.do, totp.begin)
    house.browser().do(reset_password.forgot, email=ANN)
    back = house.browser()
    back.do(reset_password.reset, token=house.mail.token(), new_password=PASSWORD)
    assert back.do(totp.sign_in, code=code_of(house, secret)).identity is not None


def test_a_mailbox_can_make_an_account_where_there_is_none(house: House) -> None:
    house.browser().do(sign_up.sign_up, email=ANN, password=PASSWORD)
    thief = house.browser(ip="203.0.113.66")
    held = thief.do(verify_email.verify, token=house.mail.token())
    thief.do(sign_up.choose_password, new_password="a password of the thief's", attempt=held.attempt)
    assert is_in(thief)
    refused("wrong_credentials", signed_in, house.browser(), ANN, PASSWORD)


def test_mail_is_never_a_second_factor(house: House) -> None:
    owner = signed_up(house)
    assert sessions_of(owner)[0].aal == 1
    assert set(sessions_of(owner)[0].amr) == {"pwd", "email"}


# A password that the owner has just changed


@pytest.mark.parametrize("column", [True, False], ids=["hash in the user's row", "hash in the authenticator"])
def test_a_sign_in_whose_hash_is_under_way_does_not_survive_a_change(
    house: House, column: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, thief = signed_up(house), house.browser(ip="203.0.113.66")
    if not column:
        house.run(_move_hash)
        signed_in(owner)
    verify, changes = house.hash.verify, ["a heron stood by the weir"]

    async def verify_slowly(*, password: str, hash: str) -> bool:
        right = await verify(password=password, hash=hash)
        if changes:
            owner.do(change, current_password=PASSWORD, new_password=changes.pop())
        return right

    monkeypatch.setattr(house.hash, "verify", verify_slowly)
    refused("attempt_expired", signed_in, thief)
    assert not is_in(thief)
    assert is_in(owner)


async def _move_hash(call: Any) -> None:
    """As in a host whose table has no column for it."""
    (user,) = await call.store.find(User)
    await call.store.change(Authenticator, {"kind": "password"}, data=user.password)
    await call.store.change(User, {"id": user.id}, password=None)
