"""What has to be done now and then: writing when what was last seen, removing what is past its time, chores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, MutableMapping
from datetime import datetime

from doorward.core.feature import Sweep
from doorward.core.finish import finish
from doorward.core.ports import Clock, Stores
from doorward.core.records import Record, key_of

SEEN_EVERY = 30.0  # seconds
SWEEP_EVERY = 300.0
SEEN_AT_ONCE = 200  # rows in one transaction
SWEPT_AT_ONCE = 500  # rows in one statement, so that nobody waits long for the lock
SWEPT_AT_MOST = 20_000  # rows of one kind in one round


class Upkeep:
    """`seen` is the `World.seen` of this process, `sweeps` are the rows to remove: those of `Doorward.sweeps`. `chores`
    are what features have to do as often, each a call that says how much it did."""

    def __init__(
        self,
        stores: Stores,
        seen: MutableMapping[tuple[type[Record], str], datetime],
        sweeps: Iterable[Sweep],
        clock: Clock,
        *,
        chores: Iterable[Callable[[], int]] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stores, self._seen, self._sweeps, self._clock = stores, seen, tuple(sweeps), clock
        self._chores = tuple(chores)
        self._monotonic = monotonic
        self._seen_at = self._swept_at = monotonic()

    def run_due(self) -> None:
        """Do what is due by now. Raises `Unavailable`."""
        now = self._monotonic()
        if now - self._seen_at >= SEEN_EVERY:
            self._seen_at = now
            self.write_seen()
        if now - self._swept_at >= SWEEP_EVERY:
            self._swept_at = now
            self.sweep()

    def write_seen(self) -> int:
        """Write when rows were last seen; their number. Nothing is forgotten before it is written."""
        # In one order: processes that write the same rows so can't wait for each other in a circle.
        waiting = sorted(dict(self._seen).items(), key=lambda item: (item[0][0].table, item[0][1]))
        for start in range(0, len(waiting), SEEN_AT_ONCE):
            batch = waiting[start : start + SEEN_AT_ONCE]
            finish(self._write(batch))
            for row, at in batch:
                if self._seen.get(row) == at:  # else it was seen again meanwhile
                    self._seen.pop(row, None)
        return len(waiting)

    async def _write(self, batch: Iterable[tuple[tuple[type[Record], str], datetime]]) -> None:
        async with self._stores.unit("sync") as store, store.transaction():
            for (kind, key), at in batch:
                await store.change(kind, {key_of(kind): key, "last_seen_at__lt": at}, last_seen_at=at)

    def sweep(self) -> int:
        """Remove rows whose time is past, and do the chores; the number of both."""
        return sum(self._swept(sweep) for sweep in self._sweeps) + sum(chore() for chore in self._chores)

    def _swept(self, sweep: Sweep) -> int:
        total = 0
        while total < SWEPT_AT_MOST:
            count = finish(self._removed(sweep))
            total += count
            if count < SWEPT_AT_ONCE:
                break
        return total

    async def _removed(self, sweep: Sweep) -> int:
        past = {f"{sweep.column}__lt": self._clock()}
        async with self._stores.unit("sync") as store:
            return await store.remove(sweep.record, limit=SWEPT_AT_ONCE, **past)
