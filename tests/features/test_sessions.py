"""Sessions: one's own are seen and ended, others' are not found, and what must end them does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from doorward.core.call import Call
from doorward.core.records import User
from doorward.core.session import SEEN_EVERY
from doorward.delivery.upkeep import Upkeep
from doorward.features import sessions
from doorward.stores import postgres, sqlite
from doorward.testing.doubles import House
from tests.features.people import refused, signed_in, signed_up


def test_list_and_end_one(house: House) -> None:
    here = signed_up(house)
    house.clock.forward(seconds=1)
    there = house.browser("203.0.113.9")
    signed_in(there)
    items = here.do(sessions.list_sessions).items
    assert [item.session.ip for item in items] == ["203.0.113.9", "192.0.2.7"]
    here.do(sessions.end, id=items[0].session.id)
    refused("not_signed_in", there.do, sessions.session)
    assert here.do(sessions.session).identity is not None


def test_end_others(house: House) -> None:
    here = signed_up(house)
    others = [house.browser() for _ in range(3)]
    for other in others:
        signed_in(other)
    here.do(sessions.end, others=True)
    for other in others:
        refused("not_signed_in", other.do, sessions.session)
    assert len(here.do(sessions.list_sessions).items) == 1


def test_somebody_elses_session_is_not_found(house: House) -> None:
    ann, bob = signed_up(house), signed_up(house, "bob@example.com")
    theirs = bob.do(sessions.session).identity.session.id
    refused("not_found", ann.do, sessions.end, id=theirs)
    assert bob.do(sessions.session).identity is not None
    refused("invalid_input", ann.do, sessions.end)
    refused("invalid_input", ann.do, sessions.end, id=theirs, others=True)


def test_a_cut_or_changed_secret_is_nobodys(house: House) -> None:
    guest = signed_up(house)
    secret = guest.session
    for wrong in (secret[:-1], secret + "A", secret.swapcase(), secret[1:], "A" * 43):
        guest.session = wrong
        refused("not_signed_in", guest.do, sessions.session)


def test_idle_and_absolute_limits(house: House) -> None:
    """Each limit by itself: what is used has no idle time, and what is not ends long before its absolute end."""
    signed_up(house)
    policy, second = house.doorward.world.policy, timedelta(seconds=1)
    idle = policy.session_idle + SEEN_EVERY
    for remember, life in ((False, policy.browser_session), (True, policy.session_absolute)):
        guest = house.browser()
        signed_in(guest, remember=remember)
        end = house.clock.now + life
        while house.clock.now + idle / 2 < end:
            house.clock.now += idle / 2
            assert guest.do(sessions.session).identity is not None
        house.clock.now = end - second
        assert guest.do(sessions.session).identity is not None
        house.clock.now = end
        refused("not_signed_in", guest.do, sessions.session)

    guest = house.browser()
    signed_in(guest, remember=True)
    house.clock.now += idle - second
    assert guest.do(sessions.session).identity is not None
    house.clock.now += idle
    refused("not_signed_in", guest.do, sessions.session)


def test_what_a_host_changes_behind_our_back_ends_sessions(house: House) -> None:
    """Rule 20: a new password hash or a closed account in the user's row, by whatever way."""
    for values in ({"password": "argon2$another"}, {"active": False}):
        guest = signed_up(house, f"{len(values)}{next(iter(values))}@example.com")
        user_id = guest.do(sessions.session).identity.user.id

        async def edit(call: Call, user_id: str = user_id, values: dict[str, object] = values) -> int:
            return await call.store.change(User, {"id": user_id}, **values)

        assert house.run(edit) == 1
        house.clock.forward(milliseconds=500)  # where identities are remembered, no longer than that
        refused("not_signed_in", guest.do, sessions.session)


def test_anonymous_requests_write_no_rows(house: House) -> None:
    async def rows(call: Call) -> int:
        return sum([await call.store.count(kind) for kind in call.world.records])

    before = house.run(rows)
    for number in range(200):
        refused("not_signed_in", house.browser().do, sessions.session)
        guest = house.browser()
        guest.session = f"{number:043}"
        refused("not_signed_in", guest.do, sessions.session)
        refused("not_signed_in", guest.do, sessions.list_sessions)
    assert house.run(rows) == before


def test_a_sign_in_over_a_session_ends_that_one(house: House) -> None:
    guest = signed_up(house)
    before = guest.session
    signed_in(guest)
    thief = house.browser()
    thief.session = before
    refused("not_signed_in", thief.do, sessions.session)


def test_being_seen_costs_no_request_a_write(shared_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """«Last seen» is written by the upkeep, in one transaction for all sessions that were used since."""
    ann = signed_up(shared_house)
    guests = [ann, *(shared_house.browser(f"203.0.113.{number}") for number in range(2))]
    for guest in guests[1:]:
        signed_in(guest)
    shared_house.clock.forward(minutes=2)
    said = listened(monkeypatch)
    for _ in range(20):
        for guest in guests:
            assert guest.do(sessions.session).identity is not None
    assert len(said) >= 20 * len(guests)
    assert set(said) == {"SELECT"}
    said.clear()
    upkeep = Upkeep(shared_house.stores, shared_house.doorward.world.seen, (), shared_house.clock)
    assert upkeep.write_seen() == len(guests)
    assert [word for word in said if word != "COMMIT"] == ["BEGIN", *["UPDATE"] * len(guests)]
    monkeypatch.undo()
    seen = {item.session.last_seen_at for item in ann.do(sessions.list_sessions).items}
    assert seen == {shared_house.clock.now}


def listened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first words of all statements that go to a database from now on."""
    said: list[str] = []

    def spied(run: Any) -> Any:
        async def spying(link: Any, text: str, parameters: Any) -> Any:
            said.append(text.split()[0].upper())
            return await run(link, text, parameters)

        return spying

    monkeypatch.setattr(sqlite.SqliteLink, "run", spied(sqlite.SqliteLink.run))
    for name in ("run", "write"):
        monkeypatch.setattr(postgres._SyncLink, name, spied(postgres._SyncLink.run))
    return said
