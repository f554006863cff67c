"""User names: nobody speaks for the service, and nobody gets a name that was somebody else's a moment ago."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from doorward.core.call import Call
from doorward.core.records import Account, User
from doorward.core.refusals import Refused
from doorward.core.usernames import RESERVED, change_username, check_username
from doorward.features import sign_up
from doorward.testing.doubles import House
from tests.features.people import PASSWORD, refused, signed_in, signed_up

VECTORS = Path(__file__).parents[1] / "primitives" / "vectors" / "identifiers.json"
NAMES = [case for case in json.loads(VECTORS.read_text())["cases"] if case["kind"] == "username"]


def change(house: House, email: str, username: str) -> None:
    """What the account's page does when somebody chooses another name."""

    async def story(call: Call) -> None:
        (user,) = await call.store.find(User, email=email)
        account = await call.store.get(Account, user_id=user.id)
        assert account is not None
        async with call.all_or_nothing():
            await change_username(call, user, account, username)

    house.run(story)


def chosen(house: House, username: str) -> str:
    """What comes of choosing a name: nothing, or why not."""
    try:
        house.run(lambda call: check_username(call, username))
    except Refused as refusal:
        return refusal.errors[0].reason if refusal.errors else refusal.reason
    return ""


@pytest.mark.parametrize("case", NAMES, ids=[case["id"] for case in NAMES])
def test_what_hostile_names_come_to(house: House, case: dict[str, Any]) -> None:
    came = chosen(house, case["value"])
    if case["expect"] in ("reserved", "same-as admin"):
        assert came == "reserved"
    elif case["expect"] == "reject":
        assert came == "not_valid"
    elif case["expect"] == "same-or-reject":
        assert came in ("reserved", "not_valid")
    else:
        assert came in ("", "reserved", "not_valid")


def test_nobody_speaks_for_the_service(house: House) -> None:
    for name in " ".join(RESERVED.values()).split():
        assert chosen(house, name) == "reserved", name
    for look in ("Postmaster", "аdmin", "adm1n", "r00t", "SUPPORT", "ｗｗｗ"):
        refusal = refused(
            "invalid_input",
            house.browser().do,
            sign_up.sign_up,
            email="m@example.com",
            password=PASSWORD,
            username=look,
        )
        assert refusal.errors[0].reason == "reserved", look
    assert chosen(house, "adminah") == ""


def test_an_installation_reserves_names_of_its_own(open_house: Callable[..., House]) -> None:
    house = open_house(reserved_usernames="acme, Acme-Billing")
    assert [chosen(house, name) for name in ("ACME", "acme_billing", "acmes")] == ["reserved", "reserved", ""]


def test_an_operator_may_give_a_reserved_name(house: House) -> None:
    house.run(lambda call: check_username(call, "admin", reserved_too=True))


def test_a_name_given_up_is_nobody_elses_for_ninety_days(house: House) -> None:
    signed_up(house, username="alice")
    change(house, "ann@example.com", "alina")
    assert signed_in(house.browser(), "alina").identity.user.username == "alina"
    refused("wrong_credentials", signed_in, house.browser(), "alice")
    assert [chosen(house, name) for name in ("alice", "аlice", "alina")] == ["username_taken"] * 3
    house.clock.forward(days=89)
    assert chosen(house, "alice") == "username_taken"
    house.clock.forward(days=1, seconds=1)
    assert chosen(house, "alice") == ""


def test_one_can_go_back_to_ones_former_name(house: House) -> None:
    signed_up(house, username="alice")
    signed_up(house, "bob@example.com", username="bobby")
    change(house, "ann@example.com", "alina")
    refused("username_taken", change, house, "bob@example.com", "alice")
    change(house, "ann@example.com", "Alice")
    assert signed_in(house.browser(), "alice").identity.user.username == "Alice"
    assert chosen(house, "alina") == "username_taken"
    change(house, "ann@example.com", "ALICE")
    assert signed_in(house.browser(), "alice").identity.user.username == "ALICE"


def test_of_two_who_want_one_name_one_gets_it(house: House) -> None:
    emails = [f"user{number}@example.com" for number in range(6)]
    for email in emails:
        signed_up(house, email)

    def want(email: str) -> str:
        try:
            change(house, email, "wanted")
        except Refused as refusal:
            return refusal.reason
        return "got it"

    with ThreadPoolExecutor(6) as rivals:
        outcomes = sorted(rivals.map(want, emails))
    assert outcomes == ["got it"] + ["username_taken"] * 5
