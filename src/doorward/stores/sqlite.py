"""SQLite: write-ahead log, writers in turn, as many connections as there are units of work at one time."""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from doorward.core.ports import Colour, Store, Unavailable
from doorward.core.records import Record
from doorward.core.refusals import Misconfigured
from doorward.stores.revision import INCOMPLETE, QUESTION, UNMIGRATED
from doorward.stores.sqlalchemy import SqlStore, Taken
from doorward.stores.statements import Statements
from doorward.stores.tables import Home, homes_for

OPTIONS = ("patience", "synchronous")
CREATES = True  # a database that has none of our tables gets them at once
SPELLING = "write SQLite's URL as sqlite:///relative/path or sqlite:////absolute/path"
NUMBERS = itertools.count(1)
OUT_OF_REACH = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}
CLASHES = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}


class SqliteStores:
    """`path` None keeps everything in memory. `patience`: seconds to wait for another writer.

    `synchronous` is FULL: with NORMAL a loss of power may undo the last commits, and a recovery code that was used,
    or a session that was ended, would be good again. It costs one fsync a commit, beside 20 ms of argon2.
    """

    colours: frozenset[Colour] = frozenset({"sync"})
    spares = 1

    def __init__(
        self,
        path: str | None,
        homes: Mapping[type[Record], Home],
        *,
        patience: float = 5.0,
        synchronous: str = "FULL",
    ) -> None:
        if synchronous not in ("NORMAL", "FULL", "EXTRA"):
            raise Misconfigured("store.E4", f"synchronous={synchronous!r}: choose FULL or NORMAL")
        # SQLite's own file system in memory: separate connections with locks, as on a disk.
        self._name = f"file:/doorward-{os.getpid()}-{next(NUMBERS)}?vfs=memdb" if path is None else path
        self._in_memory = path is None
        self._patience, self._synchronous = patience, synchronous
        self.statements = Statements(sqlite.dialect(), homes)
        self._process = os.getpid()
        self._idle: list[SqliteLink] = []
        self._abandoned: list[SqliteLink] = []
        self._turns = threading.Lock()
        self._anchor = self.connect() if path is None else None  # memory lasts as long as a connection to it

    def unit(self, colour: Colour) -> AbstractAsyncContextManager[Store]:
        if colour not in self.colours:
            raise ValueError("SQLite has one colour, sync")
        return SqlStore(self, self.statements)

    async def take(self) -> SqliteLink:
        if self._process != os.getpid():
            self._begin_again_after_fork()
        try:
            return self._idle.pop()
        except IndexError:
            return SqliteLink(self.connect(), self._turns, self._patience)

    async def give_back(self, link: SqliteLink) -> None:
        if link.has_turn:  # a story was broken off
            await link.rollback()
        self._idle.append(link)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def connect(self) -> sqlite3.Connection:
        """A new connection in autocommit. Raises `Unavailable`."""
        try:
            connection = sqlite3.connect(
                self._name,
                uri=self._in_memory,
                timeout=self._patience,
                isolation_level=None,
                check_same_thread=False,  # one thread at a time uses it, but not always the same
                cached_statements=256,
            )
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
            if not self._in_memory:
                self._use_wal(connection)
        except sqlite3.Error as error:
            raise translated(error) from error
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Once and for all times: the file remembers it."""
        deadline = time.monotonic() + self._patience
        while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError:  # somebody else does it now, and here SQLite itself does not wait
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _begin_again_after_fork(self) -> None:
        # https://www.sqlite.org/howtocorrupt.html §2.6: a connection must not be used, nor closed, across a fork.
        self._process = os.getpid()
        self._abandoned += self._idle
        self._idle, self._turns = [], threading.Lock()


class SqliteLink:
    """A connection. Writers of this process queue for their turn: SQLite itself would let them poll."""

    __slots__ = ("_connection", "_patience", "_turns", "has_turn")

    aborts = False
    is_lost = False

    def __init__(self, connection: sqlite3.Connection, turns: threading.Lock, patience: float) -> None:
        self._connection, self._turns, self._patience = connection, turns, patience
        self.has_turn = False

    async def run(self, text: str, parameters: Sequence[Any]) -> tuple[Sequence[Any], int]:
        try:
            cursor = self._connection.execute(text, parameters)
            return cursor.fetchall(), cursor.rowcount
        except sqlite3.Error as error:
            raise translated(error) from error

    async def write(self, text: str, parameters: Sequence[Any]) -> tuple[Sequence[Any], int]:
        self._wait_for_turn()
        try:
            return await self.run(text, parameters)
        finally:
            self._end_turn()

    async def begin(self) -> None:
        # Deferred, it would answer «locked» at once where a read turns into a write, whatever the time-out says.
        self._wait_for_turn()
        try:
            await self.run("BEGIN IMMEDIATE", ())
        except BaseException:
            self._end_turn()
            raise

    async def commit(self) -> None:
        try:
            await self.run("COMMIT", ())
        finally:
            await self.rollback()  # of no effect but after a commit that failed

    async def rollback(self) -> None:
        try:
            if self._connection.in_transaction:  # a full disk ends the transaction by itself
                await self.run("ROLLBACK", ())
        finally:
            self._end_turn()

    def close(self) -> None:
        self._connection.close()

    def _wait_for_turn(self) -> None:
        if not self._turns.acquire(timeout=self._patience):
            raise Unavailable("another transaction does not end")
        self.has_turn = True

    def _end_turn(self) -> None:
        if self.has_turn:
            self.has_turn = False
            self._turns.release()


def translated(error: sqlite3.Error) -> Exception:
    """The driver's error in our words; the error itself where it is a mistake of ours."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in CLASHES:
        return Taken(str(error))
    if code == sqlite3.SQLITE_CONSTRAINT_NOTNULL:
        return Misconfigured("store.E6", INCOMPLETE + str(error).rpartition(" ")[2])
    if code & 0xFF in OUT_OF_REACH:
        return Unavailable(f"SQLite: {error}")
    if code == sqlite3.SQLITE_ERROR and "no such" in str(error):
        return Misconfigured("store.E1", UNMIGRATED)
    return error


def stores_for(url: str, records: Iterable[type[Record]], user_table: Any, **options: Any) -> SqliteStores:
    """What `open_store` opens."""
    return SqliteStores(path_of(url), homes_for(records, user_table), **options)


def installed(stores: SqliteStores) -> str | None:
    """The revision of the tables; None where there are none. Raises `Unavailable`."""
    connection = stores.connect()
    try:
        return str(connection.execute(QUESTION).fetchone()[0])
    except (sqlite3.OperationalError, TypeError):
        return None
    finally:
        connection.close()


def path_of(url: str) -> str | None:
    """The file that `sqlite:///path` names; None for `sqlite://`."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise Misconfigured("store.E4", SPELLING) from None
    if parsed.host or parsed.query:
        raise Misconfigured("store.E4", SPELLING)
    return None if parsed.database in (None, "", ":memory:") else parsed.database
