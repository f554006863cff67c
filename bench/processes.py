"""Start a measured program on one core, ask it things from another, and read what it cost the processor."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.load import Tally
from bench.servers import PASSWORD

SERVER_CORE, CLIENT_CORE = 0, (os.cpu_count() or 2) - 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A program under measurement."""

    name: str
    port: int
    process: psutil.Process
    started_in: float

    def cpu(self) -> float:
        """Seconds of processor time of the whole tree so far."""
        return sum(sum(p.cpu_times()[:2]) for p in self._tree())

    def memory(self) -> float:
        """MiB resident in the whole tree."""
        return sum(p.memory_info().rss for p in self._tree()) / 2**20

    def _tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> tuple[int, Any, Any]:
        """One request: status, JSON and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        origin = f"http://localhost:{self.port}"
        headers = {"Host": f"localhost:{self.port}", "Accept": "application/json", **headers}
        if method == "POST":
            headers |= {"Content-Type": "application/json", "Origin": origin}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content) if content[:1] in b"{[" else content, answer.headers

    def load(self, request: bytes, *, clients: int, seconds: float, most: int = 0) -> Tally:
        """Load by a process of its own on another core."""
        loader = self.start_load(request, clients=clients, seconds=seconds, most=most)
        return finished(loader)

    def start_load(self, request: bytes, *, clients: int, seconds: float, most: int = 0) -> subprocess.Popen[str]:
        order = {
            "port": self.port,
            "request": request.decode("latin-1"),
            "clients": clients,
            "seconds": seconds,
            "most": most,
        }
        loader = subprocess.Popen(
            [sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with contextlib.suppress(psutil.Error, OSError):
            psutil.Process(loader.pid).cpu_affinity([CLIENT_CORE])
        assert loader.stdin is not None
        loader.stdin.write(json.dumps(order))
        loader.stdin.close()
        loader.stdin = None
        return loader

    def request(self, method: str, path: str, *, body: dict[str, Any] | None = None, **headers: str) -> bytes:
        """The bytes of a request for the load client."""
        content = json.dumps(body).encode() if body is not None else b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}", "Accept: application/json"]
        if method == "POST":
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + content

    def sign_in(self, **more: Any) -> tuple[Any, str]:
        """The answer to a sign-in, and the cookies it set."""
        body = {"identifier": "ann@example.com", "password": PASSWORD, **more}
        status, answer, headers = self.ask("POST", "/auth/sign-in/password", body)
        assert status == 200, answer
        cookies = "; ".join(line.split(";")[0] for line in headers.get_all("Set-Cookie") or [])
        return answer, cookies


def finished(loader: subprocess.Popen[str]) -> Tally:
    out, _ = loader.communicate(timeout=180)
    read = json.loads(out)
    return Tally({int(k): v for k, v in read["statuses"].items()}, read["waits"], read["seconds"])


@contextlib.contextmanager
def running(name: str, folder: Path) -> Iterator[Running]:
    """A program of bench/servers.py, on the server's core, until it is left."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.servers", name, str(port), str(folder)], stdout=subprocess.DEVNULL
    )
    handle = psutil.Process(process.pid)
    with contextlib.suppress(psutil.Error, OSError):
        handle.cpu_affinity([SERVER_CORE])
    try:
        _wait(port, process)
        yield Running(name, port, handle, time.perf_counter() - began)
    finally:
        tree = [*handle.children(recursive=True), handle] if process.poll() is None else []
        process.terminate()
        _, left = psutil.wait_procs(tree, timeout=5)
        for one in left:
            one.kill()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.perf_counter() + 30
    while time.perf_counter() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request(
                "GET", "/auth/session", headers={"Host": f"localhost:{port}", "Accept": "application/json"}
            )
            connection.getresponse().read()
            return
        except (ConnectionError, OSError):
            time.sleep(0.01)
        finally:
            connection.close()
    raise RuntimeError(f"the program on port {port} did not start")
