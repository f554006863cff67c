"""Clients that stall: none holds a connection for more than 30 seconds, and nobody else waits for them."""

import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorward.server import idle
from doorward.server.program import HEADER_SECONDS, LOOK_EVERY, SILENT_SECONDS
from tests.server.conftest import Served

MOST = 30.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"  # RFC 9113 §3.4, and empty SETTINGS
OPEN_HEADERS = b"\0\0\1\1\0\0\0\0\1\x82"  # HEADERS without END_HEADERS: a CONTINUATION must follow
HALF_BODY = b"POST /auth/sign-in/password HTTP/1.1\r\nHost: h\r\nContent-Length: 90\r\n\r\n{"

IN_THE_CLEAR = {
    "nothing at all": b"",
    "one letter": b"G",
    "half a header": b"GET /auth/session HTTP/1.1\r\nHost: local",
    "half a body": HALF_BODY,
    "nothing after an answer": b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
}
UNDER_TLS = {
    "no handshake": (b"", None),
    "nothing after the handshake": (b"", ["http/1.1"]),
    "nothing, without ALPN": (b"", []),
    "half a header": (b"GET / HTTP/1.1\r\nHo", ["http/1.1"]),
    "nothing of HTTP/2": (b"", ["h2"]),
    "half a preface": (PREFACE[:10], ["h2"]),
    "no request": (PREFACE, ["h2"]),
    "half the headers of HTTP/2": (PREFACE + OPEN_HEADERS, ["h2"]),
}


def test_the_limits_together_are_below_thirty_seconds() -> None:
    assert max(HEADER_SECONDS, SILENT_SECONDS + LOOK_EVERY) < MOST


@pytest.mark.timeout(180)
def test_no_client_holds_a_connection_without_using_it(serve: Callable[..., Served]) -> None:
    clear, secure = serve(), serve("--tls-dev")
    with ThreadPoolExecutor(40) as pool:
        held = {name: pool.submit(_seconds_held, clear.port, start) for name, start in IN_THE_CLEAR.items()}
        held |= {f"TLS: {name}": pool.submit(_held_by_tls, secure, *how) for name, how in UNDER_TLS.items()}
        slow = [pool.submit(_seconds_held, clear.port, b"GET / HTTP/1.1\r\nX: ") for _ in range(20)]
        time.sleep(1)
        began = time.monotonic()
        assert clear.get("/healthz")[0] == secure.get("/healthz")[0] == 200
        assert time.monotonic() - began < 5
        seconds = {name: future.result() for name, future in held.items()}
        seconds["forty at once"] = max(future.result() for future in slow)
    assert {name: held for name, held in seconds.items() if held > MOST} == {}


def _held_by_tls(server: Served, start: bytes, protocols: list[str] | None) -> float:
    if protocols is None:
        return _seconds_held(server.port, start)
    context = ssl.create_default_context(cafile=str(server.ca))
    if protocols:
        context.set_alpn_protocols(protocols)
    return _seconds_held(server.port, start, context)


def _seconds_held(port: int, start: bytes, context: ssl.SSLContext | None = None) -> float:
    """How long a client that sends `start` and nothing more, not even an answer to a ping, keeps its connection."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        connection = context.wrap_socket(plain, server_hostname="localhost") if context else plain
        began = time.monotonic()
        connection.sendall(start)
        connection.settimeout(MOST + 5)
        try:
            while connection.recv(4096):
                pass
        except OSError:  # timed out, or closed without ceremony
            pass
        return time.monotonic() - began


def test_silent_connections_to_our_port_end_and_others_do_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_server(("127.0.0.1", 0)) as another:
        mine, theirs = _pair(ours), _pair(another)
        assert idle.end_idle(ours.getsockname()[1], seconds=0.5) == 0
        time.sleep(0.6)
        assert idle.end_idle(ours.getsockname()[1], seconds=0.5) == 1
        assert mine[0].recv(1) == b""
        theirs[1].sendall(b"x")
        assert theirs[0].recv(1) == b"x"
        for each in (*mine, *theirs):
            each.close()


def test_a_connection_on_which_something_comes_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client, served = _pair(server)
        time.sleep(0.6)
        client.sendall(b"x")
        time.sleep(0.05)
        assert idle.end_idle(server.getsockname()[1], seconds=0.5) == 0
        client.close()
        served.close()


def test_looking_leaves_no_descriptors_behind() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        idle.end_idle(1, seconds=0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def _pair(server: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(server.getsockname())
    served, _ = server.accept()
    return client, served
