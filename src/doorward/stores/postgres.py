"""PostgreSQL through psycopg 3, in both colours, from pools that are made at first use."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
from psycopg import AsyncConnection, Connection, errors
from psycopg_pool import AsyncConnectionPool, ConnectionPool
from sqlalchemy.dialects.postgresql import psycopg as dialects

from doorward.core.ports import Colour, Store, Unavailable
from doorward.core.records import Record
from doorward.core.refusals import Misconfigured
from doorward.stores.revision import INCOMPLETE, QUESTION, UNMIGRATED
from doorward.stores.sqlalchemy import SqlStore, Taken
from doorward.stores.statements import Statements
from doorward.stores.tables import Home, homes_for

OPTIONS = ("patience", "pool_size", "prepare")
CREATES = False  # tables come by `doorward migrate`
UNABLE = (psycopg.OperationalError, psycopg.InterfaceError, errors.ReadOnlySqlTransaction)


class PostgresStores:
    """`pool_size`: most connections of this process in each colour. `patience`: seconds to wait for one.

    `prepare=False` for a pooler that gives each transaction another server connection (PgBouncer before 1.21).
    """

    colours: frozenset[Colour] = frozenset({"sync", "async"})

    def __init__(
        self,
        url: str,
        homes: Mapping[type[Record], Home],
        *,
        pool_size: int = 10,
        patience: float = 5.0,
        prepare: bool = True,
    ) -> None:
        self.conninfo = conninfo(url)
        connect: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": 5 if prepare else None,
            "connect_timeout": max(2, round(patience)),
            "application_name": "doorward",
        }
        pool = {
            "conninfo": self.conninfo,
            "kwargs": connect,
            "min_size": 0,
            "max_size": pool_size,
            "timeout": patience,
            "reconnect_timeout": patience,
            "open": False,
        }
        dialect = dialects.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
        self.statements = Statements(dialect, homes)
        self._sync = _SyncSource(pool, self.statements)
        self._async = _AsyncSource(pool, self.statements)

    def unit(self, colour: Colour) -> AbstractAsyncContextManager[Store]:
        return SqlStore(self._sync if colour == "sync" else self._async, self.statements)

    def close(self) -> None:
        """Let all connections go. A pool whose event loop runs is closed by that loop, a little later."""
        self._sync.close()
        self._async.close()

    async def aclose(self) -> None:
        """`close`, having waited for the pool of this event loop."""
        await self._async.aclose()
        self.close()


class _SyncSource:
    def __init__(self, options: dict[str, Any], statements: Statements) -> None:
        self._options, self.statements = options, statements
        self.spares = options["max_size"] + 1
        self._pool: ConnectionPool[Connection[Any]] | None = None
        self._abandoned: ConnectionPool[Connection[Any]] | None = None
        self._process = os.getpid()
        self._making = threading.Lock()

    async def take(self) -> _SyncLink:
        pool = self._pool
        if pool is None or self._process != os.getpid():  # a pool is of no use after a fork
            pool = self._opened()
        try:
            return _SyncLink(pool.getconn(), pool)
        except UNABLE as error:
            raise translated(error) from error

    async def give_back(self, link: _SyncLink) -> None:
        link.pool.putconn(link.connection)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _opened(self) -> ConnectionPool[Connection[Any]]:
        with self._making:
            if self._pool is None or self._process != os.getpid():
                self._abandoned = self._pool  # the parent's, whose sockets must not be closed from here
                self._pool, self._process = ConnectionPool(**self._options), os.getpid()
                self._pool.open()
            return self._pool


class _AsyncSource:
    """One pool for each event loop, for connections can't move between loops."""

    def __init__(self, options: dict[str, Any], statements: Statements) -> None:
        self._options, self.statements = options, statements
        self.spares = options["max_size"] + 1
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncConnectionPool[AsyncConnection[Any]]]
        self._pools = WeakKeyDictionary()

    async def take(self) -> _AsyncLink:
        pool = self._pools.get(asyncio.get_running_loop()) or await self._opened()
        try:
            return _AsyncLink(await pool.getconn(), pool)
        except UNABLE as error:
            raise translated(error) from error

    async def give_back(self, link: _AsyncLink) -> None:
        await link.pool.putconn(link.connection)

    def close(self) -> None:
        for loop, pool in list(self._pools.items()):
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(pool.close(), loop)
        self._pools.clear()

    async def aclose(self) -> None:
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.close()

    async def _opened(self) -> AsyncConnectionPool[AsyncConnection[Any]]:
        pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(**self._options)
        self._pools[asyncio.get_running_loop()] = pool  # before the first wait, so that rivals find it
        await pool.open()
        return pool


class _SyncLink:
    __slots__ = ("connection", "pool")

    aborts = True

    def __init__(self, connection: Connection[Any], pool: ConnectionPool[Connection[Any]]) -> None:
        self.connection, self.pool = connection, pool

    @property
    def is_lost(self) -> bool:
        return self.connection.closed

    async def run(self, text: str, parameters: Sequence[Any]) -> tuple[Sequence[Any], int]:
        try:
            cursor = self.connection.execute(text.encode(), parameters)
            return cursor.fetchall() if cursor.description else (), cursor.rowcount
        except psycopg.Error as error:
            raise translated(error) from error

    write = run

    async def begin(self) -> None:
        await self.run("BEGIN", ())

    async def commit(self) -> None:
        try:
            done = self.connection.execute(b"COMMIT").statusmessage
        except psycopg.Error as error:
            raise translated(error) from error
        _check(done)

    async def rollback(self) -> None:
        if not self.connection.closed:
            await self.run("ROLLBACK", ())


class _AsyncLink:
    __slots__ = ("connection", "pool")

    aborts = True

    def __init__(self, connection: AsyncConnection[Any], pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
        self.connection, self.pool = connection, pool

    @property
    def is_lost(self) -> bool:
        return self.connection.closed

    async def run(self, text: str, parameters: Sequence[Any]) -> tuple[Sequence[Any], int]:
        try:
            cursor = await self.connection.execute(text.encode(), parameters)
            return await cursor.fetchall() if cursor.description else (), cursor.rowcount
        except psycopg.Error as error:
            raise translated(error) from error

    write = run

    async def begin(self) -> None:
        await self.run("BEGIN", ())

    async def commit(self) -> None:
        try:
            done = (await self.connection.execute(b"COMMIT")).statusmessage
        except psycopg.Error as error:
            raise translated(error) from error
        _check(done)

    async def rollback(self) -> None:
        if not self.connection.closed:
            await self.run("ROLLBACK", ())


def translated(error: psycopg.Error) -> Exception:
    """The driver's error in our words; the error itself where it is a mistake of ours."""
    if isinstance(error, errors.UniqueViolation):
        return Taken(error.diag.constraint_name or "")
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        return Misconfigured("store.E1", UNMIGRATED)
    if isinstance(error, errors.NotNullViolation):
        return Misconfigured("store.E6", INCOMPLETE + f"{error.diag.table_name}.{error.diag.column_name}")
    if isinstance(error, UNABLE):
        return Unavailable(f"PostgreSQL: {type(error).__name__}")
    return error


def stores_for(url: str, records: Iterable[type[Record]], user_table: Any, **options: Any) -> PostgresStores:
    """What `open_store` opens."""
    return PostgresStores(url, homes_for(records, user_table), **options)


def installed(stores: PostgresStores) -> str | None:
    """The revision of the tables; None where there are none. Raises `Unavailable`."""
    try:
        # A connection of its own: a pool made now would be of no use to the workers that are forked later.
        with psycopg.connect(stores.conninfo, autocommit=True, connect_timeout=3) as connection:
            row = connection.execute(QUESTION.encode()).fetchone()
    except errors.UndefinedTable:
        return None
    except psycopg.Error as error:
        raise translated(error) from error
    return str(row[0]) if row else None


def conninfo(url: str) -> str:
    """The URL as libpq reads it: without SQLAlchemy's driver name."""
    try:
        return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    except (sa.exc.ArgumentError, ValueError):
        raise Misconfigured("store.E4", "write PostgreSQL's URL as postgresql://user@host:5432/name") from None


def _check(done: str | None) -> None:
    """PostgreSQL answers COMMIT of a spoilt transaction with ROLLBACK, and no error."""
    if done != "COMMIT":
        raise RuntimeError("a statement of this transaction had failed, so nothing of it is kept")
