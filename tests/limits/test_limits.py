"""One contract of limits, kept in memory, in the database and in Valkey, on threads and on event loops."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doorward.core.finish import finish
from doorward.core.ports import Colour, Limits, Stores
from doorward.core.refusals import Misconfigured
from doorward.limits import LimitWindow, MemoryLimits, OpenLimits, StoreLimits, open_limits
from doorward.limits.redis import RedisLimits
from doorward.stores import migrations, open_store
from doorward.testing.doubles import Clock

# Seconds that these tests wait for Valkey: how soon it is given up is another law, and this machine may be busy.
PATIENCE = 10.0
KINDS = ["memory", "sqlite", "postgres", "postgres awaiting", "valkey", "valkey awaiting"]


@dataclass
class Door:
    """One form of limits, how its stories are run, and how time passes for it."""

    limits: Limits
    colour: Colour
    sleep: Callable[[float], None]
    runner: asyncio.Runner

    def run(self, story: Coroutine[Any, Any, Any]) -> Any:
        return finish(story) if self.colour == "sync" else self.runner.run(_within(story))

    def hit(self, key: str = "key", most: int = 3, seconds: int = 2) -> int:
        return self.run(self.limits.hit(key, most=most, seconds=seconds))

    def hits_at_once(self, count: int, **limit: Any) -> list[int]:
        if self.colour == "async":
            return self.run(_gathered([self.limits.hit("key", **limit) for _ in range(count)]))
        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(lambda _: finish(self.limits.hit("key", **limit)), range(count)))


async def _within(story: Coroutine[Any, Any, Any]) -> Any:
    return await story


async def _gathered(stories: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    return await asyncio.gather(*stories)


@pytest.fixture(scope="module")
def migrated_postgres(fresh_postgres: Callable[[], str]) -> str:
    url = fresh_postgres()
    migrations.migrate(url)
    return url


@pytest.fixture
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Stores]]:
    opened: list[Stores] = []

    def open_shared(kind: str) -> Stores:
        url = f"sqlite:///{tmp_path}/limits.db"
        if kind == "postgres":
            url = request.getfixturevalue("migrated_postgres")
        opened.append(open_store(url, records=[LimitWindow]))
        return opened[-1]

    yield open_shared
    for stores in opened:
        stores.close()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(params=KINDS)
def door(request: pytest.FixtureRequest, shared: Callable[[str], Stores], runner: asyncio.Runner) -> Iterator[Door]:
    kind, _, awaiting = request.param.partition(" ")
    clock = Clock()
    limits: OpenLimits
    if kind == "memory":
        limits = MemoryLimits(clock)
    elif kind == "valkey":
        limits = RedisLimits(request.getfixturevalue("fresh_valkey"), patience=PATIENCE)
    else:
        limits = open_limits(clock=clock, shared=shared(kind))
        finish(limits.forget("key"))
    sleep = time.sleep if kind == "valkey" else lambda seconds: clock.forward(seconds=seconds)
    yield Door(limits.awaiting if awaiting else limits.sync, "async" if awaiting else "sync", sleep, runner)
    if awaiting and kind == "valkey":
        runner.run(limits.awaiting.aclose())
    elif awaiting:
        runner.run(limits._stores.aclose())
    limits.close()


def test_as_many_as_the_limit_come_at_once_and_no_more(door: Door) -> None:
    assert [door.hit() for _ in range(3)] == [0, 0, 0]
    assert door.hit() > 0


def test_the_wait_that_is_named_is_enough(door: Door) -> None:
    while not (wait := door.hit(most=2, seconds=2)):
        pass
    assert wait == 1
    door.sleep(wait)
    assert door.hit(most=2, seconds=2) == 0
    assert door.hit(most=2, seconds=2) > 0


def test_a_refused_hit_is_not_counted(door: Door) -> None:
    for _ in range(20):
        door.hit(most=1, seconds=1)
    door.sleep(1)
    assert door.hit(most=1, seconds=1) == 0


def test_all_of_a_limit_is_there_again_after_its_time(door: Door) -> None:
    assert [door.hit(seconds=1) for _ in range(4)] == [0, 0, 0, 1]
    door.sleep(1.01)
    assert [door.hit(seconds=1) for _ in range(4)] == [0, 0, 0, 1]


def test_keys_do_not_know_of_each_other(door: Door) -> None:
    for _ in range(4):
        door.hit("one")
    assert door.hit("two") == 0
    door.run(door.limits.forget("one"))
    door.run(door.limits.forget("two"))


def test_forgetting_starts_from_nothing(door: Door) -> None:
    for _ in range(4):
        door.hit()
    door.run(door.limits.forget("key"))
    assert [door.hit() for _ in range(4)] == [0, 0, 0, 1]


def test_once_is_for_the_first_and_not_a_hit(door: Door) -> None:
    once = [door.run(door.limits.once("letter", seconds=1)) for _ in range(3)]
    assert once == [True, False, False]
    assert [door.hit("letter") for _ in range(3)] == [0, 0, 0]
    door.sleep(1.01)
    assert door.run(door.limits.once("letter", seconds=1)) is True
    door.run(door.limits.forget("letter"))
    door.run(door.limits.forget("once:letter"))


def test_of_forty_at_once_no_more_than_the_limit_come_through(door: Door) -> None:
    results = door.hits_at_once(40, most=10, seconds=300)
    assert results.count(0) == 10


def test_forty_at_once_all_come_through_where_there_is_room(door: Door) -> None:
    assert set(door.hits_at_once(40, most=1000, seconds=300)) == {0}


@pytest.mark.parametrize("key", ["k" * 10_000, "ключ", "nul\0 and\r\nlines", "lone \ud800", "", "{0}*?[a]"])
def test_any_key_is_a_key(door: Door, key: str) -> None:
    assert [door.hit(key, most=1, seconds=100) for _ in range(2)] == [0, 100]
    door.run(door.limits.forget(key))
    assert door.hit(key, most=1, seconds=100) == 0
    door.run(door.limits.forget(key))


@pytest.mark.parametrize("limit", [{"most": 0}, {"most": -1}, {"seconds": 0}])
def test_a_limit_of_nothing_is_a_mistake_of_ours(door: Door, limit: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must both be 1 or more"):
        door.hit(**limit)


def test_two_processes_share_what_is_kept_outside(fresh_valkey: str, shared: Callable[[str], Stores]) -> None:
    clock = Clock()
    for one, other in (
        (RedisLimits(fresh_valkey, patience=PATIENCE), RedisLimits(fresh_valkey, patience=PATIENCE)),
        (StoreLimits(shared("sqlite"), clock), StoreLimits(shared("sqlite"), clock)),
    ):
        assert finish(one.hit("key", most=1, seconds=60)) == 0
        assert finish(other.hit("key", most=1, seconds=60)) > 0
        one.close()
        other.close()


def test_stories_that_hold_all_connections_do_not_wait_for_limits(
    migrated_postgres: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Limits have connections of their own: with one pool for both, each story would wait for a second connection."""
    stores = open_store(migrated_postgres, records=[LimitWindow], pool_size=2)
    limits = StoreLimits(open_store(migrated_postgres, records=[LimitWindow], pool_size=2), Clock())

    async def story(number: int) -> int:
        async with stores.unit("sync") as store:
            await store.get(LimitWindow, key="taken")
            return await limits.hit(f"story {number}", most=1, seconds=60)

    with ThreadPoolExecutor(40) as threads:
        assert set(threads.map(lambda number: finish(story(number)), range(200))) == {0}
    assert caplog.messages == []
    stores.close()
    limits.close()


def test_installations_on_one_valkey_do_not_meet(fresh_valkey: str) -> None:
    one, other = (RedisLimits(fresh_valkey, namespace=name, patience=PATIENCE) for name in ("one", "other"))
    assert [finish(limits.hit("key", most=1, seconds=60)) for limits in (one, other)] == [0, 0]
    one.close()
    other.close()


def test_both_forms_count_together(fresh_valkey: str, runner: asyncio.Runner) -> None:
    limits = RedisLimits(fresh_valkey, patience=PATIENCE)
    assert finish(limits.hit("key", most=1, seconds=60)) == 0
    assert runner.run(_within(limits.awaiting.hit("key", most=1, seconds=60))) > 0
    runner.run(limits.awaiting.aclose())
    limits.close()


def test_memory_stays_bounded_and_keeps_who_is_under_attack() -> None:
    limits = MemoryLimits(Clock(), most_keys=100)
    for _ in range(6):
        finish(limits.hit("victim", most=5, seconds=300))
    for number in range(1000):
        finish(limits.hit(f"flood {number}", most=5, seconds=300))
    assert len(limits) <= 100
    assert finish(limits.hit("victim", most=5, seconds=300)) > 0


def test_memory_lets_go_of_what_is_over_first() -> None:
    clock = Clock()
    limits = MemoryLimits(clock, most_keys=10)
    for number in range(10):
        finish(limits.hit(f"old {number}", most=1, seconds=60))
    clock.forward(seconds=61)
    finish(limits.hit("new", most=1, seconds=60))
    assert len(limits) == 1


def test_where_limits_are_counted_can_be_told(fresh_valkey: str, shared: Callable[[str], Stores]) -> None:
    opened = [
        open_limits(clock=Clock()),
        open_limits(clock=Clock(), shared=shared("sqlite")),
        open_limits(fresh_valkey, clock=Clock()),
    ]
    assert [limits.name for limits in opened] == ["memory", "store", "valkey"]
    assert [limits.is_reachable() for limits in opened] == [True, True, True]
    assert [limits.where().partition(" at ")[0] for limits in opened] == [
        "in the memory of each process",
        "in the database, for all processes",
        "in Valkey",
    ]
    for limits in opened:
        limits.close()


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis://h:port/0"])
def test_a_url_that_names_no_valkey_is_refused_at_start(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"limits\.E2"):
        open_limits(url, clock=Clock())
