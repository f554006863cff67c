"""Limits in this process's memory: exact and free where one process serves, each process for itself where many do."""

from __future__ import annotations

import os
import threading
import time

from doorward.core.ports import Clock, Colour, Limits
from doorward.limits.rate import SECOND, bounded, rate, spend, whole_seconds

MOST_KEYS = 65_536  # some 16 MB


class MemoryLimits:
    """The port `Limits` for all threads and event loops of one process: it waits for nothing.

    Beyond `most_keys` the keys that are least used up are forgotten, so that a flood of new ones can't wash away the
    one that is under attack. `clock` is for tests; a process counts by the monotonic clock, which nobody can set back.
    """

    name = "memory"
    colours: frozenset[Colour] = frozenset({"sync", "async"})

    def __init__(self, clock: Clock | None = None, *, most_keys: int = MOST_KEYS) -> None:
        self._clock = clock
        self._most_keys = most_keys
        self._whole_at: dict[str, int] = {}
        self._lock = threading.Lock()
        self._process = os.getpid()

    @property
    def sync(self) -> Limits:
        """The form for stories that are completed on a thread."""
        return self

    @property
    def awaiting(self) -> Limits:
        """The form for stories that are awaited."""
        return self

    async def hit(self, key: str, *, most: int, seconds: int) -> int:
        key, limit, now = bounded(key), rate(most=most, seconds=seconds), self._now()
        with self._own_lock():
            whole_at, wait = spend(limit, self._whole_at.get(key, now), now)
            if not wait:
                if len(self._whole_at) >= self._most_keys and key not in self._whole_at:
                    self._make_room(now)
                self._whole_at[key] = whole_at
        return whole_seconds(wait)

    async def once(self, key: str, *, seconds: int) -> bool:
        return await self.hit(f"once:{key}", most=1, seconds=seconds) == 0

    async def forget(self, key: str) -> None:
        with self._own_lock():
            self._whole_at.pop(bounded(key), None)

    def __len__(self) -> int:
        return len(self._whole_at)

    def where(self) -> str:
        """Where it counts, for the doctor."""
        return "in the memory of each process"

    def is_reachable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _now(self) -> int:
        if self._clock is not None:
            return int(self._clock().timestamp() * SECOND)
        return time.monotonic_ns() // 1000

    def _own_lock(self) -> threading.Lock:
        if self._process != os.getpid():  # another thread may have held it in the moment of the fork
            self._process, self._lock = os.getpid(), threading.Lock()
        return self._lock

    def _make_room(self, now: int) -> None:
        kept = {key: at for key, at in self._whole_at.items() if at > now}
        if len(kept) > self._most_keys * 3 // 4:  # a quarter at once, so that a flood pays for it seldom
            least = sorted(kept.values())[len(kept) // 4]
            kept = {key: at for key, at in kept.items() if at > least}
        self._whole_at = kept
