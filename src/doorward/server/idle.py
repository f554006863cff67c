"""Ends connections on which nothing happens: a client that stalls must not hold its place for long.

granian gives up an HTTP/1 request whose header does not come. A connection that is silent from its start, or in the
middle of HTTP/2's preface, it would keep for ever; the kernel knows for how long each one has been silent.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

# struct tcp_info (linux/tcp.h): eight bytes, then 32-bit words; these two are milliseconds since the last one came.
_LAST_DATA_RECEIVED, _LAST_ACK_RECEIVED = 8 + 11 * 4, 8 + 12 * 4
_TCP_INFO_BYTES = 8 + 13 * 4


def end_idle(port: int, *, seconds: float) -> int:
    """Shut down connections to our `port` on which neither data nor an acknowledgement came; how many. Linux only.

    A download that goes on is acknowledged, and HTTP/2 clients answer our pings: both are left alone.
    """
    if sys.platform != "linux":
        return 0
    ended = 0
    for connection in _connections(port):
        with connection, suppress(OSError):
            if _silent_for(connection) > seconds:
                connection.shutdown(socket.SHUT_RDWR)  # whoever reads from it finds its end
                ended += 1
    return ended


def _connections(port: int) -> Iterator[socket.socket]:
    """Duplicates of this process's connections to `port`: the originals may be closed at any moment."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            duplicate = socket.socket(fileno=os.dup(int(name)))
            if _is_ours(duplicate, port):
                yield duplicate
            else:
                duplicate.close()


def _is_ours(connection: socket.socket, port: int) -> bool:
    try:
        return (
            connection.family in (socket.AF_INET, socket.AF_INET6)
            and connection.type == socket.SOCK_STREAM
            and connection.getsockname()[1] == port
            and bool(connection.getpeername())
        )
    except OSError:  # it listens, or is gone
        return False


def _silent_for(connection: socket.socket) -> float:
    """Seconds since anything came from the other end."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    data: int = struct.unpack_from("=I", info, _LAST_DATA_RECEIVED)[0]
    ack: int = struct.unpack_from("=I", info, _LAST_ACK_RECEIVED)[0]
    return min(data, ack) / 1000
