"""The host lends its own SQLAlchemy session, so that its rows and ours are in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, SessionTransactionOrigin, scoped_session

from doorward.core.ports import Colour, Store, Unavailable
from doorward.core.records import Record
from doorward.core.refusals import Misconfigured
from doorward.stores import sqlite
from doorward.stores.revision import UNMIGRATED
from doorward.stores.sqlalchemy import SqlStore, Taken
from doorward.stores.statements import Statements
from doorward.stores.tables import Home

Lender = Callable[[], "Session | scoped_session[Session]"]

# SQLSTATEs (PostgreSQL, appendix A): unique_violation; undefined_table, undefined_column.
CLASH, ABSENT = "23505", ("42P01", "42703")


def session_store(stores: Any, lender: Lender) -> LentStores:
    """Stores whose units of work use the session that `lender` returns, for the same records as `stores` (SQL)."""
    return LentStores(stores.statements.homes, lender)


class LentStores:
    """Units of work on the host's session; synchronous, as `sqlalchemy.orm.Session` is.

    Where the host has work pending, ours joins it: the host commits or rolls back both. Where it has none, our
    transactions end with `session.commit()` or `session.rollback()`, which as ever expires the objects it has loaded.
    """

    colours: frozenset[Colour] = frozenset({"sync"})

    def __init__(self, homes: Mapping[type[Record], Home], lender: Lender) -> None:
        self._homes, self._lender = homes, lender
        self._statements: dict[str, Statements] = {}

    def unit(self, colour: Colour) -> AbstractAsyncContextManager[Store]:
        if colour not in self.colours:
            raise ValueError("a lent session has one colour, sync")
        lent = self._lender()
        session = lent() if isinstance(lent, scoped_session) else lent
        return _LentStore(session, self._for(session.get_bind().dialect))

    def close(self) -> None:
        """Nothing here is ours to close."""

    def _for(self, dialect: sa.Dialect) -> Statements:
        found = self._statements.get(dialect.name)
        if found is None:
            if dialect.name not in ("sqlite", "postgresql"):
                raise Misconfigured("store.E4", f"a session on {dialect.name}; SQLite and PostgreSQL are supported")
            style = "qmark" if dialect.name == "sqlite" else "format"
            alike: Any = type(dialect)  # of the host's driver, but with placeholders by position
            found = self._statements[dialect.name] = Statements(alike(paramstyle=style), self._homes)
        return found


class _LentStore(SqlStore):
    __slots__ = ("_session",)

    def __init__(self, session: Session, statements: Statements) -> None:
        super().__init__(_Lent(session, statements), statements)
        self._session = session

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0 or has_pending_work(self._session)


class _Lent:
    spares = 1

    def __init__(self, session: Session, statements: Statements) -> None:
        self.session, self.statements = session, statements

    async def take(self) -> _LentLink:
        return _LentLink(self.session)

    async def give_back(self, link: _LentLink) -> None:
        """Leave the session as it was found: without the transaction that SQLAlchemy began for our reads."""
        if link.began and self.session.in_transaction() and not has_pending_work(self.session):
            self.session.commit()


class _LentLink:
    __slots__ = ("_joined", "_session", "aborts", "began")

    is_lost = False

    def __init__(self, session: Session) -> None:
        self._session = session
        self._joined = False
        self.began = not session.in_transaction()
        self.aborts = session.get_bind().dialect.name == "postgresql"

    async def run(self, text: str, parameters: Sequence[Any]) -> tuple[Sequence[Any], int]:
        if self._session.autoflush:
            self._session.flush()  # what the host has added is there for us too
        try:
            result = self._session.connection().exec_driver_sql(text, tuple(parameters))
            return result.fetchall() if result.returns_rows else (), result.rowcount
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise translated(error) from error

    async def write(self, text: str, parameters: Sequence[Any]) -> tuple[Sequence[Any], int]:
        await self.begin()
        try:
            done = await self._apart(text, parameters) if self._joined else await self.run(text, parameters)
        except BaseException:
            await self.rollback()
            raise
        await self.commit()
        return done

    async def _apart(self, text: str, parameters: Sequence[Any]) -> tuple[Sequence[Any], int]:
        """Inside the host's transaction, which must stay usable if a unique value is taken."""
        with self._session.begin_nested():
            return await self.run(text, parameters)

    async def begin(self) -> None:
        self._joined = has_pending_work(self._session)

    async def commit(self) -> None:
        if not self._joined:
            try:
                self._session.commit()
            except sa.exc.DBAPIError as error:
                raise translated(error) from error

    async def rollback(self) -> None:
        if not self._joined:
            self._session.rollback()


def has_pending_work(session: Session) -> bool:
    """Whether a commit now would make something of the host's permanent, or the host means to say when it is.

    True for a transaction that was begun explicitly, for objects that wait to be flushed, and for one that has
    written. A transaction that SQLAlchemy began by itself for a read is none. On PostgreSQL that is one more question
    to the server; on SQLite the driver knows, unless the host has set the engine up to begin at once: then every
    open transaction counts as pending.
    """
    if session.new or session.dirty or session.deleted:
        return True
    begun = session.get_transaction()
    if begun is None:
        return False
    if session.in_nested_transaction() or begun.origin is not SessionTransactionOrigin.AUTOBEGIN:
        return True
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        return bool(driver.in_transaction)
    try:
        return connection.scalar(sa.text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")) is True
    except sa.exc.DBAPIError as error:
        raise translated(error) from error


def translated(error: sa.exc.DBAPIError | sa.exc.TimeoutError) -> Exception:
    """SQLAlchemy's error in our words; the error itself where it is a mistake of ours."""
    if isinstance(error, sa.exc.TimeoutError):
        return Unavailable("the lent session: its pool is empty")
    cause: Any = error.orig
    if isinstance(cause, sqlite3.Error):
        known = sqlite.translated(cause)
        return error if known is cause else known
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)  # psycopg 3, psycopg2
    if state == CLASH:
        return Taken(str(state))
    if state in ABSENT:
        return Misconfigured("store.E1", UNMIGRATED)
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return Unavailable(f"the lent session: {type(cause).__name__}")
    return error
