"""Doorward for any ASGI framework: `Auth(…)` is an application to mount, and a middleware that knows who asks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any, TypeVar, Unpack
from urllib.parse import quote

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.lowlevel import RunVar

from doorward.assembly import Runtime, split_database
from doorward.core.action import Demand, Needs, Wants, demanded
from doorward.core.call import Call, Client
from doorward.core.doorward import require
from doorward.core.feature import Feature
from doorward.core.ports import Unavailable
from doorward.core.refusals import Refused
from doorward.core.session import Caller
from doorward.cpu import LEAST_MEMORY
from doorward.http.messages import MAX_BODY, Headers, Request, Response
from doorward.http.visit import Visit
from doorward.surroundings import Surroundings

T = TypeVar("T")
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "doorward"
# Threads beside those that wait for a hash: people already signed in notice nothing of a flood of sign-ins.
SPARE_THREADS = 8
VARY = (b"vary", b"Cookie, Authorization")
_VISITOR: ContextVar[Visitor | None] = ContextVar("doorward-visitor", default=None)
_LIMITER: RunVar[anyio.CapacityLimiter] = RunVar("doorward-threads")


class Auth(Runtime):
    """Sign-in as an ASGI application. `Auth("sqlite:///app.db", origin="https://app.example.com")`.

    Mount it (`Mount("/auth", auth)`), or let `auth.middleware(app)` answer under the prefix and tell `app` who asks.
    """

    colour = "async"

    def __init__(self, database: str | Feature | None = None, *features: Feature, **options: Any) -> None:
        url, self.features = split_database(database, features)
        super().__init__(options if url is None else {**options, "database_url": url})
        self.assemble(self.features, self.surroundings())
        self._digest_key = os.urandom(32)

    def surroundings(self) -> Surroundings:
        """What the framework around us knows; a bare ASGI application knows nothing."""
        return Surroundings(debug=bool(self._given.get("debug")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a path of ours."""
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] != "http":
            return await _hang_up(scope, receive, send)
        recent = self.doorward.world.recent
        if recent is None or scope["method"] != "GET":
            return await self._answer(scope, receive, send)
        asked, generation = self._digest(scope), recent.generation
        messages = recent.said(asked, self.doorward.world.clock())
        if messages is None:
            response = await self.arespond(_request(scope, *self.located(scope)))
            messages = _messages(response)
            if response.read_at is not None:
                recent.say(asked, messages, response.read_at, generation=generation)
        for message in messages:
            await send(message)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, prefix = self.located(scope)
        body = await _read(scope, receive)
        if body is None:  # the client went away
            return None
        await _send(send, await self.arespond(_request(scope, path, prefix, body)))

    def _digest(self, scope: Scope) -> bytes:
        """What stands for a whole request without a body: only one that is the same in every byte of it is told again
        what it was told (core/session.py: `Recent`)."""
        lines = [name + b":" + value for name, value in scope["headers"]]  # no line of a header holds a line feed
        client, path = scope.get("client") or ("",), scope.get("raw_path") or scope["path"].encode()
        start = f"{scope.get('scheme')} {scope.get('root_path')} {client[0]}".encode()
        whole = b"\n".join((start, path, scope.get("query_string", b""), *lines))
        return hashlib.blake2b(whole, digest_size=32, key=self._digest_key).digest()

    def middleware(self, app: App, **wants: Unpack[Wants]) -> App:
        """`app` with our paths answered; in all others `await scope["doorward"].identity()` says who asks. What is
        asked here, as by `needs`, is asked of all of them: `auth.middleware(app, aal=2)`."""
        demand = demanded(**wants) if wants else None

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] not in ("http", "websocket"):
                return await app(scope, receive, self._closing(send))
            path, prefix = self.located(scope)
            if scope["type"] == "http" and self.site.owns(path, prefix=prefix):
                return await self(scope, receive, send)
            visitor = scope[KEY] = Visitor(self, scope)
            refusal = await self.refusal(scope, visitor)
            if refusal is None and demand is not None:
                refusal = await visitor.refusal(demand)
            if refusal is not None:
                return await (_send(send, refusal) if scope["type"] == "http" else _hang_up(scope, receive, send))
            token = _VISITOR.set(visitor)
            try:
                await app(scope, receive, visitor.sender(send))
            finally:
                _VISITOR.reset(token)

        return run

    def needs(self, needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]) -> Callable[..., Any]:
        """`@auth.needs(role="editor")` on an endpoint that takes a request (Starlette's, or anything with its `scope`)
        and lies behind our middleware."""
        demand = demanded(needs, **wants)

        def wrap(endpoint: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            @wraps(endpoint)
            async def wrapper(request: Any, *args: Any, **kwargs: Any) -> Any:
                visitor: Visitor = request.scope[KEY]
                refusal = await visitor.refusal(demand)
                return await endpoint(request, *args, **kwargs) if refusal is None else _Answer(refusal)

            return wrapper

        return wrap

    async def refusal(self, scope: Scope, visitor: Visitor) -> Response | None:
        """The answer to a request that may not reach the application; a framework's adapter knows its routes."""
        return None

    async def arun(
        self, story: Callable[[Call], Awaitable[T]], client: Client | None = None, *, quick: bool = False
    ) -> T:
        """Await a story where the store can be awaited; else complete it in place if it only reads, or in a thread."""
        if self.natively:
            return await self._work("async", story, client)
        if quick:
            return self.run(story, client)
        return await anyio.to_thread.run_sync(partial(self.run, story, client), limiter=self._limiter())

    def run(self, story: Callable[[Call], Awaitable[T]], client: Client | None = None) -> T:
        """Complete a story on this thread. Over a store that can only be awaited, the event loop that started this
        thread does it (an endpoint that is a plain `def`)."""
        if "sync" in self.stores.colours:
            return super().run(story, client)
        return anyio.from_thread.run(self._work, "async", story, client)

    def visit(self) -> Visit | None:
        visitor = _VISITOR.get()
        return visitor.visit if visitor is not None else None

    def _limiter(self) -> anyio.CapacityLimiter:
        """Threads of our own in each event loop, more than there are places to wait for a hash."""
        try:
            return _LIMITER.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(self.pool.memory_limit // LEAST_MEMORY + SPARE_THREADS)
            _LIMITER.set(limiter)
            return limiter

    async def aclose(self) -> None:
        """`close`, having waited for the connections of this event loop."""
        await anyio.to_thread.run_sync(self.close_outbox)
        if (aclose := getattr(self.own_stores, "aclose", None)) is not None:
            await aclose()
        self.close()

    def _closing(self, send: Send) -> Send:
        """`send` of a lifespan: when the application has ended, so do we."""

        async def closing(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await self.aclose()
            await send(message)

        return closing

    async def _live(self, receive: Receive, send: Send) -> None:
        closing = self._closing(send)
        while True:
            message = await receive()
            await closing({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    def located(self, scope: Scope) -> tuple[str, str]:
        """The whole path as it was sent, and the prefix under which we answer in it.

        `root_path` is what comes before the application; servers put it into the path or leave it out.
        """
        raw, root = scope.get("raw_path"), str(scope.get("root_path") or "")
        path = raw.decode("ascii", "replace").partition("?")[0] if raw else quote(scope["path"], safe="/:;=@!$&'()*+,~")
        if root and not path.startswith(root + "/"):
            path = root + path
        return path, root if root.endswith(self.parts.prefix) else root + self.parts.prefix


class Visitor:
    """Who makes a request to a route of the application's own: `scope["doorward"]`. Costs nothing until it is asked."""

    def __init__(self, auth: Auth, scope: Scope) -> None:
        self.auth = auth
        self._scope = scope
        self._visit: Visit | None = None

    @property
    def visit(self) -> Visit:
        if self._visit is None:
            path, prefix = self.auth.located(self._scope)
            self._visit = self.auth.site.visitor(_request(self._scope, path, prefix))
        return self._visit

    async def identity(self) -> Caller | None:
        """The identity, looked up at first use; None where nobody is signed in."""
        visit = self.visit
        if not visit.known and not visit.claims_nobody:
            await self.auth.arun(self._recognise, visit.client, quick=visit.client.proof is None)
        return visit.identity

    async def _recognise(self, call: Call) -> None:
        await self.auth.site.recognise(self.visit, call)

    async def require(self, needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]) -> Caller:
        """The identity. Raises `Refused` where nobody is signed in, or who is lacks what is asked for:
        `await scope["doorward"].require(role="editor")`. `Wants` names all that may be asked."""
        return await self.meet(demanded(needs, **wants))

    async def meet(self, demand: Demand) -> Caller:
        """The identity, which holds to the demand. Raises `Refused`."""
        identity = await self.identity()
        if self.visit.refused is not None:
            raise self.visit.refused
        if identity is None:
            raise Refused("not_signed_in")
        if demand != Demand():

            async def ask(call: Call) -> None:
                await self.auth.site.recognise(self.visit, call)
                await require(call, demand)

            await self.auth.arun(ask, self.visit.client, quick=True)
        return identity

    async def refusal(self, demand: Demand) -> Response | None:
        """The answer to a request that may not go on, or None."""
        try:
            await self.meet(demand)
        except Refused as refused:
            return self.turned_away(refused)
        except Unavailable as error:
            return self.auth.failed(self.visit.request, error)
        return None

    def turned_away(self, refused: Refused) -> Response:
        """The answer to who may not go on."""
        return self.auth.site.turned_away(self.visit, refused)

    def sender(self, send: Send) -> Send:
        """`send`, with the cookies that calls from the application's routes want set."""

        async def with_cookies(message: Message) -> None:
            visit = self._visit
            if visit is not None and message["type"] in ("http.response.start", "websocket.accept"):
                headers = [*message.get("headers", ()), *_encoded(visit.outgoing), VARY]
                message = {**message, "headers": headers}
            await send(message)

        return with_cookies


def _request(scope: Scope, path: str, prefix: str, body: bytes = b"") -> Request:
    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    client = scope.get("client")
    return Request(
        # A handshake is no safe request: any site may open a WebSocket, and only its Origin tells.
        method=scope.get("method", "WEBSOCKET"),
        path=path,
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=headers,
        body=body,
        peer=client[0] if client else "",
        secure=scope.get("scheme") in ("https", "wss"),
        prefix=prefix,
    )


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """The body, at most one byte more than we take; None if the client went away."""
    if scope["method"] not in ("POST", "PUT", "PATCH"):
        return b""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return bytes(body[: MAX_BODY + 1])
        if not message.get("more_body", False):
            return bytes(body)


async def _send(send: Send, response: Response) -> None:
    for message in _messages(response):
        await send(message)


class _Answer:
    """A response of ours that an endpoint returns."""

    def __init__(self, response: Response) -> None:
        self.response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _send(send, self.response)


def _messages(response: Response) -> tuple[Message, Message]:
    headers = [*_encoded(response.headers), (b"content-length", str(len(response.body)).encode())]
    start = {"type": "http.response.start", "status": response.status, "headers": headers}
    return start, {"type": "http.response.body", "body": response.body}


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    """There are no WebSockets of ours."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
