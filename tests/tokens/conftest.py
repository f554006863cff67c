"""A real `doorward serve`, and a house whose key set a stub publishes as one wants it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from doorward.features import token_keys
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.stores import open_store
from doorward.testing.doubles import House
from tests.server.conftest import DOORWARD, Served, environment
from tests.services.processes import free_port, start, stop, wait_until

SERVICE = "https://api.example.com"
PASSWORD = "a long sentence of nobody else's"


class Publisher(ThreadingHTTPServer):
    """Answers every path with `answer`, in JSON, and counts how often; `status` and `headers` as a test wants them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.answer: Any = {"keys": []}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.hold = threading.Event()
        self.hold.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks.json"


class _Handler(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.hold.wait(20)
        body = self.server.answer
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """A test reads `asked`."""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    server = Publisher()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.hold.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def house() -> Iterator[House]:
    house = House(
        standard(),
        lambda doorward: open_store("memory:", records=doorward.records),
        MemoryLimits(),
        os.urandom,
        token_audience=f"{SERVICE},https://other.example.com",
    )
    yield house
    house.stores.close()


def key_set(house: House) -> dict[str, Any]:
    """The JWK set as it is published now."""
    return {"keys": [dict(key) for key in house.program().do(token_keys.jwks).keys]}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own process, where Ann can sign in."""
    folder, port = tmp_path_factory.mktemp("tokens"), free_port()
    settings = {"LISTEN": f"127.0.0.1:{port}", "TOKEN_AUDIENCE": SERVICE}
    process = start([*DOORWARD, "serve", "--json"], cwd=folder, env=environment(folder, **settings))
    server = Served(process, port, folder / "log")
    try:
        assert wait_until(lambda: _answers(server), process, 60)
        command = [*DOORWARD, "user", "add", "ann@example.com"]
        subprocess.run(
            command, cwd=folder, env=environment(folder, **settings), input=PASSWORD.encode(), check=True, timeout=60
        )
        yield server
    finally:
        stop(process)


def _answers(server: Served) -> bool:
    try:
        return server.request("GET", "/healthz")[0] == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def access_token(served: Served) -> str:
    """A token for the service, as a client of the real server gets it."""
    _, signed_in = served.post(
        "/auth/sign-in/password", identifier="ann@example.com", password=PASSWORD, issue="tokens"
    )
    status, answer = served.post(
        "/auth/token/refresh", refresh_token=signed_in["tokens"]["refresh_token"], audience=SERVICE
    )
    assert status == 200, answer
    token: str = answer["access_token"]
    return token
