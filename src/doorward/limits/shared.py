"""What limits outside of this process have in common: while they are out of reach, this process counts, by half."""

from __future__ import annotations

import logging
import time
from typing import ClassVar

from doorward.core.ports import Colour
from doorward.limits.memory import MemoryLimits
from doorward.limits.rate import Rate, bounded, rate, whole_seconds

log = logging.getLogger("doorward.limits")

PAUSE = 1.0  # seconds


class Reach:
    """Whether the place outside can be asked, and who counts while it can't (a circuit breaker).

    After a failure nobody asks for `pause` seconds; then one caller does, and the others as soon as it had an answer.
    """

    def __init__(self, place: str, pause: float = PAUSE) -> None:
        self.place, self.pause = place, pause
        self.local = MemoryLimits()
        self._lost_until: float | None = None

    def may_ask(self) -> bool:
        # Without a lock: two callers who ask at once do no harm.
        now = time.monotonic()
        if self._lost_until is None:
            return True
        if now < self._lost_until:
            return False
        self._lost_until = now + self.pause
        return True

    def lost(self, error: BaseException) -> None:
        if self._lost_until is None:  # the kind of error only: its text may hold the password of a URL
            log.warning(
                "%s can't be used (%s): each process counts for itself, half of each limit", self.place, kind(error)
            )
        self._lost_until = time.monotonic() + self.pause

    def found(self) -> None:
        if self._lost_until is not None:
            self._lost_until = None
            log.info("%s can be used again", self.place)


def kind(error: BaseException) -> str:
    return type(error).__name__


class SharedLimits:
    """The port `Limits` over a place outside. Never open, and never an exception: limits may be lost, not skipped."""

    colours: ClassVar[frozenset[Colour]]
    failures: ClassVar[tuple[type[BaseException], ...]]

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def hit(self, key: str, *, most: int, seconds: int) -> int:
        limit = rate(most=most, seconds=seconds)
        if self._reach.may_ask():
            try:
                wait = await self._spend(bounded(key), limit, seconds)
            except self.failures as error:
                self._reach.lost(error)
            else:
                self._reach.found()
                return whole_seconds(wait)
        return await self._reach.local.hit(key, most=max(1, most // 2), seconds=seconds)

    async def once(self, key: str, *, seconds: int) -> bool:
        return await self.hit(f"once:{key}", most=1, seconds=seconds) == 0

    async def forget(self, key: str) -> None:
        await self._reach.local.forget(key)
        if self._reach.may_ask():
            try:
                await self._forget(bounded(key))
            except self.failures as error:
                self._reach.lost(error)
            else:
                self._reach.found()

    async def _spend(self, key: str, limit: Rate, seconds: int) -> int:
        """One hit; 0, or the microseconds to wait."""
        raise AssertionError("each form has its own")

    async def _forget(self, key: str) -> None:
        raise AssertionError("each form has its own")
