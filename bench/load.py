"""A small load client: keep-alive connections that ask again as soon as they are answered. One process, one thread.

It measures answers a second and their waits, and is meant to be pinned to another core than the server's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field


@dataclass
class Tally:
    """Answers by status, and how long each took in seconds."""

    statuses: dict[int, int] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds if self.seconds else 0.0

    def wait(self, share: float) -> float:
        """The wait in milliseconds that `share` of the answers stayed below."""
        ordered = sorted(self.waits)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 if ordered else float("inf")


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of one HTTP/1.1 answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    status = int(head[9:12])
    if b"transfer-encoding: chunked" in lower:
        return status, await _chunks(reader)
    at = lower.find(b"content-length:")
    length = int(lower[at + 15 : lower.index(b"\r\n", at)]) if at >= 0 else 0
    return status, await reader.readexactly(length)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body


async def _client(port: int, request: bytes, until: float, most: int, tally: Tally) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while time.perf_counter() < until and (not most or done < most):
        began = time.perf_counter()
        writer.write(request)
        try:
            status, _ = await asyncio.wait_for(read_answer(reader), 30)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            status = 0
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        tally.waits.append(time.perf_counter() - began)
        done += 1
        if status in (0, 429, 503):
            await asyncio.sleep(0.2)  # a client that was sent away does not hammer
    writer.close()


async def load(port: int, request: bytes, *, clients: int, seconds: float, most: int = 0) -> Tally:
    """`clients` connections ask for `seconds`, or until each has had `most` answers."""
    tally, began = Tally(), time.perf_counter()
    until = began + seconds
    await asyncio.gather(*(_client(port, request, until, most, tally) for _ in range(clients)))
    tally.seconds = time.perf_counter() - began
    return tally


def main() -> None:
    """`python -m bench.load` with a JSON order on standard input; the tally as JSON on standard output."""
    order = json.load(sys.stdin)
    tally = asyncio.run(
        load(
            order["port"],
            order["request"].encode("latin-1"),
            clients=order["clients"],
            seconds=order["seconds"],
            most=order.get("most", 0),
        )
    )
    json.dump(asdict(tally), sys.stdout)


if __name__ == "__main__":
    main()
