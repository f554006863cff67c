"""Attacks on invitations: more than one may give, somebody else's account, address, token or list, forty at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from doorward.core.records import Account, User
from doorward.core.refusals import Refused
from doorward.core.rights import revoke
from doorward.features import account, invitations, magic_link, password, reset_password, sessions, sign_up
from doorward.features import verify_email as verify
from doorward.features.invitations import (
    Invitation,
    InvitationAccepted,
    load_link,
)
from doorward.features.roles import add_role, permit, remove_role
from doorward.features.sign_up import PendingSignUp
from doorward.server import people
from doorward.testing.doubles import House
from tests.features.inviting import ANN, BOB, CHOSEN, EVE, came_in, changed, held_by, invited, inviter, rows
from tests.features.people import PASSWORD, at_once, refused, signed_in, signed_up


async def disable(call: Any) -> None:
    await people.set_active(call, ANN, active=False)


async def lose_the_role(call: Any) -> None:
    await revoke(call, await people.find(call, ANN), "host-ann", by=None)


ENDS: dict[str, Callable[[Any], Any]] = {
    "who invited is disabled": disable,
    "is erased": lambda call: people.erase(call, ANN),
    "may not invite any more": lambda call: permit(call, "host-ann", fewer=["doorward.invite"]),
    "lacks what the role permits": lambda call: permit(call, "host-ann", fewer=["posts.write"]),
    "has lost the role": lose_the_role,
    "the role permits more now": lambda call: permit(call, "editor", more=["posts.delete"]),
    "the role is gone": lambda call: remove_role(call, "editor"),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_invitation_is_worth_what_who_sent_it_may_do_now(house: House, end: str) -> None:
    """AUTHZ-10: nobody keeps a way in for the day they lose their own."""
    house.run(add_role, "editor", ["posts.write"])
    token = invited(house, inviter(house, ANN, "posts.write"), role="editor")
    early = house.browser()
    early.do(invitations.accept, token=token)
    house.run(ENDS[end])
    refused("invalid_token", house.browser().do, invitations.accept, token=token)
    refused("invalid_token", house.browser().run, load_link, {"token": token})
    refused("invalid_token", early.do, sign_up.choose_password, new_password=CHOSEN)
    refused("not_found", house.run, held_by, BOB)


def test_who_closes_their_account_invites_nobody_until_they_keep_it(house: House) -> None:
    ann = inviter(house)
    token = invited(house, ann)
    early = house.browser()
    early.do(invitations.accept, token=token)
    ann.do(account.close)
    keep = house.mail.token()
    refused("invalid_token", early.do, sign_up.choose_password, new_password=CHOSEN)
    house.browser().do(account.undo, token=keep)
    # What was refused has changed nothing: the same form can be sent again.
    assert early.do(sign_up.choose_password, new_password=CHOSEN).identity is not None


def test_the_second_of_two_who_accepted_comes_too_late(house: House) -> None:
    token = invited(house, inviter(house))
    second = house.browser("198.51.100.8")
    second.do(invitations.accept, token=token)
    came_in(house, token)
    with pytest.raises(Refused):
        second.do(sign_up.choose_password, new_password="a thief of green herons")
    refused("not_signed_in", second.do, sessions.session)
    assert signed_in(house.browser(), BOB, CHOSEN).identity is not None


def test_an_account_is_not_opened_by_an_invitation(house: House) -> None:
    """AUTHZ-03: who can only read the mail of somebody who has an account gets nothing of it."""
    house.run(add_role, "reader")
    ann, bob = inviter(house), signed_up(house, BOB)
    eve = signed_up(house, EVE)
    token = invited(house, ann, role="reader")
    for who, reason in ((house.browser(), "not_signed_in"), (eve, "not_permitted")):
        refused(reason, who.do, invitations.accept, token=token)
        assert who.run(load_link, {"token": token})["signs_in_first"] is True
    assert (rows(house, User), rows(house, PendingSignUp), house.run(held_by, BOB)) == (3, 0, ())
    assert bob.run(load_link, {"token": token})["joins"] is True
    bob.do(invitations.accept, token=token)
    assert house.run(held_by, BOB) == ("reader",)
    assert house.run(held_by, EVE) == ()
    refused("invalid_token", bob.do, invitations.accept, token=token)
    assert signed_in(house.browser(), BOB).identity is not None, "the password is what it was"


def test_who_signs_up_meanwhile_is_not_pushed_out(house: House) -> None:
    token = invited(house, inviter(house))
    late = house.browser("198.51.100.8")
    late.do(invitations.accept, token=token)
    signed_up(house, BOB)
    refused("wrong_method", late.do, sign_up.choose_password, new_password=CHOSEN)
    assert signed_in(house.browser(), BOB).identity is not None


def test_who_proves_the_address_while_the_password_is_chosen_keeps_it(house: House) -> None:
    token = invited(house, inviter(house))
    late = house.browser("198.51.100.8")
    late.do(invitations.accept, token=token)
    house.run(lambda call: people.add(call, email=BOB, password=PASSWORD))
    refused("state_changed", late.do, sign_up.choose_password, new_password=CHOSEN)
    assert rows(house, Invitation) == 1, "nothing of it was kept"
    assert signed_in(house.browser(), BOB).identity is not None


def test_an_address_with_an_account_gets_the_same_answer_and_costs_the_same(house: House) -> None:
    """ENUM-06: who may invite learns of nobody's account."""
    ann = inviter(house)
    signed_up(house, BOB)
    seen = []
    for email in (BOB, EVE):
        before = changed(house)
        answer = ann.do(invitations.create, email=email)
        seen.append([b - a for a, b in zip(before, changed(house), strict=True)])
        assert (answer.address, answer.role) == (email, "")
        assert house.mail.last.template == "invitation"
    assert seen == [[0, 1, 0, 1]] * 2
    assert {row.address for row in ann.do(invitations.list_invitations).items} == {BOB, EVE}


def test_tokens_of_other_letters_open_nothing_and_this_one_opens_nothing_else(house: House) -> None:
    """RESET-08: a token is typed by its purpose."""
    ann = inviter(house)
    others = []
    house.browser().do(sign_up.sign_up, email=EVE, password=PASSWORD)
    others.append(house.mail.token())
    house.browser().do(reset_password.forgot, email=ANN)
    others.append(house.mail.token())
    house.browser().do(magic_link.send, identifier=ANN)
    others.append(house.mail.token())
    for token in (*others, "x", "x" * 512, "A" * 43):
        refused("invalid_token", house.browser().do, invitations.accept, token=token)
    token = invited(house, ann)
    refused("invalid_token", house.browser().do, verify.verify, token=token)
    refused("invalid_token", house.browser().do, reset_password.reset, token=token, new_password=CHOSEN)
    refused("invalid_token", house.browser().do, magic_link.sign_in, token=token)
    refused("invalid_token", house.browser().do, account.undo, token=token)
    came_in(house, token)


def test_what_a_sign_up_proved_in_another_way_is_no_invitation(open_house: Callable[..., House]) -> None:
    """Who asks for an account of an invited address gets it without the role."""
    house = open_house()
    house.run(add_role, "reader")
    invited(house, inviter(house), role="reader")
    signed_up(house, BOB)
    assert house.run(held_by, BOB) == ()


def test_nobody_sees_or_revokes_the_invitation_of_somebody_else(house: House) -> None:
    """AUTHZ-12."""
    ann, eve = inviter(house), inviter(house, EVE)
    mine = ann.do(invitations.create, email=BOB).id
    assert eve.do(invitations.list_invitations).items == ()
    refused("not_found", eve.do, invitations.revoke, id=mine)
    assert [one.id for one in ann.do(invitations.list_invitations).items] == [mine]


def test_the_letter_carries_nothing_that_its_sender_made_up(house: House) -> None:
    ann = inviter(house)
    invited(house, ann, name="Visit evil.example now")
    words = house.mail.last.words
    assert (house.mail.last.to, words["name"], words["inviter"]) == (BOB, "", ANN)
    assert "evil" not in str(words)


def test_letters_have_a_budget_by_who_sends_and_by_who_gets_them(open_house: Callable[..., House]) -> None:
    house = open_house(policy={"invitations_per_day": 3, "letters_per_day": 2})
    ann, eve = inviter(house), inviter(house, EVE)
    for who in (ann, eve):
        who.do(invitations.create, email=BOB)
    assert refused("too_many_attempts", ann.do, invitations.create, email="Bob@EXAMPLE.com").retry_after
    ann.do(invitations.create, email="c@example.com")
    before = len(house.mail.letters)
    refused("too_many_attempts", ann.do, invitations.create, email="d@example.com")
    assert len(house.mail.letters) == before
    eve.do(invitations.create, email="d@example.com")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": ["b@example.com"]}, "email"),
        ({"email": "x" * 250 + "@example.com"}, "email"),
        ({"email": BOB, "name": "a\r\nBcc: all"}, "name"),
        ({"email": BOB, "name": "x" * 151}, "name"),
        ({"email": BOB, "role": "x" * 151}, "role"),
        ({"email": BOB, "role": 7}, "role"),
        ({"email": BOB, "role": ""}, "role"),
        ({"email": BOB, "user_id": "x"}, "user_id"),
        ({"email": BOB, "expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
        ({}, "email"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(house: House, arguments: Any, field: str) -> None:
    """AUTHZ-01."""
    ann = inviter(house)
    before = changed(house)
    assert refused("invalid_input", ann.do, invitations.create, **arguments).errors[0].field == field
    assert changed(house) == before


@pytest.mark.parametrize(
    "arguments",
    [{}, {"token": ""}, {"token": "x" * 513}, {"token": 7}, {"token": "é"}, {"token": "x", "role": "admin"}],
)
def test_a_strange_token_is_refused(house: House, arguments: Any) -> None:
    refused("invalid_input", house.browser().do, invitations.accept, **arguments)


def test_of_forty_who_accept_at_once_one_comes_in(shared_house: House) -> None:
    house = shared_house
    house.run(add_role, "reader")
    token = invited(house, inviter(house), role="reader")
    browsers = [house.browser(f"198.51.100.{number}") for number in range(40)]
    assert set(at_once(*[lambda b=b: b.do(invitations.accept, token=token) for b in browsers])) == {"done"}
    outcomes = at_once(*[lambda b=b: b.do(sign_up.choose_password, new_password=CHOSEN) for b in browsers])
    assert outcomes.count("done") == 1, outcomes
    assert (rows(house, User), rows(house, Account), rows(house, Invitation)) == (2, 2, 0)
    assert house.run(held_by, BOB) == ("reader",)


def test_accepted_forty_times_at_once_by_who_has_an_account_it_counts_once(shared_house: House) -> None:
    house = shared_house
    house.run(add_role, "reader")
    bob = signed_up(house, BOB)
    token = invited(house, inviter(house), role="reader")
    told: list[InvitationAccepted] = []
    house.doorward.on(InvitationAccepted)(told.append)
    outcomes = at_once(*[lambda: bob.do(invitations.accept, token=token)] * 40)
    assert (outcomes.count("done"), outcomes.count("invalid_token")) == (1, 39), outcomes
    assert (house.run(held_by, BOB), len(told)) == (("reader",), 1)


def test_revoked_and_accepted_at_once_one_of_the_two_happens(shared_house: House) -> None:
    house = shared_house
    ann = inviter(house)
    made = ann.do(invitations.create, email=BOB)
    bob = house.browser()
    bob.do(invitations.accept, token=house.mail.token())
    outcomes = at_once(
        lambda: ann.do(invitations.revoke, id=made.id),
        lambda: bob.do(sign_up.choose_password, new_password=CHOSEN),
    )
    assert sorted(outcomes) in (["done", "invalid_token"], ["done", "not_found"])
    assert rows(house, User) == (2 if outcomes[1] == "done" else 1)


def test_the_password_of_an_invitation_is_not_that_of_another_attempt(house: House) -> None:
    """Nobody chooses for whoever accepted: an attempt is its browser's."""
    token = invited(house, inviter(house))
    attempt = house.browser().do(invitations.accept, token=token).attempt
    refused(
        "no_sign_in_under_way",
        house.browser("203.0.113.66").do,
        sign_up.choose_password,
        new_password=CHOSEN,
        attempt=attempt,
    )
    refused("no_sign_in_under_way", house.browser().do, password.sign_in, identifier=BOB, password=CHOSEN, attempt="x")
