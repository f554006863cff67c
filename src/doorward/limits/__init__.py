"""Short-term limits, how many tries in which time: they slow guessing down. What must not be lost is in the store.

Where several processes serve, they should count together: in Valkey if there is one, else in the database. One process
(`doorward serve` on SQLite) counts in its memory: a write for each try would buy nothing. Where limits are lost, at a
restart or a failure, the counts of failed proofs in the store still hold.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast

from doorward.core.ports import Clock, Limits, Stores
from doorward.core.refusals import Misconfigured
from doorward.limits.memory import MemoryLimits
from doorward.limits.store import LimitWindow, StoreLimits

__all__ = ["LimitWindow", "MemoryLimits", "OpenLimits", "StoreLimits", "open_limits"]


class OpenLimits(Limits, Protocol):
    """Limits as `open_limits` gives them: themselves the form for threads, with the one for event loops beside it."""

    name: str

    @property
    def sync(self) -> Limits:
        """The form for stories that are completed on a thread: it never suspends."""

    @property
    def awaiting(self) -> Limits:
        """The form for stories that are awaited."""

    def where(self) -> str:
        """Where it counts, as a phrase for the doctor."""

    def is_reachable(self) -> bool:
        """Whether that place answers now."""

    def close(self) -> None:
        """Let its connections go."""


def open_limits(
    redis_url: str = "", *, clock: Clock, shared: Stores | None = None, namespace: str = "doorward"
) -> OpenLimits:
    """In Valkey if there is a URL, else in `shared`, else in memory.

    `shared`: stores that several processes have in common and that know `LimitWindow`, with connections of their own
    (see `StoreLimits`). `namespace` keeps installations apart on one Valkey. Raises `Misconfigured`: limits.E1 where
    the package is missing, limits.E2 for a URL that can't be used. A server that is away is no reason not to start.
    """
    if redis_url:
        return cast("OpenLimits", _valkey().RedisLimits(redis_url, namespace=namespace))
    return MemoryLimits() if shared is None else StoreLimits(shared, clock)


def _valkey() -> Any:
    try:
        return import_module("doorward.limits.redis")
    except ModuleNotFoundError as missing:
        raise Misconfigured("limits.E1", f"{missing.name} is missing; pip install 'doorward[redis]'") from None
