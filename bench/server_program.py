"""Which program should carry the server? CPU a request, memory and stalled clients: `python -m bench.server_program`.

Each program runs as one worker in a process tree of its own and answers a small JSON, after it has looked for a
cookie: what is measured is the program, not Doorward. Times are CPU of the server's processes, so the client's own cost
does not count, and other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import trustme

BODY = b'{"step":"done","user":{"id":"u","email":"ann@example.com"},"session":{"id":"s","aal":1}}'
REQUEST = (
    b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept-Language: en\r\n"
    b"Cookie: doorward=0123456789012345678901234567890123456789012; theme=dark\r\n\r\n"
)
HEADERS = {
    "content-type": "application/json",
    "content-length": str(len(BODY)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
RAW_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """As an ASGI adapter does it: headers into a mapping, one body, one answer."""
    if scope["type"] != "http":
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    while (await receive()).get("more_body"):
        pass
    status = 200 if "doorward" in headers.get("cookie", "") else 401
    await send({"type": "http.response.start", "status": status, "headers": RAW_HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def rsgi(scope: Any, protocol: Any) -> None:
    """The same for granian's own interface."""
    headers = dict(scope.headers.items())
    await protocol()
    status = 200 if "doorward" in headers.get("cookie", "") else 401
    protocol.response_bytes(status, list(HEADERS.items()), BODY)


def _granian(interface: str, *more: str) -> list[str]:
    options = ["--interface", interface, "--no-ws", "--no-log", "--loop", "uvloop", *more]
    return ["-m", "granian", f"bench.server_program:{interface.removesuffix('nl')}", *options]


def _uvicorn(http: str) -> list[str]:
    options = ["--http", http, "--loop", "uvloop", "--ws", "none", "--lifespan", "off", "--log-level", "critical"]
    return ["-m", "uvicorn", "bench.server_program:asgi", *options]


PROGRAMS = {
    "granian, RSGI": _granian("rsgi"),
    "granian, ASGI": _granian("asginl"),
    "uvicorn, httptools": _uvicorn("httptools"),
    "uvicorn, h11": _uvicorn("h11"),
}


@contextlib.contextmanager
def running(options: list[str]) -> Iterator[tuple[psutil.Process, int]]:
    """The program on a free port, as its process and that port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *options, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield psutil.Process(process.pid), port
        finally:
            process.terminate()


def cpu_per_request(process: psutil.Process, port: int, requests: int, connections: int = 8) -> float:
    """µs of CPU in all the server's processes."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    _rounds(sockets, 1000)
    before = _cpu(process)
    _rounds(sockets, requests)
    spent = _cpu(process) - before
    for each in sockets:
        each.close()
    return spent / requests * 1e6


def _rounds(sockets: list[socket.socket], requests: int) -> None:
    for _ in range(requests // len(sockets)):
        for each in sockets:
            each.sendall(REQUEST)
        for each in sockets:
            answer = each.recv(4096)
            while not answer.endswith(BODY):
                more = each.recv(4096)
                if not more:
                    raise ConnectionError(f"closed after {answer!r}")
                answer += more


def _cpu(process: psutil.Process) -> float:
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def memory(process: psutil.Process) -> float:
    """MiB of all the server's processes; what they share is counted once."""
    return sum(each.memory_full_info().pss for each in (process, *process.children(recursive=True))) / 2**20


def seconds_held(port: int, start: bytes, most: float, tls: bool = False) -> str:
    """How long a client that sends `start` and nothing more keeps its connection."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        connection: socket.socket = _trusting().wrap_socket(plain) if tls else plain
        began = time.monotonic()
        connection.sendall(start)
        connection.settimeout(most)
        try:
            while connection.recv(4096):
                pass
        except TimeoutError:
            return f"held > {most:.0f} s"
        except ConnectionError:
            pass
        return f"closed at {time.monotonic() - began:.0f} s"


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextlib.contextmanager
def running_tls(options: list[str]) -> Iterator[int]:
    """The program with a certificate, as its port."""
    with tempfile.TemporaryDirectory() as name:
        chain, key = Path(name, "chain.pem"), Path(name, "key.pem")
        certificate = trustme.CA().issue_cert("localhost")
        certificate.private_key_pem.write_to_path(key)
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(chain, append=True)
        flags = ("--ssl-certificate", "--ssl-keyfile") if "granian" in options else ("--ssl-certfile", "--ssl-keyfile")
        with running([*options, flags[0], str(chain), flags[1], str(key)]) as (_, port):
            yield port


def protocol(port: int) -> str:
    """What ALPN settles on with a client that prefers HTTP/2."""
    context = _trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port))) as connection:
        return {"h2": "HTTP/2"}.get(connection.selected_alpn_protocol() or "", "HTTP/1.1")


def stalled(port: int, tls_port: int, most: float) -> dict[str, str]:
    """How long each kind of stalled client is held; all at once."""
    kinds = {
        "unfinished header": (port, REQUEST[:-4], False),
        "unfinished body": (port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{", False),
        "silent": (port, b"", False),
        "silent after TLS": (tls_port, b"", True),
    }
    with ThreadPoolExecutor() as pool:
        held = {kind: pool.submit(seconds_held, to, start, most, tls) for kind, (to, start, tls) in kinds.items()}
        return {kind: future.result() for kind, future in held.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=20_000, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved; the best of each counts")
    parser.add_argument("--stall", type=float, default=40, help="seconds to wait for stalled clients; 0 leaves it out")
    given = parser.parse_args()
    cost: dict[str, float] = {}
    for _ in range(given.rounds):
        for name, options in PROGRAMS.items():
            with running(options) as (process, port):
                spent = cpu_per_request(process, port, given.requests)
                cost[name] = min(spent, cost.get(name, spent))
    for name, options in PROGRAMS.items():
        with running(options) as (process, port), running_tls(options) as tls_port:
            line = f"{name:20} {cost[name]:5.0f} µs CPU a request  {memory(process):5.0f} MiB"
            print(f"{line}  {protocol(tls_port)}", flush=True)
            if given.stall:
                for kind, held in stalled(port, tls_port, given.stall).items():
                    print(f"{'':20} {kind}: {held}", flush=True)


if __name__ == "__main__":
    main()
