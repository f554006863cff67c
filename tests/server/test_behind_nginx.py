"""An application that knows no sign-in, behind a real nginx that asks the server: the block of forward_auth.md."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest

from tests.examples.pages import ROOT, blocks
from tests.server.conftest import Done, Served
from tests.services.processes import free_port

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


@pytest.fixture
def application() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(10)


class Person:
    """A browser in front of nginx."""

    def __init__(self, port: int, settings: dict[str, str]) -> None:
        self.port, self.settings = port, settings
        self.origin = f"http://localhost:{port}"
        self.cookies: dict[str, str] = {}

    def send(
        self, method: str, path: str, *more: tuple[str, str], body: dict[str, Any] | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        content = json.dumps(body).encode() if body is not None else b""
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = [("Host", f"localhost:{self.port}"), *headers.items(), *more]
        sent += [("Cookie", cookies)] if cookies else []
        sent += [("Content-Type", "application/json"), ("Origin", self.origin)] if body is not None else []
        sent += [("Content-Length", str(len(content)))] if method == "POST" else []
        for name, value in sent:
            connection.putheader(name, value)
        try:
            connection.endheaders(content)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self.cookies.__setitem__(*value.partition(";")[0].split("=", 1))
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def post(self, path: str, **arguments: Any) -> tuple[int, Any]:
        status, _, text = self.send("POST", path, body=arguments)
        return status, json.loads(text) if text else None

    def open(self, path: str) -> tuple[int, dict[str, str], str]:
        return self.send("GET", path, *NAVIGATES.items())


@pytest.fixture
def person(
    serve: Callable[..., Served], doorward: Callable[..., Done], nginx: Callable[..., int], application: int
) -> Person:
    """Ann, who has an account and is not signed in."""
    port = free_port()
    settings = {"ORIGIN": f"http://localhost:{port}", "TRUSTED_PROXIES": "127.0.0.1/32"}
    server = serve(**settings)
    (block,) = blocks(ROOT / "docs" / "features" / "forward_auth.md", "nginx")
    text = block.text.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    nginx(text.replace("127.0.0.1:3000", f"127.0.0.1:{application}"), port)
    doorward("user", "add", "ann@example.com", stdin=PASSWORD, **settings)
    return Person(port, settings)


def sign_in(person: Person, **more: str) -> Any:
    status, answer = person.post("/auth/sign-in/password", identifier="ann@example.com", password=PASSWORD, **more)
    assert status == 200, answer
    return answer


def identity(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in json.loads(text)[1]:
        if "auth" in name:
            found.setdefault(name, []).append(value)
    return found


def test_a_page_behind_nginx_from_sign_in_to_sign_out(person: Person, doorward: Callable[..., Done]) -> None:
    status, headers, _ = person.open(PAGE)
    assert (status, headers["location"]) == (
        303,
        f"{person.origin}/auth/sign-in?return_to={quote(person.origin + PAGE, safe='')}",
    )
    assert person.open(headers["location"].removeprefix(person.origin))[0] == 200
    answer = sign_in(person, return_to=person.origin + PAGE)
    assert answer["return_to"] == person.origin + PAGE
    status, _, text = person.open(PAGE)
    assert (status, json.loads(text)[0]) == (200, PAGE)
    assert identity(text) == {
        "x-auth-user": [answer["user"]["id"]],
        "x-auth-email": ["ann@example.com"],
        "x-auth-session": [answer["session"]["id"]],
        "x-auth-aal": ["1"],
    }
    assert person.send("POST", "/books/7", body={"stars": 5})[0] == 200
    assert person.open("/editors/")[0] == 403
    doorward("role", "add", "editor", **person.settings)
    doorward("user", "grant", "ann@example.com", "editor", **person.settings)
    time.sleep(1)
    status, _, text = person.open("/editors/")
    assert (status, identity(text)["x-auth-roles"]) == (200, ["editor"])
    doorward("user", "revoke", "ann@example.com", "editor", **person.settings)
    time.sleep(1)
    assert person.open("/editors/")[0] == 403
    kept = dict(person.cookies)
    assert person.post("/auth/sign-out")[0] == 204
    person.cookies = kept
    assert person.open(PAGE)[0] == 303


def test_scripts_and_forms_get_the_401(person: Person) -> None:
    for method, headers in (("GET", {"Sec-Fetch-Mode": "cors"}), ("POST", NAVIGATES), ("GET", {})):
        status, answered, _ = person.send(method, PAGE, *headers.items())
        assert (status, answered.get("location")) == (401, None)


def test_what_a_client_says_of_itself_does_not_arrive(person: Person) -> None:
    """PROXY-04."""
    forged = [
        ("X-Auth-User", "root"),
        ("x-auth-email", "root@example.com"),
        ("X-Auth-Roles", "admin"),
        ("X-Auth-Roles", "editor"),
        ("X_Auth_Roles", "admin"),
        ("X-Auth-Aal", "3"),
        ("Connection", "close, X-Auth-User, X-Auth-Roles, Cookie"),
        ("X-Original-URL", "https://evil.example/"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Uri", "//evil.example/"),
    ]
    status, headers, _ = person.send("GET", PAGE, *forged, *NAVIGATES.items())
    assert (status, "evil" in headers["location"]) == (303, False)
    answer = sign_in(person)
    status, _, text = person.send("GET", PAGE, *forged)
    told = identity(text)
    assert (status, told["x-auth-user"], told["x-auth-aal"]) == (200, [answer["user"]["id"]], ["1"])
    assert told["x-auth-email"] == ["ann@example.com"]
    assert "root" not in json.dumps(told)
    assert "admin" not in json.dumps(told)
    assert person.send("GET", "/editors/", *forged)[0] == 403


@pytest.mark.parametrize("path", ["/_doorward", "/_doorward_editors", "/@sign_in"])
def test_what_is_internal_is_no_address(person: Person, path: str) -> None:
    assert person.open(path)[0] in (303, 404)


def test_a_doorward_that_is_away_lets_nobody_in(nginx: Callable[..., int], application: int) -> None:
    (block,) = blocks(ROOT / "docs" / "features" / "forward_auth.md", "nginx")
    text = block.text.replace("127.0.0.1:8000", f"127.0.0.1:{free_port()}")
    port = nginx(text.replace("127.0.0.1:3000", f"127.0.0.1:{application}"))
    assert Person(port, {}).open(PAGE)[0] == 500
