"""A mailed link is good once, for its purpose, in its time, while what it was made for still stands."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from doorward.core import links
from doorward.core.call import Call
from doorward.core.identify import end_sessions
from doorward.core.links import MailedLink
from doorward.core.records import Account
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.stores import open_store
from doorward.testing.doubles import House
from tests.features.people import refused

HOUR = timedelta(hours=1)


@pytest.fixture
def house() -> House:
    return House(
        standard(), lambda doorward: open_store("memory:", records=doorward.records), MemoryLimits(), os.urandom
    )


async def made(call: Call, *, user_id: str = "ann", bound: bool = False) -> str:
    await call.store.add(Account(user_id="ann", auth_epoch="first", created_at=call.now))
    epoch = "first" if bound else ""
    return await links.add_link(call, "reset", life=HOUR, user_id=user_id, subject="about", auth_epoch=epoch)


def test_it_is_good_once(house: House) -> None:
    token = house.run(made)
    assert house.run(links.find_link, "reset", token).subject == "about"
    assert house.run(links.take_link, "reset", token).user_id == "ann"
    refused("invalid_token", house.run, links.find_link, "reset", token)
    refused("invalid_token", house.run, links.take_link, "reset", token)


def test_for_its_purpose_only(house: House) -> None:
    token = house.run(made)
    refused("invalid_token", house.run, links.take_link, "magic", token)
    house.run(links.take_link, "reset", token)


def test_in_its_time(house: House) -> None:
    token = house.run(made)
    house.clock.forward(hours=1)
    refused("invalid_token", house.run, links.take_link, "reset", token)


def test_a_decoy_opens_nothing_and_is_a_row_as_well(house: House) -> None:
    async def rows(call: Call) -> int:
        return await call.store.count(MailedLink)

    token = house.run(made, user_id="")
    assert house.run(rows) == 1
    refused("invalid_token", house.run, links.take_link, "reset", token)


@pytest.mark.parametrize("bound", [True, False])
def test_what_ends_sessions_ends_a_link_that_is_bound_to_the_epoch(house: House, bound: bool) -> None:
    token = house.run(made, bound=bound)
    house.run(end_sessions, "ann")
    if bound:
        refused("invalid_token", house.run, links.take_link, "reset", token)
    else:
        house.run(links.take_link, "reset", token)


def test_all_links_of_a_user_for_a_purpose_end_together(house: House) -> None:
    tokens = [house.run(made), house.run(made)]
    house.run(links.remove_links, "ann", "reset", "magic")
    for token in tokens:
        refused("invalid_token", house.run, links.take_link, "reset", token)


def test_only_its_digest_is_kept(house: House) -> None:
    async def rows(call: Call) -> str:
        return repr(await call.store.find(MailedLink))

    token = house.run(made)
    assert token not in house.run(rows)
