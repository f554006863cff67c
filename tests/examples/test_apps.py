"""examples/flask_app and examples/fastapi_app, each as a process that a newcomer starts by its README, over HTTP."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.scenarios.client import FORM, HTML, Answer, Browser, Client, Pairs
from tests.services.processes import free_port, start, stop, wait_until
from tests.shape.tree import ROOT

PASSWORD = "four crows on a fence post"


class Example:
    """One example, copied to a folder of its own. It keeps the origin printed in it, whatever port it listens on."""

    def __init__(self, name: str, origin: str, folder: Path, *command: str) -> None:
        self.origin, self.port, self.folder = origin, free_port(), folder / name
        shutil.copytree(ROOT / "examples" / name, self.folder, ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
        secret = secrets.token_urlsafe(48)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "FLASK_SECRET_KEY": secret,
            "DOORWARD_SECRET": secret,
        }
        self.output = (folder / "output").open("w+b")
        words = [sys.executable, "-m", *command, "--port", str(self.port)]
        self.process = start(words, cwd=self.folder, env=environment, stdout=self.output)
        if not wait_until(self._answers, self.process):
            raise AssertionError(self.said())

    def _answers(self) -> bool:
        try:
            return Client(self).send("GET", "/").status == 200
        except ConnectionError:
            return False

    def said(self) -> str:
        return Path(self.output.name).read_text(encoding="utf-8")

    def code(self) -> str:
        """The code of the letter that the terminal printed."""
        found: list[str] = []

        def has_come() -> bool:
            found.extend(re.findall(r"^\s*(\d{6})\s*$", self.said(), re.MULTILINE))
            return bool(found)

        assert wait_until(has_come, self.process)
        return found[-1]

    def close(self) -> None:
        stop(self.process)
        self.output.close()

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in [*headers, ("Content-Length", str(len(body)))]:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def sign_up(self, email: str, name: str) -> Browser:
        browser = Browser(self)
        begun = browser.post("/sign-up", email=email, password=PASSWORD, name=name)
        assert begun.status == 202, begun.text
        done = browser.post("/email/verify", code=self.code())
        assert done.status == 200, done.text
        return browser


@pytest.fixture
def guest_book(tmp_path: Path) -> Iterator[Example]:
    example = Example("flask_app", "http://localhost:5000", tmp_path, "flask", "--app", "app", "run")
    yield example
    example.close()


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Example]:
    example = Example("fastapi_app", "http://localhost:8000", tmp_path, "uvicorn", "app:app")
    yield example
    example.close()


def test_the_guest_book(guest_book: Example) -> None:
    stranger = Browser(guest_book)
    assert "Sign in" in stranger.send("GET", "/", headers=HTML).text
    turned = stranger.send("GET", "/lines", headers=HTML)
    assert turned.header("location") == "/auth/sign-in?return_to=%2Flines"

    ann = guest_book.sign_up("ann@example.com", "Ann")
    assert ann.send("GET", "/lines").json == {"lines": ["has come in for the first time"]}
    assert ann.send("POST", "/write", b"text=Hello%21", {"Content-Type": FORM}).status == 302
    book = ann.send("GET", "/", headers=HTML).text
    assert "Welcome, Ann" in book
    assert "Ann: Hello!" in book

    foreign = ann.send("POST", "/wipe", headers={"Origin": "https://evil.example"})
    assert foreign.status == 403
    assert ann.send("POST", "/wipe").status == 302
    assert ann.send("GET", "/lines").json == {"lines": []}
    assert ann.page("/").status == 200


def test_the_notes(notes: Example) -> None:
    stranger = Client(notes)
    assert stranger.send("GET", "/").json == {"hello": "stranger", "sign_in": "/auth/sign-in"}
    assert stranger.send("GET", "/notes").status == 401
    assert stranger.send("GET", "/docs").status == 200

    notes.sign_up("ann@example.com", "Ann")
    program = Client(notes)
    signed_in = program.post("/sign-in/password", identifier="ann@example.com", password=PASSWORD, issue="tokens")
    program.bearer = signed_in.json["tokens"]["access_token"]
    written = program.send("POST", "/notes", b'{"text": "buy milk"}', {"Content-Type": "application/json"})
    assert (written.status, written.json) == (201, 1)
    assert program.send("GET", "/notes").json == ["buy milk"]
    assert program.send("DELETE", "/notes").status == 204
    assert program.send("GET", "/notes").json == []
