"""SQLite in the conditions of production: forks, full disks, stories that are broken off."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorward.core.finish import finish
from doorward.core.ports import Unavailable
from doorward.core.records import OutboxMessage
from doorward.core.refusals import Misconfigured
from doorward.stores import open_store
from doorward.testing.store_player import message
from tests.stores.records import RECORDS


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Any]:
    stores = open_store(f"sqlite:///{tmp_path}/app.db", records=RECORDS, patience=0.2)
    yield stores
    stores.close()


async def count(stores: Any) -> int:
    async with stores.unit("sync") as store:
        return await store.count(OutboxMessage)


async def add(stores: Any, number: int, **values: Any) -> bool:
    async with stores.unit("sync") as store:
        return await store.add(message(number, **values))


def test_it_has_one_colour(stores: Any) -> None:
    with pytest.raises(ValueError, match="sync"):
        stores.unit("async")


def test_what_is_acknowledged_survives_a_loss_of_power(stores: Any) -> None:
    (full,) = stores.connect().execute("PRAGMA synchronous").fetchone()
    assert full == 2


def test_connections_are_used_again(stores: Any) -> None:
    async def story() -> tuple[Any, Any]:
        first = await stores.take()
        await stores.give_back(first)
        return first, await stores.take()

    first, second = finish(story())
    assert first is second


def test_a_child_process_makes_connections_of_its_own(stores: Any) -> None:
    finish(add(stores, 1))
    child = os.fork()
    if child == 0:
        fine = False
        try:
            fine = finish(count(stores)) == 1 and finish(add(stores, 2))
        finally:
            os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert finish(count(stores)) == 2
    assert finish(add(stores, 3))


def test_another_transaction_that_does_not_end_is_unavailable(stores: Any) -> None:
    async def story() -> None:
        async with stores.unit("sync") as first, first.transaction():
            assert await first.add(message(1))
            assert await count(stores) == 0
            with pytest.raises(Unavailable):
                await add(stores, 2)
            with pytest.raises(Unavailable):
                async with stores.unit("sync") as second, second.transaction():
                    pass

    finish(story())
    assert finish(count(stores)) == 1


def test_a_writer_in_another_process_is_waited_for(stores: Any, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        finish(add(stores, 1))
    other.execute("COMMIT")
    assert finish(add(stores, 1))


def test_a_story_that_is_broken_off_leaves_nothing_and_blocks_nobody(stores: Any) -> None:
    async def story() -> None:
        async with stores.unit("sync") as store:
            await store.transaction().__aenter__()
            await store.add(message(1))

    finish(story())
    assert finish(count(stores)) == 0
    assert finish(add(stores, 2))


def test_a_full_disk_is_unavailable_and_nothing_is_half_written(stores: Any) -> None:
    async def story() -> None:
        async with stores.unit("sync") as store:
            link = await store._taken()
            (pages,) = (await link.run("PRAGMA page_count", ()))[0][0]
            await link.run(f"PRAGMA max_page_count={pages + 4}", ())
            with pytest.raises(Unavailable):  # noqa: PT012
                async with store.transaction():
                    for number in range(99):
                        await store.add(message(number, body="x" * 4000))
            await link.run("PRAGMA max_page_count=100000", ())

    finish(story())
    assert finish(count(stores)) == 0
    assert finish(add(stores, 1))


def test_a_table_that_is_missing_names_the_command(stores: Any) -> None:
    stores.connect().execute("DROP TABLE doorward_outbox")
    with pytest.raises(Misconfigured, match=r"store\.E1.*doorward migrate"):
        finish(count(stores))
