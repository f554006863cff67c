"""Requests that we make of services: https, no redirects, an answer that is bounded in size and in time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from doorward.primitives.urls import Origin

PATIENCE = 10.0  # seconds for the whole answer
MOST_BYTES = 64 << 10


class Unanswered(OSError):
    """No answer, or none that can be used. The text names no address, no header and nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by their names in lower case, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def retry_after(self) -> int:
        """Whole seconds to wait, where the service names them; dates and nonsense count as 0."""
        said = self.headers.get("retry-after", "").strip()
        return int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0


def checked_url(url: str) -> str:
    """A URL that may be asked: https, or http that stays on this machine. Raises ValueError, which does not show it."""
    parts = urlsplit(url)
    try:
        origin = Origin.parse(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        raise ValueError("this is no URL of a service") from None
    if not (origin.is_secure or origin.is_loopback):
        raise ValueError("what is sent must not be read on the way: write https")
    return url


def ask(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    patience: float = PATIENCE,
    most: int = MOST_BYTES,
) -> Answer:
    """The answer, whatever its status: who calls says what it means. Raises `Unanswered`."""
    parts, until = urlsplit(url), time.monotonic() + patience
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=patience)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        own = {"User-Agent": "doorward", "Accept-Encoding": "identity"}
        connection.request(method, target, body, {**own, **(headers or {})})
        answer = connection.getresponse()
        read = _read(answer, until, most)
    except Unanswered:
        raise
    except (OSError, HTTPException) as error:
        raise Unanswered(type(error).__name__) from None
    finally:
        connection.close()
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, read)


def _read(answer: HTTPResponse, until: float, most: int) -> bytes:
    """All of it: not more than is allowed, and not one byte a second for ever."""
    read = b""
    while chunk := answer.read1(most + 1):
        read += chunk
        if len(read) > most or time.monotonic() > until:
            raise Unanswered("an answer that is too long, or takes too long")
    return read
