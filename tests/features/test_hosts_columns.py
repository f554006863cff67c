"""A host's columns may keep less than we take: what is too long for one is named, and never cut off or lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from doorward.core.refusals import Refused
from doorward.features import account, change_email, invitations, sign_up, verify_email
from doorward.features.sign_up import PendingSignUp
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.server import people, programs
from doorward.stores import migrations, open_store
from doorward.stores.tables import UserTable
from doorward.testing.doubles import House
from tests.features.people import PASSWORD, refused, signed_up

HOSTS = sa.MetaData()
USERS = sa.Table(
    "short_users",
    HOSTS,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(40), unique=True),
    sa.Column("username", sa.String(20), unique=True),
    sa.Column("name", sa.String(20), nullable=False, server_default=""),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
)
LONG_ADDRESS = "a" * 29 + "@example.com"
TOO_LONG = {"name": "n" * 21, "username": "u" * 21, "email": LONG_ADDRESS}


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = f"sqlite:///{tmp_path}/app.db" if request.param == "sqlite" else request.getfixturevalue("fresh_postgres")()
    migrations.migrate(url)
    with migrations.connected(url) as connection:
        HOSTS.create_all(connection)
        connection.commit()
    table = UserTable(USERS, username="username", name="name", active="active")
    opened = House(
        standard(),
        lambda doorward: open_store(url, records=doorward.records, user_table=table),
        MemoryLimits(),
        os.urandom,
    )
    yield opened
    opened.stores.close()


def named(run: Any, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
    found: Refused = refused("invalid_input", run, *args, **kwargs)
    return [(error.field, error.reason) for error in found.errors]


def test_a_sign_up_names_all_of_it_and_writes_nothing(house: House) -> None:
    asked = {"email": "ann@example.com", "password": PASSWORD}
    for field, value in TOO_LONG.items():
        assert named(house.browser().do, sign_up.sign_up, **{**asked, field: value}) == [(field, "too_long")]
    everything = named(house.browser().do, sign_up.sign_up, **{**asked, **TOO_LONG})
    assert {field for field, _ in everything} == set(TOO_LONG)
    assert house.mail.letters == []
    assert house.run(lambda call: call.store.count(PendingSignUp)) == 0


def test_what_fits_is_kept_to_the_last_letter(house: House) -> None:
    kept = {"name": "ñ" * 20, "username": "u" * 20}
    ann = signed_up(house, "a" * 28 + "@example.com", **kept)
    user = ann.do(account.account).user
    assert (user.name, user.username, len(user.email or "")) == (*kept.values(), 40)


def test_an_account_keeps_what_it_had(house: House) -> None:
    ann = signed_up(house, name="Ann", username="annie")
    for field in ("name", "username"):
        assert named(ann.do, account.update, **{field: TOO_LONG[field]}) == [(field, "too_long")]
    both = named(ann.do, account.update, name=TOO_LONG["name"], username=TOO_LONG["username"], locale="de")
    assert {field for field, _ in both} == {"name", "username"}
    profile = ann.do(account.account)
    assert (profile.user.name, profile.user.username, profile.locale) == ("Ann", "annie", "")
    assert named(ann.do, change_email.add, email=LONG_ADDRESS) == [("email", "too_long")]


def test_a_name_chosen_on_the_way_is_named_too(house: House) -> None:
    bob, rob = house.browser(), house.browser()
    bob.do(sign_up.sign_up, email="bob@example.com", password=PASSWORD, username="bobby")
    code = house.mail.code()
    rob.do(sign_up.sign_up, email="rob@example.com", password=PASSWORD, username="bobby")
    rob.do(verify_email.verify, code=house.mail.code())
    bob.do(verify_email.verify, code=code)
    assert named(bob.do, sign_up.choose_username, username="u" * 21) == [("username", "too_long")]
    assert bob.do(sign_up.choose_username, username="u" * 20).identity is not None


def test_what_operators_and_hosts_of_others_give_is_named(house: House) -> None:
    for field, value in TOO_LONG.items():
        asked = {"email": "ann@example.com", "password": PASSWORD, field: value}
        assert named(house.run, lambda call, asked=asked: people.add(call, **asked)) == [(field, "too_long")]
    for field in ("email", "name"):
        asked = {"email": "ann@example.com", field: TOO_LONG[field]}
        assert named(house.run, lambda call, asked=asked: invitations.invite(call, **asked)) == [(field, "too_long")]
    assert named(house.run, lambda call: programs.add_service(call, name="n" * 21)) == [("name", "too_long")]
    signed_up(house)
    assert named(house.run, people.add_address, "ann@example.com", LONG_ADDRESS) == [("email", "too_long")]
