"""The server's application: Doorward under /auth, its keys, health and readiness; and nothing else."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from ipaddress import ip_address

from doorward.asgi import Auth, Message, Receive, Scope, Send
from doorward.core.call import Call
from doorward.core.ports import Unavailable
from doorward.core.records import OutboxMessage
from doorward.core.refusals import Refused
from doorward.http.headers import finished, redirect
from doorward.http.messages import Headers, Request, Response
from doorward.server.tasks import Tasks

log = logging.getLogger("doorward.server")

BODY_SECONDS = 30  # for a whole request body: 64 KiB at most
STUCK_AFTER = timedelta(minutes=5)


class Server:
    """An ASGI application. `proxies_only`: plain http from a network, so only the configured proxies may speak."""

    def __init__(self, auth: Auth, tasks: Tasks, *, proxies_only: bool = False) -> None:
        self.auth = auth
        self.tasks = tasks
        self.proxies_only = proxies_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] != "http":
            return None
        path = scope["path"]
        if path in ("/healthz", "/readyz"):
            return await self._send(send, await self._health(scope))
        if self.proxies_only and not self._is_proxy(scope):
            return await self._send(send, self._refusal(scope, Refused("not_permitted", "Come by the proxy.")))
        if self.auth.site.owns(self.auth.located(scope)[0]):
            return await self._answer(scope, receive, send)
        return await self._send(send, self._elsewhere(scope))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET":  # no body is read
            return await self.auth(scope, receive, send)
        until = asyncio.get_running_loop().time() + BODY_SECONDS

        async def receive_in_time() -> Message:
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise Unfinished(408) from None
            if message["type"] == "http.disconnect":  # or its chunks are none (RFC 9112 §7.1)
                raise Unfinished(400)
            return message

        try:
            await self.auth(scope, receive_in_time, send)
        except Unfinished as unfinished:
            await self._send(send, Response(unfinished.status, [("Connection", "close")]))

    def _elsewhere(self, scope: Scope) -> Response:
        if scope["path"] != "/":
            return self._refusal(scope, Refused("not_found"))
        if scope["method"] not in ("GET", "HEAD"):
            return Response(405, [("Allow", "GET, HEAD")])
        return redirect(self.auth.parts.prefix + "/")

    def _refusal(self, scope: Scope, refused: Refused) -> Response:
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        return self.auth.site.refusal(Request(scope["method"], scope["path"], headers=headers), refused)

    def _is_proxy(self, scope: Scope) -> bool:
        try:
            peer = ip_address(scope["client"][0])
        except (ValueError, TypeError):
            return False
        return peer.is_loopback or any(peer in network for network in self.auth.settings.trusted_proxies)

    async def _health(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return Response(405, [("Allow", "GET, HEAD")])
        if scope["path"] == "/healthz":
            return _json(200, {"status": "ok"})
        found = await self.readiness()
        return _json(200 if all(found.values()) else 503, {"ready": all(found.values()), **found})

    async def readiness(self) -> dict[str, bool]:
        """Whether this node can serve: the database answers with our tables, letters leave, the clocks agree."""
        try:
            moving = await self.auth.arun(_outbox_moves)
        except Unavailable:
            return {"database": False}
        except Exception:  # tables are missing, or not ours: whatever it is, nobody can sign in here
            log.exception("the database does not answer as it should")
            return {"database": False}
        return {"database": True, "outbox": moving, "clock": self.tasks.clocks_agree}

    async def _send(self, send: Send, response: Response) -> None:
        if response.header("X-Content-Type-Options") is None:
            finished(response, origin=self.auth.settings.origin)
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            while True:
                message = await receive()
                if message["type"] == "lifespan.startup":
                    await stack.enter_async_context(self.tasks)
                    if self.auth.outbox is not None:  # letters that a stopped process has left are sent, too
                        self.auth.outbox.ensure_running()
                    await send({"type": "lifespan.startup.complete"})
                else:
                    await stack.aclose()
                    self.auth.close()
                    return await send({"type": "lifespan.shutdown.complete"})


class Unfinished(Exception):
    """The body of a request did not come whole, or not in time."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def _outbox_moves(call: Call) -> bool:
    """Whether letters are tried when they are due. That a mail server is down is no fault of this node."""
    stuck = await call.store.count(OutboxMessage, due_at__lt=call.now - STUCK_AFTER, expires_at__gt=call.now)
    return stuck == 0


def _json(status: int, value: object) -> Response:
    return Response(status, [("Content-Type", "application/json")], json.dumps(value).encode())
