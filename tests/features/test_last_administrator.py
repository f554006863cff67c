"""Somebody who can give roles is always left, by whatever way the others go."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.records import Account, User
from doorward.core.refusals import Refused
from doorward.features import account, api_keys, roles, sessions
from doorward.features.roles import add_role, permit, remove_role
from doorward.server import people, programs
from doorward.testing.doubles import Guest, House
from tests.features.people import at_once, refused, signed_in, signed_up, wait_out_limits

ANN, BOB = "ann@example.com", "bob@example.com"
GONE: dict[str, Any] = {
    "disabled": lambda call, email: people.set_active(call, email, active=False),
    "erased": people.erase,
    "without the role": lambda call, email: people.revoke_role(call, email, "admin"),
}


def administrator(house: House, email: str = ANN) -> Guest:
    guest = signed_up(house, email)
    house.run(people.grant_role, email, "admin")
    house.clock.forward(seconds=0.5)
    return guest


def left(house: House, *emails: str) -> list[str]:
    """Who of these can still come in and give roles."""
    found = []
    for email in emails:
        wait_out_limits(house)
        guest = house.browser()
        try:
            if signed_in(guest, email).identity is not None:
                guest.do(roles.list_roles)
                found.append(email)
        except Refused as refusal:
            assert refusal.reason in ("wrong_credentials", "not_permitted")  # noqa: PT017
    return found


def test_the_last_one_does_not_close_the_account(house: House) -> None:
    ann = administrator(house)
    keys = ann.do(api_keys.create, name="report", scopes=["a"])
    letters = len(house.mail.letters)
    refused("last_administrator", ann.do, account.close)
    assert len(house.mail.letters) == letters
    assert ann.do(sessions.session).identity is not None, "nothing has ended"
    assert [key.id for key in ann.do(api_keys.list_keys).items] == [keys.id]
    administrator(house, BOB)
    ann.do(account.close)


def test_who_is_leaving_is_not_somebody_who_is_left(house: House) -> None:
    ann, bob = administrator(house), administrator(house, BOB)
    ann.do(account.close)
    keep = next(letter for letter in house.mail.letters[::-1] if letter.template == "account_closing").words["link"]
    refused("last_administrator", bob.do, account.close)
    refused("last_administrator", bob.do, roles.take_back, user_id=id_of(bob), role="admin")
    for gone in GONE.values():
        refused("last_administrator", house.run, gone, BOB)
    house.browser().do(account.undo, token=keep.partition("token=")[2])
    bob.do(account.close)


@pytest.mark.parametrize("way", GONE)
def test_an_operator_does_not_remove_the_last_one(house: House, way: str) -> None:
    ann = administrator(house)
    refused("last_administrator", house.run, GONE[way], ANN)
    assert ann.do(roles.list_roles).items
    administrator(house, BOB)
    house.run(GONE[way], ANN)
    refused("last_administrator", house.run, GONE[way], BOB)


def test_who_can_give_roles_by_another_role_is_enough(house: House) -> None:
    ann = administrator(house)
    signed_up(house, BOB)
    house.run(add_role, "manager", ["doorward.roles"])
    house.run(people.grant_role, BOB, "manager")
    ann.do(account.close)
    refused("last_administrator", house.run, people.erase, BOB)
    refused("last_administrator", house.run, lambda call: permit(call, "manager", fewer=["doorward.roles"]))
    refused("last_administrator", house.run, remove_role, "manager")
    assert left(house, BOB) == [BOB]


def test_a_role_that_nobody_has_is_changed_as_one_likes(house: House) -> None:
    house.run(add_role, "manager", ["doorward.roles"])
    house.run(lambda call: permit(call, "manager", fewer=["doorward.roles"]))
    house.run(lambda call: permit(call, "manager", more=["doorward.roles"]))
    assert house.run(remove_role, "manager") == 0


def test_a_program_is_no_administrator_who_is_left(house: House) -> None:
    """It comes in by keys, and a key gives no roles."""
    ann = administrator(house)
    house.run(lambda call: programs.add_service(call, name="robot"))
    house.run(people.grant_role, "robot", "admin")
    refused("last_administrator", ann.do, account.close)
    house.run(programs.disable_service, "robot")


def test_where_nobody_is_an_administrator_everybody_may_go(house: House) -> None:
    ann = signed_up(house)
    signed_up(house, BOB)
    ann.do(account.close)
    house.run(people.set_active, BOB, active=False)
    house.run(people.erase, BOB)
    house.run(people.erase, ANN)
    assert house.run(lambda call: call.store.count(User)) == 0


def test_who_was_closed_already_is_erased(house: House) -> None:
    """The sweep asks nobody: who is left was there when the account was closed."""
    ann = administrator(house)
    administrator(house, BOB)
    ann.do(account.close)
    house.run(people.erase, ANN)
    assert left(house, BOB) == [BOB]


def test_whoever_goes_has_another_version(house: House) -> None:
    """What is decided at that moment about their roles is decided anew (rule 44)."""
    ann = administrator(house)
    administrator(house, BOB)
    ann_id = id_of(ann)
    before = house.run(lambda call: call.store.get(Account, user_id=ann_id)).version
    house.run(people.set_active, ANN, active=False)
    assert house.run(lambda call: call.store.get(Account, user_id=ann_id)).version > before


@pytest.mark.parametrize("way", ["close", *GONE])
def test_of_eight_who_go_at_once_one_is_left(shared_house: House, way: str) -> None:
    """AUTHZ-10, ASVS 2.3.4."""
    house = shared_house
    emails = [f"a{number}@example.com" for number in range(8)]
    admins = [administrator(house, email) for email in emails]
    stories = [
        (lambda g=g: g.do(account.close)) if way == "close" else (lambda e=e: house.run(GONE[way], e))
        for g, e in zip(admins, emails, strict=True)
    ]
    for _ in range(4):
        outcomes = at_once(*stories)
        assert set(outcomes) <= {
            "done", "last_administrator", "state_changed", "not_signed_in", "not_found", "fresh_proof_required",
        }, outcomes  # fmt: skip
    assert len(left(house, *emails)) == 1


def test_one_closes_and_the_other_loses_the_role_at_once(shared_house: House) -> None:
    house = shared_house
    ann, _ = administrator(house), administrator(house, BOB)
    outcomes = at_once(lambda: ann.do(account.close), lambda: house.run(people.revoke_role, BOB, "admin"))
    assert (outcomes.count("done"), len(left(house, ANN, BOB))) == (1, 1), outcomes


def id_of(guest: Guest) -> str:
    return str(guest.do(sessions.session).identity.user.id)
