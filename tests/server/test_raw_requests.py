"""Requests that two parsers would read differently: none carries a second one past the first (RFC 9112 §11.2)."""

from __future__ import annotations

import re
import socket

import pytest

from tests.server.conftest import Served

HEAD = b"POST /auth/sign-out HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\n"
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
# What a proxy in front would have taken for the body of the first request.
INSIDE = b"GET /auth/inside HTTP/1.1\r\nHost: localhost:%d\r\n\r\n"

AMBIGUOUS = {
    "a length and chunks": b"Content-Length: 999\r\n" + CHUNKED + b"\r\n" + CHUNKS,
    "chunks and a length": CHUNKED + b"Content-Length: 4\r\n\r\n" + CHUNKS,
    "two lengths": b"Content-Length: 2\r\nContent-Length: 99\r\n\r\n{}",
    "lengths in a list": b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": b"Content-Length: +2\r\n\r\n{}",
    "a length in the fold of a line": b"X: a\r\n Content-Length: 99\r\nContent-Length: 2\r\n\r\n{}",
    "a space before the colon": b"Content-Length : 2\r\n\r\n{}",
    "a bare CR in a field": b"X: a\rContent-Length: 99\r\nContent-Length: 2\r\n\r\n{}",
    "a NUL in a field": b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a coding that is like chunked": b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "chunked, but not last": CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNKS,
    "a bare LF in the extension of a chunk": CHUNKED + b"\r\n2;a=\n\r\n{}\r\n0\r\n\r\n",
    "a bare LF after the size of a chunk": CHUNKED + b"\r\n2\n{}\r\n0\r\n\r\n",
    "a chunk whose size has a sign": CHUNKED + b"\r\n+2\r\n{}\r\n0\r\n\r\n",
    "a chunk whose size is written as in C": CHUNKED + b"\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than 64 bits": CHUNKED + b"\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a path that is no path": b"",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_nothing_comes_in_behind_an_ambiguous_request(standing: Served, name: str) -> None:
    head = HEAD if AMBIGUOUS[name] else HEAD.replace(b"/auth", b"@evil/auth") + b"Content-Length: 2\r\n\r\n{}"
    statuses, closed = _sent(standing, head % standing.port + AMBIGUOUS[name] + INSIDE % standing.port)
    assert closed, "what comes after it is not looked at"
    assert statuses in (["400"], ["204"]), "one answer: a refusal, or that to the first request alone"
    assert statuses == ["400"] or "chunks" in name


def test_two_requests_that_are_plain_are_two(standing: Served) -> None:
    """So that the others do not pass because nothing is ever answered twice."""
    plain = HEAD % standing.port + b"Content-Length: 2\r\n\r\n{}"
    assert _sent(standing, plain + INSIDE % standing.port)[0] == ["204", "404"]


def test_chunks_that_are_well_made_are_a_body(standing: Served) -> None:
    plain = HEAD % standing.port + CHUNKED + b"\r\n2;name=value\r\n{}\r\n0\r\n\r\n"
    assert _sent(standing, plain + INSIDE % standing.port)[0] == ["204", "404"]


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost:%d\r\nHost: evil\r\n", b"Host: localhost:%d/?x=\r\n"])
def test_a_request_names_one_host_and_it_is_ours(standing: Served, hosts: bytes) -> None:
    host = hosts % standing.port if b"%d" in hosts else hosts
    assert _sent(standing, b"GET /auth/session HTTP/1.1\r\n" + host + b"\r\n")[0] == ["400"]


def _sent(server: Served, request: bytes) -> tuple[list[str], bool]:
    """The statuses of all answers, and whether the server closed the connection."""
    received, closed = b"", False
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.7) as connection:
        connection.sendall(request)
        try:
            while not closed:
                part = connection.recv(65536)
                received, closed = received + part, not part
        except TimeoutError:
            pass
        except ConnectionResetError:
            closed = True
    return re.findall(r"HTTP/1\.[01] (\d+)", received.decode("latin-1")), closed
