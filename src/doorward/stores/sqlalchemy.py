"""The seven verbs on SQL: statements made by SQLAlchemy Core, run as text on the driver's own connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Protocol, TypeVar

from doorward.core.ports import Store, Unavailable
from doorward.core.records import Plus, Record, User, columns, key_of
from doorward.core.refusals import Refused
from doorward.stores.builder import Statement
from doorward.stores.statements import Statements
from doorward.stores.values import Unstorable, erased_user, ordering, overlong, uniques_of

R = TypeVar("R", bound=Record)
T = TypeVar("T")

# Both read the state of their first statement to the end; SQLite's, deferred, waits for no writer and lets none wait.
SNAPSHOT = {"postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "sqlite": "BEGIN DEFERRED"}
SAVE, UNDO, FORGET = "SAVEPOINT doorward", "ROLLBACK TO SAVEPOINT doorward", "RELEASE SAVEPOINT doorward"


class Taken(Exception):
    """A unique value is taken: the database refused the statement."""


class Link(Protocol):
    """A connection in autocommit, of either colour. All raise `Unavailable` when the database is out of reach."""

    aborts: bool  # a refused statement spoils the whole transaction

    @property
    def is_lost(self) -> bool:
        """The connection is of no use any more."""

    async def run(self, text: str, parameters: Sequence[Any], /) -> tuple[Sequence[Any], int]:
        """All rows, and the number of rows concerned. Raises `Taken`."""

    async def write(self, text: str, parameters: Sequence[Any], /) -> tuple[Sequence[Any], int]:
        """`run` for what writes while no transaction of ours is open."""

    async def begin(self) -> None: ...
    async def commit(self) -> None: ...
    async def rollback(self) -> None: ...


class Source(Protocol):
    """Where a unit of work takes its connection from and gives it back to."""

    statements: Statements
    spares: int  # how many connections may have died in the pool, and one

    async def take(self) -> Link: ...
    async def give_back(self, link: Any, /) -> None: ...


class SqlStore:
    """One unit of work. It takes its connection at first use; outside a transaction every statement stands alone."""

    __slots__ = ("_broken", "_depth", "_link", "_source", "_statements")

    def __init__(self, source: Source, statements: Statements) -> None:
        self._source = source
        self._statements = statements
        self._link: Link | None = None
        self._depth = 0
        self._broken = False

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *exception: object) -> None:
        link, self._link = self._link, None
        if link is not None:
            await self._source.give_back(link)

    async def add(self, *records: Record) -> bool:
        if len(records) == 1:
            return await self._insert(records[0]) is not None
        async with self.transaction():
            inserted: list[Record] = []
            for record in records:
                new = await self._insert(record)
                if new is None:
                    # Rows of this very transaction: to delete them again costs nothing where all goes well,
                    # and a savepoint would cost two round trips each time.
                    for row in inserted:
                        await self.remove(type(row), **{key_of(type(row)): getattr(row, key_of(type(row)))})
                    return False
                inserted.append(new)
        return True

    async def get(self, kind: type[R], /, **where: Any) -> R | None:
        shape, values = self._statements.shaped(kind, where)
        rows, _ = await self._read(self._statements.get(kind, shape), values)
        return self._statements.readers[kind](rows[0]) if rows else None

    async def find(
        self, kind: type[R], /, *, order: str = "", limit: int = 100, after: R | None = None, **where: Any
    ) -> list[R]:
        shape, values = self._statements.shaped(kind, where)
        statement = self._statements.find(kind, shape, order, after is not None)
        if after is not None:
            values += [getattr(after, ordering(kind, order)[0]), getattr(after, key_of(kind))]
        rows, _ = await self._read(statement, [*values, limit])
        read = self._statements.readers[kind]
        return [read(row) for row in rows]

    async def count(self, kind: type[Record], /, **where: Any) -> int:
        shape, values = self._statements.shaped(kind, where)
        rows, _ = await self._read(self._statements.count(kind, shape), values)
        return int(rows[0][0]) if rows else 0

    async def change(self, kind: type[Record], where: dict[str, Any], /, **values: Any) -> int:
        missing = self._statements.homes[kind].missing
        if missing and values.keys() <= missing.keys():
            return await self.count(kind, **where)  # a host's table without these columns: nothing to write
        shape, compared_with = self._statements.shaped(kind, where)
        sums = frozenset(name for name, value in values.items() if isinstance(value, Plus))
        statement = self._statements.change(kind, shape, tuple(values), sums)
        new = [value.by if isinstance(value, Plus) else value for value in values.values()]
        may_clash = any(values.keys() & set(names) for names in uniques_of(kind))
        try:
            return (await self._write(statement, [*new, *compared_with], may_clash))[1]
        except Taken:
            return 0

    async def take(self, kind: type[R], /, **where: Any) -> R | None:
        shape, values = self._statements.shaped(kind, where)
        rows, _ = await self._write(self._statements.take(kind, shape), values)
        return self._statements.readers[kind](rows[0]) if rows else None

    async def remove(self, kind: type[Record], /, *, limit: int | None = None, **where: Any) -> int:
        shape, values = self._statements.shaped(kind, where)
        statement = self._statements.remove(kind, shape, limit is not None)
        if limit is None:
            return (await self._write(statement, values))[1]
        rows, _ = await self._write(statement, [*values, limit])
        return len(rows)

    async def add_user(self, user: User) -> User | None:
        new = await self._insert(user)
        home = self._statements.homes[User]
        # A host's table has a key, defaults and columns of its own: what it made of the row is what is returned.
        return await self.get(User, id=new.id) if new and home.missing | home.defaults else new

    def overlong(self, **values: str) -> Mapping[str, int]:
        return overlong(values, self._statements.homes[User].longest)

    async def erase_user(self, id: str) -> bool:
        if self._statements.homes[User].is_hosts:
            return await self.change(User, {"id": id}, **erased_user(id)) == 1
        return await self.remove(User, id=id) == 1

    def transaction(self) -> AbstractAsyncContextManager[None]:
        return _Transaction(self)

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """All reads inside are of one state of the database, however long it takes; nothing is written."""
        link = self._link or await self._taken()
        await link.run(SNAPSHOT[self._statements.dialect.name], ())
        self._depth += 1
        try:
            yield
        finally:
            await self.leave(well=False)

    async def _insert(self, record: R) -> R | None:
        kind = type(record)
        statement = self._statements.insert(kind)
        rows, count = await self._write(statement, [getattr(record, column.name) for column in columns(kind)])
        if self._statements.homes[kind].chooses_key:
            return replace(record, **{key_of(kind): self._statements.keys[kind](rows[0][0])}) if rows else None
        return record if count else None

    async def _read(self, statement: Statement, values: Sequence[Any]) -> tuple[Sequence[Any], int]:
        try:
            parameters = statement.parameters(values)
        except Unstorable:
            return (), 0
        link = self._link or await self._taken()
        try:
            return await link.run(statement.text, parameters)
        except Unavailable:
            if self._depth or not link.is_lost:
                raise
            return await self._again(lambda link: link.run(statement.text, parameters))

    async def _write(
        self, statement: Statement, values: Sequence[Any], may_clash: bool = False
    ) -> tuple[Sequence[Any], int]:
        try:
            parameters = statement.parameters(values)
        except Unstorable:
            return (), 0
        link = self._link or await self._taken()
        if not self._depth:
            return await link.write(statement.text, parameters)
        if not (may_clash and link.aborts):
            return await link.run(statement.text, parameters)
        await link.run(SAVE, ())
        try:
            done = await link.run(statement.text, parameters)
        except Taken:
            await link.run(UNDO, ())
            raise
        await link.run(FORGET, ())
        return done

    async def _taken(self) -> Link:
        self._link = await self._source.take()
        return self._link

    async def _again(self, do: Callable[[Link], Awaitable[T]]) -> T:
        """Do what may be done again on another connection, after the one we had was found dead in the pool.

        A restarted server, or a firewall that forgets, leaves a whole pool of dead ones.
        """
        for _ in range(self._source.spares):
            await self.__aexit__()
            link = await self._taken()
            try:
                return await do(link)
            except Unavailable:
                if not link.is_lost:
                    raise
        raise Unavailable("every connection of the pool is dead")

    async def enter(self) -> None:
        """Begin a transaction, or join the one that is open."""
        if self._depth == 0:
            link = self._link or await self._taken()
            try:
                await link.begin()
            except Unavailable:
                if not link.is_lost:
                    raise
                await self._again(lambda link: link.begin())
        self._depth += 1

    async def leave(self, *, well: bool) -> None:
        """End what `enter` began. The outermost one commits, unless something went wrong inside."""
        self._depth -= 1
        self._broken = self._broken or not well
        if self._depth or self._link is None:
            return
        broken, self._broken = self._broken, False
        if not broken:
            return await self._link.commit()
        await self._link.rollback()
        if well:
            raise RuntimeError("a part of this transaction failed, so nothing of it is kept")


class _Transaction:
    __slots__ = ("_store",)

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def __aenter__(self) -> None:
        await self._store.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._store.leave(well=exception is None or isinstance(exception, Refused))
