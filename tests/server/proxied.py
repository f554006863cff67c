"""Applications that know no sign-in, the proxy in front of them, and a browser that goes from host to host."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from tests.server.conftest import command

PASSWORD = "a long sentence of nobody else's"
PAGE = "/books/7?from=shelf"
NAVIGATES = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}


class Application(BaseHTTPRequestHandler):
    """Tells what it was asked, and by whom it thinks."""

    def do_GET(self) -> None:
        told = json.dumps([self.path, [(name.lower(), value) for name, value in self.headers.items()]]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_POST = do_GET

    def log_message(self, *words: Any) -> None:
        """In tests nobody reads them."""


@contextmanager
def application() -> Iterator[int]:
    """The port of one that runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(10)


@dataclass
class Ground:
    """One Doorward behind one proxy: ORIGIN is `app.localhost`, and `wiki.localhost` is protected as well."""

    port: int
    home: Path
    settings: dict[str, str]

    @property
    def app(self) -> str:
        return f"http://app.localhost:{self.port}"

    @property
    def wiki(self) -> str:
        return f"http://wiki.localhost:{self.port}"

    def doorward(self, *arguments: str, stdin: str = "") -> None:
        """A command of the operator."""
        with chdir(self.home):
            done = command(*arguments, stdin=stdin, **self.settings)
        assert done.code == 0, done.err


@dataclass
class Person:
    """A browser in front of the proxy, with a jar of cookies for each host."""

    ground: Ground
    jars: dict[str, dict[str, str]] = field(default_factory=dict)

    def send(
        self, method: str, url: str, *more: tuple[str, str], body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ground.port, timeout=20)
        content = json.dumps(body).encode() if body is not None else b""
        parts = urlsplit(url)
        jar = self.jars.setdefault(parts.netloc, {})
        path = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
        sent = [("Host", parts.netloc), *more]
        sent += [("Cookie", cookies)] if cookies else []
        sent += [("Content-Type", "application/json"), ("Origin", f"http://{parts.netloc}")] if body is not None else []
        sent += [("Content-Length", str(len(content)))] if method == "POST" else []
        for name, value in sent:
            connection.putheader(name, value)
        try:
            connection.endheaders(content)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    jar.__setitem__(*value.partition(";")[0].split("=", 1))
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def post(self, url: str, **arguments: Any) -> tuple[int, Any]:
        status, _, text = self.send("POST", url, body=arguments)
        return status, json.loads(text) if text else None

    def open(self, url: str) -> tuple[int, dict[str, str], str]:
        """One page, without going on from it."""
        return self.send("GET", url, *NAVIGATES.items())

    def go(self, url: str) -> tuple[list[str], int, str]:
        """Open a page and follow where it leads: the addresses on the way, the last status, the last body."""
        way = [url]
        while True:
            status, headers, text = self.open(way[-1])
            if status != 303:
                return way, status, text
            way.append(urljoin(way[-1], headers["location"]))
            assert len(way) < 12, way

    def sign_in(self, **more: str) -> Any:
        name, url = "ann@example.com", f"{self.ground.app}/auth/sign-in/password"
        status, answer = self.post(url, identifier=name, password=PASSWORD, **more)
        assert status == 200, answer
        return answer


def identity(text: str) -> dict[str, list[str]]:
    """The headers about who it is that the application was sent."""
    found: dict[str, list[str]] = {}
    for name, value in json.loads(text)[1]:
        if "auth" in name:
            found.setdefault(name, []).append(value)
    return {name: values for name, values in found.items() if values != [""]}
