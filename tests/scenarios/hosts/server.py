"""The standalone server behind a proxy: its application in granian, over real connections, with a clock to move."""

from __future__ import annotations

import asyncio
import http.client
import logging
import socket
import time
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server as Granian

from doorward import asgi
from doorward.server.app import Server
from doorward.server.program import HEADER_SECONDS, LONGEST_HEADER
from doorward.server.tasks import Tasks
from tests.scenarios.client import Answer, Pairs
from tests.scenarios.hosts.asgi import ROUTES, PlainAsgiHost
from tests.services.processes import free_port

HERE = "127.0.0.1/32"


class ServerHost(PlainAsgiHost):
    """`doorward serve` but for its command line; this class is the proxy, which says who asks and by which scheme."""

    def start(self, database: str, options: dict[str, Any]) -> None:
        proxies = ",".join(part for part in (options.pop("trusted_proxies", ""), HERE) if part)
        self.auth = asgi.Auth(database, trusted_proxies=proxies, **options)
        self.server = Server(self.auth, Tasks())
        self.own = self.auth.middleware(self._routes)
        self.port = free_port()
        logging.getLogger("_granian").setLevel(logging.ERROR)
        self.granian = Granian(
            self.app,
            port=self.port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=False,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=LONGEST_HEADER),
            log_enabled=False,
        )
        self.serving = asyncio.run_coroutine_threadsafe(self.granian.serve(), self.loop)
        self._wait()

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """The server, and beside it the routes that every host of the scenarios has."""
        await (self.own if scope.get("path") in ROUTES else self.server)(scope, receive, send)

    def _wait(self) -> None:
        for _ in range(500):
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"the server did not start: {self.serving}")

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in (*headers, ("X-Forwarded-For", peer), ("X-Forwarded-Proto", "https")):
                connection.putheader(name, value.encode("latin-1"))
            if body or method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    async def _close(self) -> None:
        self.granian.stop()
        await asyncio.wrap_future(self.serving)
