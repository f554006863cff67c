"""Applications of ASGI frameworks, in one event loop beside the tests: forty clients are forty tasks in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from doorward import actions, asgi
from doorward import fastapi as doorward_fastapi
from doorward.core.refusals import Refused
from doorward.fastapi import CurrentUser, MaybeUser
from tests.scenarios.client import Answer, Pairs
from tests.scenarios.hosts.base import WANTS, InProcessHost


class AsgiHost(InProcessHost):
    """`app` answers; requests are carried to it as ASGI 3 says."""

    app: Any
    auth: asgi.Auth

    def __init__(self, database: str, **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        super().__init__(database, **options)
        self.mail.keyring = self.auth.doorward.world.keyring

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        exchange = call_asgi(self.app, method, target, headers, body, peer)
        return asyncio.run_coroutine_threadsafe(exchange, self.loop).result(60)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def _close(self) -> None:
        await self.auth.aclose()


class PlainAsgiHost(AsgiHost):
    """No framework: three lines of ASGI behind our middleware."""

    def start(self, database: str, options: dict[str, Any]) -> None:
        self.auth = asgi.Auth(database, **options)
        self.app = self.auth.middleware(self._routes)

    async def _routes(self, scope: Any, receive: Any, send: Any) -> None:
        answer = await self._answer(scope)
        await answer(scope, receive, send)

    async def _answer(self, scope: Any) -> Response:
        return await ROUTES.get(scope["path"], _missing)(self.auth, scope)


class StarletteHost(AsgiHost):
    """Mounted at /auth as an application of its own; our middleware is around Starlette's own routes only."""

    def start(self, database: str, options: dict[str, Any]) -> None:
        auth = self.auth = asgi.Auth(database, **options)

        def route(path: str) -> Route:
            async def endpoint(request: Request) -> Response:
                return await ROUTES[path](auth, request.scope)

            methods = ["POST"] if path == "/leave" else ["GET"]
            return Route(path, endpoint, methods=methods, middleware=[Middleware(auth.middleware)])

        routes = [*map(route, ROUTES), Mount("/auth", auth), Mount("/.well-known", auth)]
        self.app = Starlette(routes=routes)
        self.app.router.redirect_slashes = False  # or Starlette makes /auth/ of /auth before we see it


class FastApiHost(AsgiHost):
    def start(self, database: str, options: dict[str, Any]) -> None:
        self.app = app = FastAPI()
        self.auth = auth = doorward_fastapi.Auth(app, database, **options)

        @app.get("/open")
        async def open_to_all() -> str:
            return "open"

        @app.get("/who")
        async def who(user: MaybeUser) -> dict[str, Any]:
            return {"email": user and user.email}

        @app.get("/closed")
        def closed(user: CurrentUser) -> dict[str, Any]:  # a plain function: FastAPI runs it in a thread
            return {"email": user.email}

        @app.get("/editors", dependencies=[Depends(auth.needs(role="editor"))])
        async def editors() -> str:
            return "editors"

        for path, wants in WANTS.items():
            app.get(path, dependencies=[doorward_fastapi.needs(**wants)])(_enough)

        @app.post("/leave")
        def leave() -> str:
            auth.do(actions.sign_out.sign_out)
            return "left"


async def _open(auth: asgi.Auth, scope: Any) -> Response:
    return PlainTextResponse("open")


async def _who(auth: asgi.Auth, scope: Any) -> Response:
    identity = await scope["doorward"].identity()
    return JSONResponse({"email": identity and identity.user.email})


async def _closed(auth: asgi.Auth, scope: Any) -> Response:
    try:
        identity = await scope["doorward"].require()
    except Refused as refused:
        answer = scope["doorward"].turned_away(refused)
        return Response(answer.body, answer.status, dict(answer.headers))
    return JSONResponse({"email": identity.user.email})


async def _editors(auth: asgi.Auth, scope: Any) -> Response:
    @auth.needs(role="editor")
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("editors")

    answer: Response = await endpoint(Request(scope))
    return answer


async def _enough() -> str:
    return "enough"


def _wanting(wants: dict[str, Any]) -> Callable[[asgi.Auth, Any], Awaitable[Response]]:
    async def route(auth: asgi.Auth, scope: Any) -> Response:
        @auth.needs(**wants)
        async def endpoint(request: Request) -> Response:
            return PlainTextResponse(await _enough())

        answer: Response = await endpoint(Request(scope))
        return answer

    return route


async def _leave(auth: asgi.Auth, scope: Any) -> Response:
    await auth.ado(actions.sign_out.sign_out)
    return PlainTextResponse("left")


async def _missing(auth: asgi.Auth, scope: Any) -> Response:
    return PlainTextResponse("not found", 404)


ROUTES: dict[str, Callable[[asgi.Auth, Any], Awaitable[Response]]] = {
    "/open": _open,
    "/who": _who,
    "/closed": _closed,
    "/editors": _editors,
    "/leave": _leave,
    **{path: _wanting(wants) for path, wants in WANTS.items()},
}


async def call_asgi(app: Any, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
    """One request as the ASGI specification has it, its body in pieces."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": (peer, 50000),
        "server": ("app.example.com", 443),
        "state": {},
    }
    pieces = [body[at : at + 20_000] for at in range(0, len(body), 20_000)] or [b""]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False
    sent: list[Any] = []
    answered = asyncio.Event()

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await answered.wait()  # nobody hangs up before
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            answered.set()

    await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    fields = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], fields, content)
