"""Our pages on a real socket, in this process: a browser opens them, and a test moves the clock and reads the mail."""

from __future__ import annotations

import ssl
import threading
from base64 import b32decode
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from doorward.http.pages import Pages
from doorward.primitives import rfc6238
from tests.http.bare import Bare
from tests.scenarios.client import Answer

PAGES = Pages()


def code_of(secret: str, now: datetime) -> str:
    """What an authenticator app shows for the key on a page."""
    key = rfc6238.TotpKey(b32decode(secret.replace(" ", "")))
    return rfc6238.code_at_step(key, rfc6238.step_of(now))


class BrowserHouse:
    """A bare host behind `http://localhost:PORT`, or at `origin` behind `tls`. `posts` counts the forms that came."""

    def __init__(
        self, views: Pages = PAGES, *, origin: str = "", tls: ssl.SSLContext | None = None, **settings: Any
    ) -> None:
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.origin = origin or f"http://localhost:{self.port}"
        self.bare = Bare(views=views, origin=self.origin, **settings)
        self.posts: list[str] = []
        self._answer: Answer | None = None
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"{self.origin}/auth{path}"

    def code(self, secret: str) -> str:
        """What an app shows now for the key on a page."""
        return code_of(secret, self.bare.clock.now)

    def show(self, answer: Answer) -> str:
        """Where a page that was answered is shown again, as it was and with its policy, to be looked at."""
        self._answer = answer
        return self.url("/shown")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        house = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with house._lock:
                    if self.command == "POST":
                        house.posts.append(self.path)
                    answer = self.seen() or house.bare.send(self.command, self.path, list(self.headers.items()), body)
                self.send_response(answer.status)
                for name, value in [*answer.headers, ("Content-Length", str(len(answer.body)))]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = answer

            def seen(self) -> Answer | None:
                if self.path != "/auth/shown" or house._answer is None:
                    return None
                kept = [pair for pair in house._answer.headers if pair[0].lower() not in ("set-cookie", "location")]
                return Answer(200, kept, house._answer.body)

            def log_message(self, format: str, *args: Any) -> None:
                return None

        return Handler
