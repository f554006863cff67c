"""Last-seen times are written in batches, and what is past its time is removed in batches."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from doorward.core.call import Call
from doorward.core.feature import Sweep
from doorward.core.ports import Unavailable
from doorward.core.records import OutboxMessage
from doorward.core.session import Session
from doorward.delivery import Upkeep
from doorward.delivery.upkeep import SEEN_AT_ONCE, SWEPT_AT_ONCE
from doorward.stores import migrations
from tests.delivery.office import Office


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/office.db"}.get(request.param)
    if url is None:
        fresh: Callable[[], str] = request.getfixturevalue("fresh_postgres")
        url = fresh()
        migrations.migrate(url)
    office = Office(url)
    yield office
    office.stores.close()


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def upkeep_of(office: Office, ticks: Ticks | None = None) -> Upkeep:
    doorward = office.doorward
    return Upkeep(office.stores, doorward.world.seen, doorward.sweeps, office.clock, monotonic=ticks or Ticks())


def test_chores_are_done_when_rows_are_swept(office: Office) -> None:
    ticks, done = Ticks(), []
    doorward = office.doorward

    def chore() -> int:
        done.append(ticks.now)
        return 3

    upkeep = Upkeep(
        office.stores, doorward.world.seen, doorward.sweeps, office.clock, chores=[chore, chore], monotonic=ticks
    )
    upkeep.run_due()
    assert done == []
    ticks.now = 300
    upkeep.run_due()
    assert done == [300, 300]
    assert upkeep.sweep() == 6


def sessions(office: Office, count: int) -> list[str]:
    async def make(call: Call) -> list[str]:
        made = [
            Session(
                id=f"s{number:04}",
                digest=f"d{number}",
                user_id="u",
                proofs="",
                auth_epoch="e",
                host_digest="h",
                created_at=call.now,
                last_seen_at=call.now,
                expires_at=call.now + timedelta(days=1),
            )
            for number in range(count)
        ]
        assert await call.store.add(*made)
        return [session.id for session in made]

    return office.run(make)


def stored(office: Office) -> list[Session]:
    async def read(call: Call) -> list[Session]:
        return await call.store.find(Session, order="id", limit=1000)

    return office.run(read)


def test_last_seen_times_are_written_and_forgotten(office: Office) -> None:
    count = SEEN_AT_ONCE + 7
    ids = sessions(office, count)
    office.clock.forward(minutes=5)
    seen = office.doorward.world.seen
    seen.update({(Session, id): office.clock() for id in (*ids, "ended meanwhile")})
    assert upkeep_of(office).write_seen() == count + 1
    assert {session.last_seen_at for session in stored(office)} == {office.clock()}
    assert seen == {}


def test_a_later_time_is_never_turned_back(office: Office) -> None:
    (id,) = sessions(office, 1)
    before = office.clock()
    office.doorward.world.seen[Session, id] = before - timedelta(hours=1)
    upkeep_of(office).write_seen()
    assert stored(office)[0].last_seen_at == before


def test_what_could_not_be_written_is_remembered(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.doorward.world.seen[Session, "s"] = office.clock()

    def away(colour: str) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(office.stores, "unit", away)
    with pytest.raises(Unavailable):
        upkeep_of(office).write_seen()
    assert list(office.doorward.world.seen) == [(Session, "s")]


def test_who_is_seen_while_it_is_written_is_not_forgotten(office: Office) -> None:
    (id,) = sessions(office, 1)
    seen, upkeep = office.doorward.world.seen, upkeep_of(office)
    seen[Session, id] = office.clock()
    write, later = upkeep._write, office.clock() + timedelta(minutes=1)

    async def seen_again(batch: object) -> None:
        await write(batch)  # type: ignore[arg-type]
        seen[Session, id] = later

    upkeep._write = seen_again  # type: ignore[method-assign]
    upkeep.write_seen()
    assert seen == {(Session, id): later}


def test_what_is_past_its_time_is_removed_and_nothing_else(office: Office) -> None:
    sessions(office, 3)
    for _ in range(3):
        office.write()
    assert upkeep_of(office).sweep() == 0
    office.clock.forward(days=1, seconds=1)
    assert upkeep_of(office).sweep() == 3
    assert stored(office) == []
    assert len(office.waiting()) == 3
    office.clock.forward(days=1)
    assert upkeep_of(office).sweep() == 3


def test_more_than_one_batch_is_removed() -> None:
    office = Office()
    sessions(office, SWEPT_AT_ONCE + 10)
    office.clock.forward(days=2)
    assert upkeep_of(office).sweep() == SWEPT_AT_ONCE + 10


def test_forty_sweep_and_write_at_once(office: Office) -> None:
    ids = sessions(office, 50)
    for _ in range(30):
        office.write()
    office.clock.forward(hours=1)
    seen = {(Session, id): office.clock() for id in ids}
    sweeps = [Sweep(OutboxMessage, "created_at")]

    def work(_: int) -> int:
        upkeep = Upkeep(office.stores, {**seen}, sweeps, office.clock)
        upkeep.write_seen()
        return upkeep.sweep()

    with ThreadPoolExecutor(40) as threads:
        assert sum(threads.map(work, range(40))) == 30
    assert {session.last_seen_at for session in stored(office)} == {office.clock()}


def test_each_thing_is_done_in_its_own_time() -> None:
    office, ticks = Office(), Ticks()
    sessions(office, 1)
    upkeep = upkeep_of(office, ticks)
    seen = office.doorward.world.seen
    office.clock.forward(days=2)
    seen[Session, "s"] = office.clock()
    ticks.now = 29
    upkeep.run_due()
    assert (len(seen), len(stored(office))) == (1, 1)
    ticks.now = 31
    upkeep.run_due()
    assert (len(seen), len(stored(office))) == (0, 1)
    ticks.now = 301
    upkeep.run_due()
    assert (len(seen), len(stored(office))) == (0, 0)
