"""Limits in the database, for many processes without a Valkey: one row for each key, one guarded write for each hit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from doorward.core.finish import finish
from doorward.core.ports import Clock, Colour, Limits, Store, Stores, Unavailable
from doorward.core.records import Moves, Plus, Record, column
from doorward.limits.rate import SECOND, Rate, spend
from doorward.limits.shared import Reach, SharedLimits

RIVALS = 8  # times that others may come first; each time at least one hit was counted


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitWindow(Record):
    """How much of one limit is used up: all of it is there again at `whole_at` (microseconds since 1970).

    A row that is past `expires_at` says nothing any more and is swept.
    """

    table: ClassVar[str] = "doorward_limit"
    moves: ClassVar[Moves] = Moves.NEVER

    key: str = column(key=True, size=128)
    whole_at: int = column()
    expires_at: datetime = column(index=True)


class _InStore(SharedLimits):
    failures = (Unavailable,)
    colour: ClassVar[Colour]

    def __init__(self, stores: Stores, clock: Clock, reach: Reach) -> None:
        super().__init__(reach)
        self._stores, self._clock = stores, clock

    async def _spend(self, key: str, limit: Rate, seconds: int) -> int:
        async with self._stores.unit(self.colour) as store:
            for _ in range(RIVALS):
                now = self._clock()
                moment = int(now.timestamp() * SECOND)
                row = await store.get(LimitWindow, key=key)
                whole_at, wait = spend(limit, row.whole_at if row else moment, moment)
                if wait:
                    return wait
                new = LimitWindow(key=key, whole_at=whole_at, expires_at=now + timedelta(seconds=seconds))
                if await _count(store, row, new, limit, moment):
                    return 0
        return SECOND

    async def _forget(self, key: str) -> None:
        async with self._stores.unit(self.colour) as store:
            await store.remove(LimitWindow, key=key)


async def _count(store: Store, row: LimitWindow | None, new: LimitWindow, limit: Rate, moment: int) -> bool:
    """Write one hit. False where somebody else was faster, so that the row must be looked at again."""
    if row is None:
        return await store.add(new)
    if row.whole_at <= moment:
        guard = {"key": row.key, "whole_at": row.whole_at}
        return await store.change(LimitWindow, guard, whole_at=new.whole_at, expires_at=new.expires_at) == 1
    # In use: forty who add at once all get through, as long as there is room; comparing and setting would let in one.
    room = {"key": row.key, "whole_at__gt": moment, "whole_at__lt": moment + limit.room + 1}
    return await store.change(LimitWindow, room, whole_at=Plus(limit.step), expires_at=new.expires_at) == 1


class AwaitingStoreLimits(_InStore):
    """The form for stories that are awaited."""

    colour = "async"
    colours = frozenset({"async"})


class StoreLimits(_InStore):
    """The port `Limits` for stories that are completed on a thread; `awaiting` is the form for the others.

    `stores` should have connections of their own: a hit while the story's own transaction is open would wait for a
    second connection, and with one pool for both everybody may hold the first and wait for the second. Not for
    SQLite, where writers come in turn: one process serves there, and `MemoryLimits` costs no write.
    """

    name = "store"
    colour = "sync"
    colours = frozenset({"sync"})

    def __init__(self, stores: Stores, clock: Clock) -> None:
        super().__init__(stores, clock, Reach("the database of limits"))
        is_awaited = "async" in stores.colours
        # Over a store that blocks, every story is completed on a thread.
        self.awaiting: Limits = AwaitingStoreLimits(stores, clock, self._reach) if is_awaited else self

    @property
    def sync(self) -> Limits:
        return self

    def where(self) -> str:
        """Where it counts, for the doctor."""
        return "in the database, for all processes"

    def is_reachable(self) -> bool:
        """Whether the table of limits can be read now."""
        try:
            finish(self._forget("doctor"))
        except self.failures:
            return False
        return True

    def close(self) -> None:
        self._stores.close()
