"""Accounts for programs, and their keys, as an operator makes them; and nobody who signs in to one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from doorward.core.accounts import account_of
from doorward.core.call import Call
from doorward.core.facts import facts_of
from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.core.sign_in import proof_by
from doorward.core.steps import Refuse, next_step
from doorward.features import password, sessions
from doorward.features.password import new_password_authenticator
from doorward.server import people, programs
from doorward.server.config import new_secret
from doorward.testing.doubles import House
from tests.features.conftest import house, open_house  # noqa: F401  # fixtures
from tests.features.people import PASSWORD, refused, signed_up
from tests.server.conftest import Done

Command = Callable[..., Done]


def service(house: House, name: str = "nightly") -> Any:  # noqa: F811
    return house.run(programs.add_service, name=name)


def test_no_proof_signs_a_service_in(house: House) -> None:  # noqa: F811
    """By every method there is, alone and together: all ways in end at the one door."""
    user = service(house)

    async def step(call: Call, names: tuple[str, ...]) -> Any:
        proofs = tuple(proof_by(call, call.world.methods[name]) for name in names)
        facts = await facts_of(call, user, await account_of(call, user), proofs)
        return next_step(facts, call.world.gates)

    methods = house.doorward.world.methods
    primary = [name for name, method in methods.items() if method.primary]
    assert primary
    for count in range(1, len(methods) + 1):
        for names in itertools.combinations(methods, count):
            if set(names) & set(primary):
                assert house.run(step, names) == Refuse("wrong_credentials")


def test_a_planted_password_opens_no_service(house: House) -> None:  # noqa: F811
    """Whatever somebody writes into the database: the answer is that of a wrong password."""
    user = service(house)

    async def plant(call: Call) -> None:
        data = await call.hash.hash(PASSWORD)
        await call.store.add(new_password_authenticator(call, user.id, data=data))

    house.run(plant)
    for typed in (PASSWORD, "another sentence of nobody's"):
        refused("wrong_credentials", house.browser().do, password.sign_in, identifier="nightly", password=typed)


def test_a_service_comes_in_by_its_key(house: House) -> None:  # noqa: F811
    service(house)
    key = house.run(programs.new_key, "nightly", name="cron", scopes=["orders.read"], expires_in=None)
    guest = house.program()
    guest.bearer = key.key
    assert guest.do(sessions.session).identity.user.username == "nightly"
    assert house.mail.letters == []
    house.run(programs.disable_service, "nightly")
    house.clock.forward(milliseconds=500)
    refused("invalid_bearer", guest.do, sessions.session)
    refused("not_permitted", house.run, programs.new_key, "nightly", name="x", scopes=["a"], expires_in=None)


def test_names_of_services_and_people_are_one_kind(house: House) -> None:  # noqa: F811
    signed_up(house, username="ann")
    for taken in ("ann", "ANN"):
        refused("username_taken", service, house, taken)
    service(house, "backup")
    refused("username_taken", service, house, "Backup")
    for wrong in ("", "x", "a b", "a@example.com", "12345"):
        refused("invalid_input", service, house, wrong)


def test_a_person_is_no_service(house: House) -> None:  # noqa: F811
    signed_up(house)
    refused("not_found", house.run, programs.disable_service, "ann@example.com")

    async def is_open(call: Call) -> bool:
        return (await people.find(call, "ann@example.com")).active

    assert house.run(is_open)


def test_of_forty_at_once_one_gets_the_name(house: House) -> None:  # noqa: F811

    def one(_: int) -> str:
        try:
            return str(service(house).id)
        except Refused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(40) as pool:
        made = set(pool.map(one, range(40)))
    assert len(made - {"username_taken"}) == 1

    async def users(call: Call) -> int:
        return await call.store.count(User)

    assert house.run(users) == 1


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """An installation on SQLite."""
    return {"SECRET": new_secret(), "ORIGIN": "https://auth.example.com", "DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}


def test_the_commands(doorward: Command, settings: dict[str, str]) -> None:
    added = doorward("service", "add", "nightly", "--json", **settings)
    assert (added.code, added.json["username"]) == (0, "nightly")
    made = doorward(
        *("api-key", "create", "nightly", "--name", "cron", "--scope", "orders.read", "--scope", "orders.write"),
        *("--expires", "30", "--json"),
        **settings,
    )
    assert made.code == 0, made.out
    assert (made.json["scopes"], made.json["key"][:4]) == (["orders.read", "orders.write"], "dwk_")
    listed = doorward("api-key", "list", "nightly", "--json", **settings).json["items"]
    assert [(row["id"], "key" in row) for row in listed] == [(made.json["id"], False)]
    assert "orders.read orders.write" in doorward("api-key", "list", added.json["id"], **settings).out
    assert doorward("service", "list", "--json", **settings).json["items"][0]["keys"] == 1
    assert doorward("api-key", "revoke", made.json["id"], **settings).code == 0
    again = doorward("api-key", "revoke", made.json["id"], "--json", **settings)
    assert (again.code, again.json["error"]["reason"]) == (1, "not_found")
    assert doorward("service", "disable", "nightly", **settings).code == 0
    assert "no" in doorward("service", "list", **settings).out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("api-key", "create", "nobody", "--name", "x", "--scope", "a"), 1),
        (("api-key", "create", "nightly", "--name", "x", "--scope", "a b"), 1),
        (("api-key", "create", "nightly", "--name", "x" * 61, "--scope", "a"), 1),
        (("api-key", "create", "nightly", "--name", "x", "--scope", "a", "--expires", "367"), 1),
        (("api-key", "create", "nightly", "--name", "x", "--scope", "a", "--expires", "0"), 2),
        (("api-key", "create", "nightly", "--name", "x"), 2),
        (("service", "add", "a b"), 1),
        (("service", "disable", "nobody"), 1),
    ],
)
def test_what_is_refused_is_said(
    doorward: Command, settings: dict[str, str], arguments: tuple[str, ...], code: int
) -> None:
    doorward("service", "add", "nightly", **settings)
    done = doorward(*arguments, **settings)
    assert (done.code, bool(done.err)) == (code, True)
