"""Limits in Valkey or Redis, for many processes on many machines: one script, so that a hit is one atomic step."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from doorward.core.finish import finish
from doorward.core.ports import Limits
from doorward.core.refusals import Misconfigured
from doorward.limits.rate import Rate
from doorward.limits.shared import Reach, SharedLimits

# The server's clock is the one that all nodes share. TIME before a write is right since effects are replicated
# instead of scripts (Redis 5). Numbers are doubles, exact for microseconds until the year 2255; `%.0f` writes them so.
HIT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local step, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local ahead = math.max(tonumber(redis.call('GET', KEYS[1]) or 0) - now, 0)
if ahead > room then
  return ahead - room
end
ahead = ahead + step
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
return 0
"""
FORGET = "return redis.call('DEL', KEYS[1])"

PATIENCE = 0.05  # seconds for an answer: a server that is there gives it in one thousandth
CONNECTIONS = 1000


class _InValkey(SharedLimits):
    failures: ClassVar[tuple[type[BaseException], ...]] = (redis.RedisError, OSError, asyncio.TimeoutError)

    def __init__(self, reach: Reach, namespace: str) -> None:
        super().__init__(reach)
        self._namespace = namespace

    async def _spend(self, key: str, limit: Rate, seconds: int) -> int:
        return await self._run(HIT, f"{self._namespace}:limit:{key}", limit.step, limit.room)

    async def _forget(self, key: str) -> None:
        await self._run(FORGET, f"{self._namespace}:limit:{key}")

    async def _run(self, script: str, key: str, *arguments: int) -> int:
        raise AssertionError("each form has its own")


class RedisLimits(_InValkey):
    """The port `Limits` for stories that are completed on a thread; `awaiting` is the form for the others.

    `namespace` keeps installations apart that share a server. `patience`: seconds for one answer, `pause`: seconds
    for which nobody asks after a failure; the one who asks next finds out whether the server is back.
    """

    name = "valkey"
    colours = frozenset({"sync"})

    def __init__(
        self, url: str, *, namespace: str = "doorward", patience: float = PATIENCE, pause: float = 1.0
    ) -> None:
        # A connection that the server closed while it lay in the pool is tried again at once, a silent server never.
        retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        try:
            self._client = redis.Redis.from_url(url, retry=retry, **_options(patience))
            place = self._client.get_connection_kwargs()
        except ValueError as error:
            raise Misconfigured("limits.E2", f"REDIS_URL: {error}; write redis://host:6379/0") from None
        self._place = f"{place.get('host', 'a socket')}:{place.get('port', '')}"
        super().__init__(Reach(f"Valkey at {self._place}", pause), namespace)
        self.awaiting: Limits = AwaitingRedisLimits(url, self._reach, namespace, patience)

    @property
    def sync(self) -> Limits:
        return self

    async def _run(self, script: str, key: str, *arguments: int) -> int:
        answer: Any = self._client.eval(script, 1, key, *arguments)
        return int(answer)

    def where(self) -> str:
        """Where it counts, for the doctor."""
        return f"in Valkey at {self._place}, for all processes"

    def is_reachable(self) -> bool:
        """Whether the server answers now, and lets us write."""
        try:
            finish(self._run(FORGET, f"{self._namespace}:limit:doctor"))
        except self.failures:
            return False
        return True

    def close(self) -> None:
        self._client.close()


class AwaitingRedisLimits(_InValkey):
    """The form for stories that are awaited. Connections can't move between event loops, so each has its own."""

    colours = frozenset({"async"})

    def __init__(self, url: str, reach: Reach, namespace: str, patience: float) -> None:
        super().__init__(reach, namespace)
        self._url, self._patience = url, patience
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = WeakKeyDictionary()

    async def _run(self, script: str, key: str, *arguments: int) -> int:
        client = self._client()
        async with asyncio.timeout(self._patience):
            answer: Any = await client.eval(script, 1, key, *arguments)
        return int(answer)

    async def aclose(self) -> None:
        """Let the connections of this event loop go."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> redis.asyncio.Redis:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            retry = AsyncRetry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
            client = redis.asyncio.Redis.from_url(self._url, retry=retry, **_options(self._patience))
            self._clients[loop] = client
        return client


def _options(patience: float) -> dict[str, Any]:
    """No greeting before the first command (RESP2, no client names): with a dead server each would cost a time-out."""
    return {
        "socket_timeout": patience,
        "socket_connect_timeout": patience,
        "max_connections": CONNECTIONS,
        "protocol": 2,
        "driver_info": None,
    }
