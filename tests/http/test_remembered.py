"""What is told again without asking the store: nothing but who somebody is, for half a second, and to them alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorward.actions import sign_up, verify_email
from doorward.asgi import Auth
from doorward.core.call import Call
from doorward.core.records import User
from doorward.core.session import Session
from doorward.testing.doubles import CHEAP, ORIGIN, SECRET, Clock, MailBox

PASSWORD = "plenty of brown sparrows"
HOST = (b"host", b"app.example.com")
JSON = (b"content-type", b"application/json")
FROM_US = (b"origin", ORIGIN.encode())


class Site:
    """An ASGI application over SQLite that counts how often its store is asked."""

    def __init__(self, folder: Path) -> None:
        self.clock, mail = Clock(), MailBox()
        url = f"sqlite:///{folder}/site.db"
        self.auth = Auth(url, origin=ORIGIN, secret=SECRET, mail=mail, clock=self.clock, passwords=CHEAP)
        mail.keyring = self.auth.doorward.world.keyring
        self.asked = 0
        unit = self.auth.stores.unit
        self.auth.stores.unit = self._counted(unit)  # type: ignore[method-assign]
        begun = self.auth.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
        self.auth.do(verify_email.verify, code=mail.code(), attempt=begun.attempt)

    def _counted(self, unit: Any) -> Any:
        def counted(colour: Any) -> Any:
            self.asked += 1
            return unit(colour)

        return counted

    def send(
        self, method: str, path: str, *headers: tuple[bytes, bytes], body: bytes = b"", ip: str = "192.0.2.1"
    ) -> Any:
        answer: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            answer.append(message)

        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
        scope |= {"headers": [HOST, *headers], "client": (ip, 5000), "scheme": "https", "root_path": ""}
        asyncio.run(self.auth(scope, receive, send))
        return answer[0]["status"], dict(answer[0]["headers"]), answer[1]["body"]

    def bearer(self) -> tuple[bytes, bytes]:
        given = {"identifier": "ann@example.com", "password": PASSWORD, "issue": "tokens"}
        body = json.dumps(given).encode()
        status, _, answer = self.send("POST", "/auth/sign-in/password", JSON, FROM_US, body=body)
        assert status == 200, answer
        return b"authorization", f"Bearer {json.loads(answer)['tokens']['access_token']}".encode()

    def run(self, story: Any) -> Any:
        return self.auth.run(story)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.auth.close()


def test_the_same_request_is_answered_without_the_store_for_half_a_second(site: Site) -> None:
    bearer = site.bearer()
    first = site.send("GET", "/auth/session", bearer)
    asked = site.asked
    assert site.send("GET", "/auth/session", bearer) == first
    assert site.asked == asked
    site.clock.forward(milliseconds=500)
    assert site.send("GET", "/auth/session", bearer)[0] == 200
    assert site.asked == asked + 1


def test_what_ends_here_ends_at_once(site: Site) -> None:
    bearer = site.bearer()
    assert site.send("GET", "/auth/session", bearer)[0] == 200
    assert site.send("POST", "/auth/sign-out", bearer, JSON, body=b"{}")[0] == 204
    assert site.send("GET", "/auth/session", bearer)[0] == 401


@pytest.mark.parametrize("what", ["user closed", "session gone"])
def test_what_ends_elsewhere_ends_within_half_a_second(site: Site, what: str) -> None:
    bearer = site.bearer()
    site.clock.forward(milliseconds=400)
    assert site.send("GET", "/auth/session", bearer)[0] == 200

    async def elsewhere(call: Call) -> None:  # as another process does it: nothing here hears of it
        if what == "user closed":
            await call.store.change(User, {}, active=False)
        else:
            await call.store.remove(Session)

    site.run(elsewhere)
    site.clock.forward(milliseconds=500)
    assert site.send("GET", "/auth/session", bearer)[0] == 401


def test_an_answer_is_no_older_than_what_it_was_made_of(site: Site) -> None:
    """Another header makes another request; what was read 400 ms ago is told for 100 ms more, not for 500."""
    bearer = site.bearer()
    site.send("GET", "/auth/session", bearer)
    site.clock.forward(milliseconds=400)
    other = (b"accept-language", b"de")
    assert site.send("GET", "/auth/session", bearer, other)[0] == 200
    site.run(lambda call: call.store.remove(Session))
    site.clock.forward(milliseconds=100)
    assert site.send("GET", "/auth/session", bearer, other)[0] == 401


def test_a_request_that_differs_in_anything_is_asked_anew(site: Site) -> None:
    bearer = site.bearer()
    assert site.send("GET", "/auth/session", bearer)[0] == 200
    assert site.send("GET", "/auth/session", (bearer[0], bearer[1] + b"x"))[0] == 401
    assert site.send("GET", "/auth/session", bearer, bearer)[0] == 401
    assert site.send("GET", "/auth/session")[0] == 401
    assert site.send("GET", "/auth/sessions/list", bearer)[0] == 200
    assert site.send("GET", "/auth/session/", bearer)[0] == 404
    assert site.send("POST", "/auth/session", bearer)[0] == 405


def test_nothing_else_is_told_again(site: Site) -> None:
    bearer = site.bearer()
    for path in ("/auth/sessions/list", "/auth/totp/list"):
        site.send("GET", path, bearer)
        asked = site.asked
        site.send("GET", path, bearer)
        assert site.asked == asked + 1
