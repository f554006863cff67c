"""Flask, called as a WSGI server calls it, from as many threads as there are clients."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask

from doorward import actions
from doorward.flask import Auth, current_user
from tests.scenarios.client import Answer, Pairs
from tests.scenarios.hosts.base import WANTS, InProcessHost


class FlaskHost(InProcessHost):
    def start(self, database: str, options: dict[str, Any]) -> None:
        self.app = Flask("scenarios")
        self.auth = auth = Auth(self.app, database, **options)
        self.mail.keyring = auth.doorward.world.keyring
        add_routes(self.app, auth)

    def close(self) -> None:
        self.auth.close()

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        return call_wsgi(self.app.wsgi_app, method, target, headers, body, peer)


def add_routes(app: Flask, auth: Auth) -> None:
    @app.get("/open")
    def open_to_all() -> str:
        return "open"

    @app.get("/who")
    def who() -> dict[str, Any]:
        return {"email": current_user.email if current_user else None}

    @app.get("/closed")
    @auth.login_required
    def closed() -> dict[str, Any]:
        return {"email": current_user.email}

    @app.get("/editors")
    @auth.needs(role="editor")
    def editors() -> str:
        return "editors"

    for path, wants in WANTS.items():
        app.add_url_rule(path, path, auth.needs(**wants)(lambda: "enough"))

    @app.post("/leave")
    def leave() -> str:
        auth.do(actions.sign_out.sign_out)
        return "left"


def call_wsgi(app: Any, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
    """One request as PEP 3333 has it."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "REQUEST_URI": target,
        "QUERY_STRING": query,
        "SERVER_NAME": "app.example.com",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        joined = "; " if key == "HTTP_COOKIE" else ", "
        environ[key] = f"{environ[key]}{joined}{value}" if key in environ else value
    started: list[Any] = []
    result = app(environ, lambda status, fields, exc_info=None: started.append((status, fields)))
    try:
        content = b"".join(result)
    finally:
        getattr(result, "close", lambda: None)()
    status, fields = started[-1]
    return Answer(int(status.split()[0]), fields, content)
