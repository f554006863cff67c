"""The server's application without a network: who may speak, for how long a body may come, what readiness says."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from doorward.asgi import Auth
from doorward.core.call import Call, Letter
from doorward.core.ports import Unavailable
from doorward.core.records import OutboxMessage
from doorward.server.app import Server
from doorward.server.config import new_secret
from doorward.server.tasks import Clocks, Job, Tasks
from doorward.testing.doubles import MailBox

HOST = (b"host", b"auth.example.com")


def server(folder: Path, tasks: Tasks | None = None, *, proxies_only: bool = False) -> Server:
    auth = Auth(
        f"sqlite:///{folder}/doorward.db",
        secret=new_secret(),
        origin="https://auth.example.com",
        trusted_proxies=["192.0.2.0/28"],
        mail=MailBox(),
    )
    return Server(auth, tasks or Tasks(), proxies_only=proxies_only)


async def call(app: Server, path: str, *, peer: str = "192.0.2.1", method: str = "GET", body: Any = None) -> Any:
    """Status, header fields and body of one request; `body` is the function `receive`."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [HOST, (b"content-type", b"application/json"), (b"sec-fetch-site", b"same-origin")],
        "client": (peer, 5),
        "scheme": "http",
    }
    await app(scope, body or receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize(
    ("peer", "status"),
    [("192.0.2.1", 401), ("127.0.0.1", 401), ("198.51.100.1", 403), ("::ffff:198.51.100.1", 403), ("", 403)],
)
def test_in_the_clear_only_the_proxies_may_speak(tmp_path: Path, peer: str, status: int) -> None:
    application = server(tmp_path, proxies_only=True)
    assert asyncio.run(call(application, "/auth/session", peer=peer))[0] == status
    assert asyncio.run(call(application, "/healthz", peer=peer))[0] == 200


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorward.server.app.BODY_SECONDS", 0.2)

    async def trickle() -> Any:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b" ", "more_body": True}

    status, headers, _ = asyncio.run(call(server(tmp_path), "/auth/sign-up", method="POST", body=trickle))
    assert (status, headers[b"connection"]) == (408, b"close")


def test_web_sockets_and_unknown_protocols_are_left_unanswered(tmp_path: Path) -> None:
    async def never() -> Any:
        raise AssertionError("nothing is asked of the client")

    assert asyncio.run(server(tmp_path)({"type": "websocket"}, never, never)) is None


def test_letters_that_nobody_tries_make_a_node_unready(tmp_path: Path) -> None:
    application = server(tmp_path)
    assert asyncio.run(application.readiness()) == {"database": True, "outbox": True, "clock": True}

    async def post(call: Call) -> None:
        await call.later(Letter("ann@example.com", "verify_address"))
        await call.store.change(OutboxMessage, {}, due_at=call.now - timedelta(minutes=6))

    application.auth.run(post)
    assert asyncio.run(application.readiness())["outbox"] is False
    status, _, body = asyncio.run(call(application, "/readyz"))
    assert (status, b'"outbox": false' in body) == (503, True)


def test_a_database_that_is_away_makes_a_node_unready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    application = server(tmp_path)

    async def away(*_: object) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(application.auth, "arun", away)
    assert asyncio.run(application.readiness()) == {"database": False}


def test_clocks_that_differ_make_a_node_unready(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = Clocks(postgres_url)
    clocks.compare()
    assert clocks.agree
    monkeypatch.setattr("doorward.server.tasks.time.time", lambda: 1_000_000.0)
    clocks.compare()
    application = server(tmp_path, Tasks(clocks=clocks))
    assert asyncio.run(application.readiness())["clock"] is False


def test_a_job_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    failures, finished = [ValueError("broken"), Unavailable("away")], threading.Event()

    def fails() -> None:
        if not failures:
            finished.set()
            return
        raise failures.pop()

    async def run() -> None:
        async with Tasks([Job("job", 0.01, fails)]):
            assert await asyncio.to_thread(finished.wait, 10)

    asyncio.run(run())
    assert {record.getMessage() for record in caplog.records} == {"job: away", "job failed"}
