"""How the laws of a store are played: in either colour, one story at a time or forty rivals at once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

from doorward.core.finish import finish
from doorward.core.ports import Colour, Store, Stores
from doorward.core.records import Authenticator, EmailAddress, OutboxMessage

T = TypeVar("T")

RIVALS = 40
NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def authenticator(id: str, **values: Any) -> Authenticator:
    usual: dict[str, Any] = {"user_id": "u1", "kind": "totp", "created_at": NOON}
    return Authenticator(id=id, **usual | values)


def message(number: int, **values: Any) -> OutboxMessage:
    usual: dict[str, Any] = {"kind": "mail", "body": "sealed", "due_at": NOON, "expires_at": NOON, "created_at": NOON}
    return OutboxMessage(id=f"m{number:02}", **usual | values)


def address(id: str, **values: Any) -> EmailAddress:
    name = f"{id}@example.com"
    usual: dict[str, Any] = {"user_id": "u1", "address": name, "canonical": name, "created_at": NOON}
    return EmailAddress(id=id, **usual | values)


@contextlib.contextmanager
def raises(kind: type[BaseException]) -> Iterator[None]:
    """As `pytest.raises`, for who uses another runner."""
    try:
        yield
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected")


class StorePlayer:
    """How the laws are played: in which colour, one after another or forty at once."""

    colour: Colour = "sync"

    def play(self, stores: Stores, story: Callable[[Store], Awaitable[T]]) -> T:
        """Run a story in a unit of work of its own."""

        async def told() -> T:
            async with stores.unit(self.colour) as store:
                return await story(store)

        return finish(told()) if self.colour == "sync" else asyncio.run(_closing(stores, told()))

    def race(self, stores: Stores, story: Callable[[Store, int], Awaitable[T]]) -> list[T]:
        """Run a story forty times at once, each in a unit of its own; `story` gets the rival's number."""
        if self.colour == "async":
            return asyncio.run(_closing(stores, self._together(stores, story)))
        start = threading.Barrier(RIVALS)

        async def told(number: int) -> T:
            async with stores.unit("sync") as store:
                start.wait(timeout=30)
                return await story(store, number)

        with ThreadPoolExecutor(RIVALS) as pool:
            return list(pool.map(lambda number: finish(told(number)), range(RIVALS)))

    async def _together(self, stores: Stores, story: Callable[[Store, int], Awaitable[T]]) -> list[T]:
        async def told(number: int) -> T:
            async with stores.unit("async") as store:
                return await story(store, number)

        return list(await asyncio.gather(*map(told, range(RIVALS))))


async def _closing(stores: Any, story: Awaitable[T]) -> T:
    """A store's connections belong to its event loop, and these loops live for one story."""
    try:
        return await story
    finally:
        if hasattr(stores, "aclose"):
            await stores.aclose()
