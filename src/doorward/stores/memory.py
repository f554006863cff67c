"""Records in this process's memory: for tests and small tools; gone when the process ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from operator import attrgetter, gt, lt
from types import TracebackType
from typing import Any, TypeVar, cast

from doorward.core.ports import Colour, Store, Unavailable
from doorward.core.records import Plus, Record, User, key_of
from doorward.core.refusals import Refused
from doorward.stores.values import (
    Comparison,
    Unstorable,
    column_of,
    comparisons,
    folded,
    keepable,
    kept,
    ordering,
    overlong,
    uniques_of,
)

R = TypeVar("R", bound=Record)
Table = dict[Any, Record]

PATIENCE = 5.0  # seconds that a writer waits for another one, as on SQLite


class MemoryStores:
    """Tables are dictionaries that are replaced and never altered, so readers need no lock; one writer at a time."""

    colours: frozenset[Colour] = frozenset({"sync", "async"})

    def __init__(self, records: Iterable[type[Record]]) -> None:
        self.tables: Mapping[type[Record], Table] = {kind: {} for kind in records}
        self.writing = threading.Lock()

    def unit(self, colour: Colour) -> AbstractAsyncContextManager[Store]:
        return MemoryStore(self, colour)

    def close(self) -> None:
        """Nothing is open."""


class MemoryStore:
    """One unit of work over the tables of its `MemoryStores`."""

    __slots__ = ("_broken", "_colour", "_depth", "_shared", "_tables")

    def __init__(self, shared: MemoryStores, colour: Colour) -> None:
        self._shared = shared
        self._colour = colour
        self._tables: dict[type[Record], Table] = {}  # those that the open transaction has replaced
        self._depth = 0
        self._broken = False

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Nothing to give back."""

    async def add(self, *records: Record) -> bool:
        async with self.transaction():
            changed: dict[type[Record], Table] = {}
            for record in map(kept, records):
                kind = type(record)
                table = changed.setdefault(kind, dict(self._table(kind)))
                if _is_taken(table.values(), record):
                    return False
                table[getattr(record, key_of(kind))] = record
            self._tables.update(changed)
        return True

    async def get(self, kind: type[R], /, **where: Any) -> R | None:
        return next(iter(self._matching(kind, where)), None)

    async def find(
        self, kind: type[R], /, *, order: str = "", limit: int = 100, after: R | None = None, **where: Any
    ) -> list[R]:
        name, backwards = ordering(kind, order)
        place = attrgetter(name, key_of(kind))
        rows = sorted(self._matching(kind, where), key=place, reverse=backwards)
        if after is not None:
            beyond, last = lt if backwards else gt, place(after)
            rows = [row for row in rows if beyond(place(row), last)]
        return rows[:limit]

    async def change(self, kind: type[Record], where: dict[str, Any], /, **values: Any) -> int:
        sums = {name: value for name, value in values.items() if isinstance(value, Plus)}
        plain = {name: keepable(column_of(kind, name), values[name]) for name in values.keys() - sums}
        key = attrgetter(key_of(kind))
        async with self.transaction():
            found = self._matching(kind, where)
            changed = [replace(row, **plain, **_sums(row, sums)) for row in found]
            table = dict(self._table(kind))
            for row in found:
                del table[key(row)]
            for row in changed:
                if _is_taken(table.values(), row):
                    return 0
                table[key(row)] = row
            self._tables[kind] = table
        return len(changed)

    async def take(self, kind: type[R], /, **where: Any) -> R | None:
        async with self.transaction():
            row = await self.get(kind, **where)
            self._drop(kind, [row] if row else [])
        return row

    async def remove(self, kind: type[Record], /, *, limit: int | None = None, **where: Any) -> int:
        async with self.transaction():
            rows = self._matching(kind, where)[:limit]
            self._drop(kind, rows)
        return len(rows)

    async def count(self, kind: type[Record], /, **where: Any) -> int:
        return len(self._matching(kind, where))

    async def add_user(self, user: User) -> User | None:
        return kept(user) if await self.add(user) else None

    def overlong(self, **values: str) -> Mapping[str, int]:
        return overlong(values, lambda name: column_of(User, name).size)

    async def erase_user(self, id: str) -> bool:
        return await self.remove(User, id=id) == 1

    def transaction(self) -> AbstractAsyncContextManager[None]:
        return _Transaction(self)

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0

    async def enter(self) -> None:
        """Begin a transaction, or join the one that is open."""
        if self._depth == 0:
            await self._wait_for_others()
        self._depth += 1

    def leave(self, *, well: bool) -> None:
        """End what `enter` began. The outermost one writes, unless something went wrong inside."""
        self._depth -= 1
        self._broken = self._broken or not well
        if self._depth:
            return
        tables, broken = self._tables, self._broken
        self._tables, self._broken = {}, False
        if not broken and tables:
            self._shared.tables = {**self._shared.tables, **tables}
        self._shared.writing.release()
        if broken and well:
            raise RuntimeError("a part of this transaction failed, so nothing of it is kept")

    async def _wait_for_others(self) -> None:
        if self._colour == "sync":
            if not self._shared.writing.acquire(timeout=PATIENCE):
                raise Unavailable("another transaction does not end")
            return
        deadline = time.monotonic() + PATIENCE
        while not self._shared.writing.acquire(blocking=False):
            if time.monotonic() > deadline:
                raise Unavailable("another transaction does not end")
            await asyncio.sleep(0.001)

    def _table(self, kind: type[Record]) -> Table:
        own = self._tables.get(kind)
        return self._shared.tables[kind] if own is None else own

    def _matching(self, kind: type[R], where: Mapping[str, Any]) -> list[R]:
        try:
            conditions = comparisons(kind, where)
        except Unstorable:
            return []
        rows = cast("Iterable[R]", self._table(kind).values())
        for condition in conditions:
            name, test = condition.column.name, _test(condition)
            rows = [row for row in rows if test(getattr(row, name))]
        return list(rows)

    def _drop(self, kind: type[Record], rows: Sequence[Record]) -> None:
        if rows:
            gone = {getattr(row, key_of(kind)) for row in rows}
            self._tables[kind] = {key: row for key, row in self._table(kind).items() if key not in gone}


class _Transaction:
    __slots__ = ("_store",)

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def __aenter__(self) -> None:
        await self._store.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._store.leave(well=exception is None or isinstance(exception, Refused))


def _test(condition: Comparison) -> Callable[[Any], bool]:
    """The condition as a question to what a row holds; NULL answers no to everything but `null`."""
    column, operator, value = condition
    if operator == "null":
        return lambda own: own is None
    if column.folded:
        plain = _test(Comparison(replace(column, folded=False), operator, _folded(value)))
        return lambda own: own is not None and plain(folded(own))
    if operator == "eq":
        return lambda own: bool(own == value)
    if operator == "in":
        return lambda own: own in value
    beyond = {"lt": lt, "gt": gt}[operator]
    return lambda own: own is not None and bool(beyond(own, value))


def _folded(value: Any) -> Any:
    return [folded(one) for one in value] if isinstance(value, list) else folded(value)


def _is_taken(rows: Iterable[Record], record: Record) -> bool:
    """Whether a row has one of the record's unique values; NULL is never taken, as in SQL."""
    unique = [attrgetter(*names) for names in uniques_of(type(record))]
    wanted = [read(record) for read in unique]
    return any(
        read(row) == value
        for row in rows
        for read, value in zip(unique, wanted, strict=True)
        if None not in (value if isinstance(value, tuple) else (value,))
    )


def _sums(row: Record, sums: Mapping[str, Plus]) -> dict[str, Any]:
    """What the columns hold after the sums; NULL and a number is NULL, as in SQL."""
    own = {name: getattr(row, name) for name in sums}
    return {name: None if own[name] is None else own[name] + plus.by for name, plus in sums.items()}
