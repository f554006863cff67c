"""PostgreSQL in the conditions of production: connections that die, pools that are empty, forks."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import psycopg
import pytest

from doorward.core.finish import finish
from doorward.core.ports import Colour, Unavailable
from doorward.core.records import OutboxMessage
from doorward.core.refusals import Misconfigured
from doorward.stores import migrations, open_store
from doorward.testing.store_player import message
from tests.stores.records import RECORDS

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(scope="module")
def url(fresh_postgres: Callable[[], str]) -> str:
    made = fresh_postgres()
    migrations.migrate(made)
    return made


@pytest.fixture
def stores(url: str) -> Iterator[Any]:
    execute(url, "TRUNCATE doorward_outbox")
    stores = open_store(url, records=RECORDS, pool_size=2, patience=1.0)
    yield stores
    stores.close()


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def run(stores: Any, colour: Colour) -> Run:
    async def closing(story: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await story
        finally:
            await stores.aclose()

    return finish if colour == "sync" else lambda story: asyncio.run(closing(story))


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def cut_all_connections(url: str) -> None:
    execute(url, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'doorward'")


async def count(stores: Any, colour: Colour) -> int:
    async with stores.unit(colour) as store:
        found: int = await store.count(OutboxMessage)
        return found


def test_a_read_does_not_notice_that_the_server_was_restarted(stores: Any, url: str, colour: Colour, run: Run) -> None:
    async def story() -> None:
        for _ in range(2):
            assert await count(stores, colour) == 0
            cut_all_connections(url)
        assert await count(stores, colour) == 0

    run(story())


def test_nor_does_a_transaction_that_begins(stores: Any, url: str, colour: Colour, run: Run) -> None:
    async def story() -> None:
        assert await count(stores, colour) == 0
        cut_all_connections(url)
        async with stores.unit(colour) as store, store.transaction():
            assert await store.add(message(1))
        assert await count(stores, colour) == 1

    run(story())


def test_a_transaction_that_is_cut_is_unavailable_and_leaves_nothing(
    stores: Any, url: str, colour: Colour, run: Run
) -> None:
    async def story() -> None:
        with pytest.raises(Unavailable):  # noqa: PT012
            async with stores.unit(colour) as store, store.transaction():
                await store.add(message(1))
                cut_all_connections(url)
                await store.add(message(2))
        assert await count(stores, colour) == 0

    run(story())


def test_a_commit_that_is_cut_is_no_success(stores: Any, url: str, colour: Colour, run: Run) -> None:
    async def story() -> None:
        with pytest.raises(Unavailable):  # noqa: PT012
            async with stores.unit(colour) as store, store.transaction():
                await store.add(message(1))
                cut_all_connections(url)
        assert await count(stores, colour) == 0

    run(story())


def test_a_write_that_is_cut_is_not_repeated(stores: Any, url: str, colour: Colour, run: Run) -> None:
    async def story() -> None:
        assert await count(stores, colour) == 0
        cut_all_connections(url)
        with pytest.raises(Unavailable):  # whether it was written, nobody could say
            async with stores.unit(colour) as store:
                await store.add(message(1))
        async with stores.unit(colour) as store:
            assert await store.add(message(1))

    run(story())


def test_an_empty_pool_is_unavailable_and_fills_again(stores: Any, colour: Colour, run: Run) -> None:
    async def story() -> None:
        async with stores.unit(colour) as first, stores.unit(colour) as second:
            assert await first.count(OutboxMessage) == await second.count(OutboxMessage) == 0
            with pytest.raises(Unavailable):
                await count(stores, colour)
        assert await count(stores, colour) == 0

    run(story())


def test_a_swallowed_failure_of_a_statement_is_no_success(stores: Any, colour: Colour, run: Run) -> None:
    async def story() -> None:
        async with stores.unit(colour) as store:
            with pytest.raises(RuntimeError, match="nothing of it is kept"):  # noqa: PT012
                async with store.transaction():
                    await store.add(message(1))
                    with pytest.raises(psycopg.Error):
                        await store._link.run("SELECT 1/0", ())
        assert await count(stores, colour) == 0

    run(story())


def test_it_works_without_prepared_statements(url: str) -> None:
    stores: Any = open_store(url, records=RECORDS, prepare=False)
    assert [finish(count(stores, "sync")) for _ in range(9)] == [0] * 9
    stores.close()


def test_units_of_work_that_do_nothing_take_no_connection(url: str) -> None:
    stores: Any = open_store(url, records=RECORDS)

    async def story() -> None:
        async with stores.unit("sync"):
            pass

    finish(story())
    assert stores._sync._pool is None


def test_a_child_process_makes_connections_of_its_own(stores: Any) -> None:
    assert finish(count(stores, "sync")) == 0
    child = os.fork()
    if child == 0:
        fine = False
        try:
            fine = finish(count(stores, "sync")) == 0
        finally:
            os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert finish(count(stores, "sync")) == 0


def test_a_cancelled_request_leaves_nothing_and_gives_its_connection_back(stores: Any) -> None:
    async def slow() -> None:
        async with stores.unit("async") as store, store.transaction():
            await store.add(message(1))
            await store._link.run("SELECT pg_sleep(5)", ())

    async def story() -> None:
        for _ in range(3):  # more often than there are connections
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(slow(), 0.2)
        assert await count(stores, "async") == 0
        await stores.aclose()

    asyncio.run(story())


def test_a_table_that_is_missing_names_the_command(fresh_postgres: Callable[[], str]) -> None:
    url = fresh_postgres()
    migrations.migrate(url)
    stores: Any = open_store(url, records=RECORDS)
    execute(url, "DROP TABLE doorward_outbox")
    with pytest.raises(Misconfigured, match=r"store\.E1.*doorward migrate"):
        finish(count(stores, "sync"))
    stores.close()
