"""A request and a response as every host hands them over: plain values, no framework in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

# Design 6.6: bound everything before work. A host reads one byte more than this, so that «larger» can be told.
MAX_BODY = 64 * 1024


class Headers:
    """Header fields; names without regard to case, repeated ones kept."""

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items: dict[str, list[str]] = {}
        for name, value in items:
            self._items.setdefault(name.lower(), []).append(value)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(self._items.get(name, ()))

    def one(self, name: str) -> str | None:
        """The value of a field that came exactly once; None if it is absent or came twice."""
        values = self._items.get(name, ())
        return values[0] if len(values) == 1 else None

    def __contains__(self, name: str) -> bool:
        return name in self._items


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` is the whole raw path as sent (still percent-encoded where the host has that), `prefix` where
    Doorward is mounted (`/auth`); `peer` is the address of the connection itself, before any proxy header is
    believed; `secure` is whether that connection was TLS. `body` holds at most `MAX_BODY + 1` bytes.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    peer: str = ""
    secure: bool = False
    prefix: str = "/auth"


@dataclass(slots=True)
class Response:
    """One response; header names as they are to be sent, repeated ones (Set-Cookie) as repeated pairs.

    `read_at`: it says nothing but who somebody is, as read from the store at that time; None for all others.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    read_at: datetime | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


Words = Mapping[str, object]
