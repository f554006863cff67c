"""Invitations: who may sends them, and who holds one comes in, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from doorward.core.records import EmailAddress, User
from doorward.core.steps import Enroll
from doorward.features import account, invitations, sessions, sign_up
from doorward.features.invitations import (
    Invitation,
    InvitationAccepted,
    InvitationRevoked,
    InvitationSent,
    load_link,
    load_list,
    load_roles,
)
from doorward.features.roles import add_role
from doorward.features.sign_up import PendingSignUp
from doorward.testing.doubles import House
from tests.features.inviting import ANN, BOB, CHOSEN, EVE, came_in, changed, held_by, invited, inviter, rows
from tests.features.people import refused, signed_in, signed_up

OPEN: Any = {"open": {}, "domains": {"sign_up": "domains", "sign_up_domains": "corp.example"}}
MODES: Any = {**OPEN, "invitation": {"sign_up": "invitation"}, "closed": {"sign_up": "closed"}}


@pytest.mark.parametrize("mode", MODES)
def test_who_is_invited_comes_in_whatever_the_mode(open_house: Callable[..., House], mode: str) -> None:
    house = open_house(**MODES[mode])
    token = invited(house, inviter(house), "Bob@Example.com", name="Bob")
    bob = came_in(house, token)
    user = bob.do(sessions.session).identity.user
    assert (user.email, user.name) == ("Bob@Example.com", "Bob")
    assert rows(house, EmailAddress, verified_key=BOB) == 1
    assert rows(house, Invitation) + rows(house, PendingSignUp) == 0
    assert signed_in(house.browser(), BOB, CHOSEN).identity is not None


@pytest.mark.parametrize("mode", ["invitation", "closed"])
def test_a_stranger_does_not_sign_up_also_by_an_invited_address(open_house: Callable[..., House], mode: str) -> None:
    house = open_house(**MODES[mode])
    invited(house, inviter(house))
    before = changed(house)
    details = {
        refused("sign_up_closed", house.browser().do, sign_up.sign_up, email=email, password=CHOSEN).detail
        for email in (BOB, EVE, ANN)
    }
    assert len(details) == 1
    assert changed(house) == before


def test_a_role_comes_with_it_and_everybody_who_listens_is_told(house: House) -> None:
    ann = inviter(house, ANN, "posts.write")
    house.run(add_role, "editor", ["posts.write"])
    told: list[Any] = []
    for kind in (InvitationSent, InvitationRevoked, InvitationAccepted):
        house.doorward.on(kind)(told.append)
    bob = came_in(house, invited(house, ann, role="editor"))
    assert house.run(held_by, BOB) == ("editor",)
    assert [type(event) for event in told] == [InvitationSent, InvitationAccepted]
    assert (told[1].role, told[1].by) == ("editor", ann.do(sessions.session).identity.user.id)
    assert told[1].user_id == bob.do(sessions.session).identity.user.id


def test_only_who_may_invites_and_only_freshly(house: House) -> None:
    ann, bob = inviter(house), signed_up(house, BOB)
    gone = ann.do(invitations.create, email=EVE).id
    for who, reason in ((bob, "not_permitted"), (house.browser(), "not_signed_in")):
        refused(reason, who.do, invitations.create, email=EVE)
        refused(reason, who.do, invitations.list_invitations)
        refused(reason, who.do, invitations.revoke, id=gone)
    house.clock.forward(minutes=11)
    before = len(house.mail.letters)
    refused("fresh_proof_required", ann.do, invitations.create, email=EVE)
    assert len(house.mail.letters) == before
    ann.do(invitations.revoke, id=gone)


def test_nobody_invites_to_a_role_with_a_permission_that_they_lack(house: House) -> None:
    ann = inviter(house, ANN, "posts.read")
    house.run(add_role, "reader", ["posts.read"])
    house.run(add_role, "editor", ["posts.read", "posts.write"])
    for role in ("admin", "editor"):
        refused("not_permitted", ann.do, invitations.create, email=BOB, role=role)
    refused("not_found", ann.do, invitations.create, email=BOB, role="nobody-made-it")
    assert changed(house)[1:] == [0, 0, 0]
    assert ann.run(load_roles, {}) == {"roles": ["host-ann", "reader"]}
    came_in(house, invited(house, ann, role="reader"))
    assert house.run(held_by, BOB) == ("reader",)


def test_the_page_says_who_invites_whom_and_changes_nothing(house: House) -> None:
    """RESET-17: mail scanners follow links."""
    token = invited(house, inviter(house))
    before = changed(house)
    for _ in range(3):
        page = house.browser().run(load_link, {"token": token})
    assert (page["inviter"], page["to"], page["signs_in_first"]) == (ANN, "b•••@example.com", False)
    assert house.browser().run(load_link, {}) == {"token": ""}
    assert changed(house) == before
    came_in(house, token)


def test_who_closes_the_page_opens_the_letter_again(house: House) -> None:
    token = invited(house, inviter(house))
    house.browser().do(invitations.accept, token=token)
    came_in(house, token)
    refused("invalid_token", house.browser().do, invitations.accept, token=token)


def test_an_expired_or_revoked_invitation_opens_nothing(house: House) -> None:
    """RESET-14: without a sweeper."""
    ann = inviter(house)
    token = invited(house, ann)
    house.clock.forward(days=7)
    refused("invalid_token", house.browser().do, invitations.accept, token=token)
    signed_in(ann, ANN)
    assert ann.do(invitations.list_invitations).items == ()
    token = invited(house, ann, EVE)
    early = house.browser()
    early.do(invitations.accept, token=token)
    (one,) = ann.do(invitations.list_invitations).items
    ann.do(invitations.revoke, id=one.id)
    refused("not_found", ann.do, invitations.revoke, id=one.id)
    refused("invalid_token", house.browser().do, invitations.accept, token=token)
    refused("invalid_token", early.do, sign_up.choose_password, new_password=CHOSEN)
    assert rows(house, User) == 1


def test_who_accepted_in_time_and_chooses_too_late_is_refused(open_house: Callable[..., House]) -> None:
    house = open_house()
    token = invited(house, inviter(house))
    house.clock.forward(days=6, hours=23, minutes=30)
    late = house.browser()
    late.do(invitations.accept, token=token)
    house.clock.forward(minutes=31)
    refused("wrong_method", late.do, sign_up.choose_password, new_password=CHOSEN)
    assert rows(house, User) == 1


def test_an_invitation_again_takes_the_place_of_the_one_before(house: House) -> None:
    ann, eve = inviter(house), inviter(house, EVE)
    first, other = invited(house, ann), invited(house, eve)
    again = invited(house, ann, "BOB@example.com")
    refused("invalid_token", house.browser().do, invitations.accept, token=first)
    assert house.browser().do(invitations.accept, token=other).hold == Enroll(("password", "passkey"))
    came_in(house, again)


def test_a_long_list_comes_in_pages_that_are_ones_own(house: House) -> None:
    ann, eve = inviter(house), inviter(house, EVE)
    for number in range(5):
        for who in (ann, eve):
            who.do(invitations.create, email=f"n{number}@example.com")
    seen, after = [], None
    while True:
        page = ann.do(invitations.list_invitations, limit=2, **({"after": after} if after else {}))
        seen += [one.address for one in page.items]
        if page.next is None:
            break
        after = page.next
        ann.do(invitations.revoke, id=page.items[-1].id)  # also where the row that ended the page is gone
    assert sorted(seen) == [f"n{number}@example.com" for number in range(5)]
    theirs = eve.do(invitations.list_invitations, limit=1).next
    assert theirs is not None
    changed_by_one = theirs[:-1] + ("A" if theirs[-1] != "A" else "B")
    for cursor in (theirs, changed_by_one, "x", "x.y", theirs.partition(".")[0], "." + theirs.partition(".")[2]):
        assert refused("invalid_input", ann.do, invitations.list_invitations, after=cursor).errors[0].field == "after"
    for limit in (0, -1, 101, 10**15):
        assert refused("invalid_input", ann.do, invitations.list_invitations, limit=limit).errors[0].field == "limit"
    assert len(ann.run(load_list, {})["invitations"].items) == 3


def test_a_second_factor_that_everybody_needs_is_set_up_first(open_house: Callable[..., House]) -> None:
    house = open_house(policy={"second_factor_required": True})
    house.run(lambda call: invitations.invite(call, email=BOB))
    bob = house.browser()
    bob.do(invitations.accept, token=house.mail.token())
    assert bob.do(sign_up.choose_password, new_password=CHOSEN).hold == Enroll(("passkey", "totp"))
    refused("not_signed_in", bob.do, sessions.session)


def test_a_program_gets_tokens_and_a_browser_its_page(house: House) -> None:
    ann = inviter(house)
    program = house.program()
    begun = program.do(invitations.accept, token=invited(house, ann), issue="tokens")
    done = program.do(sign_up.choose_password, new_password=CHOSEN, attempt=begun.attempt)
    assert done.access_token
    browser = house.browser()
    browser.do(invitations.accept, token=invited(house, ann, EVE), return_to="/welcome")
    assert browser.do(sign_up.choose_password, new_password=CHOSEN).return_to == "/welcome"
    refused(
        "invalid_input", browser.do, invitations.accept, token=invited(house, ann, "c@example.com"), return_to="//x.y"
    )


def test_a_weak_password_is_refused_and_another_one_taken(house: House) -> None:
    bob = house.browser()
    bob.do(invitations.accept, token=invited(house, inviter(house)))
    refused("password_too_short", bob.do, sign_up.choose_password, new_password="short")
    assert bob.do(sign_up.choose_password, new_password=CHOSEN).identity is not None
    refused("no_sign_in_under_way", bob.do, sign_up.choose_password, new_password=CHOSEN)


def test_an_operator_invites_sees_and_takes_back(house: House) -> None:
    made = house.run(lambda call: invitations.invite(call, email=BOB, role="admin", name="Bob"))
    token = house.mail.token()
    assert house.mail.last.words["inviter"] == ""
    house.run(lambda call: invitations.invite(call, email=EVE))
    first = house.run(lambda call: invitations.waiting(call, limit=1))
    rest = house.run(lambda call: invitations.waiting(call, limit=1, after=first.next))
    assert {*first.items, *rest.items} >= {made}
    assert rest.next is None
    refused("not_found", house.run, lambda call: invitations.waiting(call, limit=1, after="nobody"))
    refused("not_found", house.run, lambda call: invitations.invite(call, email=ANN, role="no-role"))
    house.run(lambda call: invitations.withdraw(call, rest.items[0].id if rest.items[0] != made else first.items[0].id))
    assert rows(house, Invitation) == 1
    came_in(house, token)
    assert house.run(held_by, BOB) == ("admin",)


def test_who_invited_is_given_no_address_of_others_in_an_export(house: House) -> None:
    ann = inviter(house)
    ann.do(invitations.create, email=BOB)
    records = ann.do(account.export).records["invitation"]
    assert [set(row) for row in records] == [{"id", "role", "created_at", "expires_at"}]
