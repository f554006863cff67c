"""What ASGI has beside the scenarios: frameworks to mount it in, bodies in pieces, threads, and the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from litestar import Litestar
from litestar import asgi as litestar_asgi
from quart import Quart, request

from doorward import actions, asgi
from doorward.core.action import Needs
from doorward.core.call import Call
from doorward.core.events import SignedIn
from doorward.core.refusals import Misconfigured, Refused
from doorward.http.messages import MAX_BODY
from doorward.stores.migrations import migrate
from doorward.testing.doubles import CHEAP, SECRET, Clock, MailBox
from tests.http.bare import FreeLimits
from tests.scenarios.client import Answer, Browser, Client, Pairs
from tests.scenarios.hosts.asgi import call_asgi
from tests.scenarios.people import ANN, PASSWORD, set_up_app, sign_in, sign_up

ORIGIN = "https://app.example.com"


def made(database: str = "sqlite://", **more: Any) -> asgi.Auth:
    given = {"secret": SECRET, "origin": ORIGIN, "mail": MailBox(), "clock": Clock()}
    return asgi.Auth(database, **{**given, "limits": FreeLimits(), "passwords": CHEAP, **more})


@pytest.fixture
def auth() -> Iterator[asgi.Auth]:
    one = made()
    yield one
    one.close()


class Running:
    """An ASGI application as the scenarios' clients see a host; each request in an event loop of its own."""

    origin = ORIGIN

    def __init__(self, app: Any, auth: asgi.Auth) -> None:
        self.app, self.mail, self.clock = app, auth.parts.mail, auth.parts.clock

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        return anyio.run(call_asgi, self.app, method, target, headers, body, peer)


def test_mounted_in_litestar(auth: asgi.Auth) -> None:
    app = Litestar([litestar_asgi("/auth", is_mount=True, copy_scope=True)(auth)])
    assert the_way_in(Running(app, auth)).get("/session").json["user"]["email"] == ANN


def test_around_quart(auth: asgi.Auth) -> None:
    app = Quart("app")

    @app.get("/me")
    async def me() -> str:
        identity = await request.scope["doorward"].identity()
        return str(identity.user.email)

    app.asgi_app = auth.middleware(app.asgi_app)  # type: ignore[method-assign,assignment]
    ann = the_way_in(Running(app, auth))
    assert ann.send("GET", "/me").text == ANN


def test_the_middleware_may_ask_something_of_everybody(auth: asgi.Auth) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"gold"})

    host: Any = Running(auth.middleware(app, aal=2), auth)
    assert Client(host).send("GET", "/vault").reason == "not_signed_in"
    ann = sign_up(host)
    assert ann.send("GET", "/vault").reason == "second_factor_required"
    sent, _ = anyio.run(lambda: exchange(host.app, [], type="websocket", path="/live"))
    assert [message["type"] for message in sent] == ["websocket.close"]
    set_up_app(host, ann)
    assert ann.send("GET", "/vault").text == "gold"


def the_way_in(host: Running) -> Browser:
    assert Client(host).get("/session").status == 401
    assert Client(host).send("POST", "/auth//sign-out").status in (404, 405)
    return sign_up(host)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("root", "path", "found"),
    [
        ("", "/auth/session", ("/auth/session", "/auth")),
        ("/auth", "/auth/session", ("/auth/session", "/auth")),
        ("/auth", "/session", ("/auth/session", "/auth")),
        ("/shop", "/shop/auth/session", ("/shop/auth/session", "/shop/auth")),
        ("/shop", "/auth/session", ("/shop/auth/session", "/shop/auth")),
        ("/shop/auth", "/shop/auth/session", ("/shop/auth/session", "/shop/auth")),
    ],
)
def test_wherever_it_is_mounted(auth: asgi.Auth, root: str, path: str, found: tuple[str, str]) -> None:
    for raw in (path.encode(), None):
        scope = {"type": "http", "path": path, "raw_path": raw, "root_path": root}
        assert auth.located(scope) == found


async def exchange(app: Any, incoming: list[dict[str, Any]], **scope: Any) -> tuple[list[Any], int]:
    """What is sent, and how many messages were taken."""
    sent: list[Any] = []
    queue = list(incoming)

    async def receive() -> Any:
        return queue.pop(0) if queue else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"app.example.com"), (b"content-type", b"application/json")]
    given = {"type": "http", "method": "POST", "path": "/auth/sign-up", "query_string": b"", "headers": headers}
    await app({**given, **scope}, receive, send)
    return sent, len(incoming) - len(queue)


def test_an_endless_body_is_not_read_to_its_end(auth: asgi.Auth) -> None:
    piece = {"type": "http.request", "body": b"x" * 10_000, "more_body": True}
    sent, taken = anyio.run(exchange, auth, [piece] * 1000)
    assert sent[0]["status"] == 413
    assert taken == MAX_BODY // 10_000 + 1


def test_a_client_that_went_away_gets_nothing(auth: asgi.Auth) -> None:
    piece = {"type": "http.request", "body": b"{", "more_body": True}
    assert anyio.run(exchange, auth, [piece]) == ([], 1)


def test_a_websocket_of_ours_is_closed(auth: asgi.Auth) -> None:
    sent, _ = anyio.run(lambda: exchange(auth, [{"type": "websocket.connect"}], type="websocket"))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_websocket_of_the_application_knows_who_asks(auth: asgi.Auth) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        identity = await scope["doorward"].identity()
        seen.append(identity and identity.user.email)
        await send({"type": "websocket.accept"})

    ann = sign_up(Running(auth, auth))  # type: ignore[arg-type]
    cookie = f"__Host-doorward={ann.session}".encode()
    headers = [(b"host", b"app.example.com"), (b"cookie", cookie)]
    wrapped = auth.middleware(app)
    anyio.run(lambda: exchange(wrapped, [], type="websocket", path="/live", headers=headers))
    assert seen == [ANN]


def test_a_lifespan_ends_well() -> None:
    one = made()
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent, _ = anyio.run(lambda: exchange(one, incoming, type="lifespan"))
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_the_lifespan_of_the_application_is_ours(postgres_url: str) -> None:
    """Connections are given back when the application has ended, with nothing of it left in the event loop."""
    migrate(postgres_url)
    one = made(postgres_url)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for word in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{word}"
            await send({"type": f"lifespan.{word}.complete"})

    async def live() -> list[Any]:
        await one.ado(actions.token_keys.jwks)
        incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent, _ = await exchange(one.middleware(app), incoming, type="lifespan")
        assert [task.get_name() for task in asyncio.all_tasks() if "pool" in task.get_name()] == []
        return sent

    assert len(anyio.run(live)) == 2


def test_writes_leave_the_event_loop_where_the_store_blocks(auth: asgi.Auth) -> None:
    """SQLite has one colour: reads in place, writes by a hop to a thread."""
    threads: list[str] = []

    async def story(call: Call) -> None:
        threads.append(threading.current_thread().name)

    async def both() -> None:
        await auth.arun(story, quick=True)
        await auth.arun(story)

    anyio.run(both)
    assert threads[0] == threading.main_thread().name
    assert threads[1] != threads[0]


def test_an_async_listener_needs_a_store_that_is_awaited(auth: asgi.Auth) -> None:
    async def listener(event: SignedIn) -> None:
        heard.append(event.session_id)

    heard: list[str] = []
    with pytest.raises(Misconfigured, match=r"assembly\.E3"):
        auth.on(SignedIn)(listener)
    natively = made("memory:")
    natively.on(SignedIn)(listener)
    sign_up(Running(natively, natively))  # type: ignore[arg-type]
    assert len(heard) == 1


def test_visitors_may_be_asked_for_more(auth: asgi.Auth) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await scope["doorward"].require(Needs.FRESH)
            seen.append("fresh")
        except Refused as refused:
            seen.append(refused.reason)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    host = Running(auth.middleware(app), auth)
    ann = sign_up(host)  # type: ignore[arg-type]
    ann.send("GET", "/pay")
    host.clock.forward(minutes=11)
    ann.send("GET", "/pay")
    Client(host).send("GET", "/pay")
    Client(host, bearer="x").send("GET", "/pay")
    assert seen == ["fresh", "fresh_proof_required", "not_signed_in", "invalid_bearer"]


def test_visitors_may_be_asked_for_a_role_and_a_level(auth: asgi.Auth) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for wants in ({"role": "editor"}, {"permission": "posts.read"}, {"scope": "posts.read"}, {"aal": 2}):
            try:
                await scope["doorward"].require(**wants)
                seen.append("well")
            except Refused as refused:
                seen.append(refused.reason)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    ann = sign_up(Running(auth.middleware(app), auth))  # type: ignore[arg-type]
    ann.send("GET", "/")
    assert seen == ["not_permitted", "not_permitted", "well", "second_factor_required"]


def test_a_program_outside_of_requests_may_call(auth: asgi.Auth) -> None:
    async def sign_up_and_in() -> Any:
        begun = await auth.ado(actions.sign_up.sign_up, email=ANN, password=PASSWORD)
        code = auth.parts.mail.code()
        return await auth.ado(actions.verify_email.verify, code=code, attempt=begun.attempt)

    assert anyio.run(sign_up_and_in).identity.user.email == ANN
    assert auth.do(actions.password.sign_in, identifier=ANN, password=PASSWORD).identity is not None
    assert sign_in(Client(Running(auth, auth))).status == 200
