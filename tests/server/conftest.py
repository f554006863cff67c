"""The server as users start it: a process of its own, from the command line, in an empty folder."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorward.server.cli import cli
from tests.services.processes import free_port, start, stop, wait_until

DOORWARD = [sys.executable, "-m", "doorward"]


@dataclass
class Served:
    """A server that listens. `ca` is what a client has to trust, where it speaks TLS."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    ca: Path | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """All that it has said."""
        return self.log.read_text()

    def request(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        """Status, header fields in lower case, body. Cookies are kept."""
        connection = self.connection()
        sent = {"Host": f"localhost:{self.port}", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            sent.setdefault("Origin", f"http{'s' if self.ca else ''}://localhost:{self.port}")
        content = None
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self.cookies.__setitem__(*value.partition(";")[0].split("=", 1))
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        if self.ca is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        context = ssl.create_default_context(cafile=str(self.ca))
        return http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON."""
        status, _, body = self.request("GET", path)
        return status, json.loads(body) if body else None

    def post(self, path: str, **arguments: object) -> tuple[int, Any]:
        """Status and JSON."""
        status, _, body = self.request("POST", path, arguments, {"Sec-Fetch-Site": "same-origin"})
        return status, json.loads(body) if body else None

    def end(self) -> int:
        """Stop it as an init system does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Call it with options of `doorward serve`, and settings: `serve("--tls-dev", SIGN_UP="closed")`."""
    with serving(tmp_path) as run:
        yield run


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that change nothing in it."""
    with serving(tmp_path_factory.mktemp("standing")) as run:
        yield run("--json", "--access-log")


@contextmanager
def serving(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """The same, as long as one wants."""
    running: list[Served] = []

    def run(*options: str, ready: bool = True, **settings: str) -> Served:
        port = free_port()
        log = tmp_path / f"log-{port}"
        given = {"LISTEN": f"127.0.0.1:{port}", **settings}
        with log.open("wb") as output:
            process = start(
                [*DOORWARD, "serve", *options], cwd=tmp_path, env=environment(tmp_path, **given), stdout=output
            )
        ca = tmp_path / "doorward-data" / "dev-ca.pem" if "--tls-dev" in options else None
        served = Served(process, port, log, ca)
        running.append(served)
        assert wait_until(lambda: _answers(served), process, 60) is ready, served.output
        return served

    try:
        yield run
    finally:
        for served in running:
            stop(served.process)


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Of a process that sees nothing but these settings."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(home), **{f"DOORWARD_{name}": value for name, value in settings.items()}}


def _answers(served: Served) -> bool:
    try:
        return served.request("GET", "/healthz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def doorward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Done]]:
    """Call it with arguments of `doorward`, run in this process; `stdin` is what it reads, the others are settings."""
    mask = os.umask(0o022)
    monkeypatch.chdir(tmp_path)
    yield command
    os.umask(mask)


def command(*arguments: str, stdin: str = "", **settings: str) -> Done:
    """One of `doorward`, run in this process and in the present folder."""
    unset = {name: None for name in os.environ if name.startswith("DOORWARD_")}
    env = {**unset, **{f"DOORWARD_{name}": value for name, value in settings.items()}}
    done = CliRunner().invoke(cli, arguments, input=stdin, env=env, prog_name="doorward")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return Done(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Done]:
    """The same as a process of its own."""

    def run(*arguments: str, stdin: str = "", **settings: str) -> Done:
        done = subprocess.run(
            [*DOORWARD, *arguments],
            cwd=tmp_path,
            env=environment(tmp_path, **settings),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def code_in(output: str) -> str:
    """The code of the last letter on a terminal."""
    return re.findall(r"^\s*(\d{6,8})\s*$", output, re.MULTILINE)[-1]
