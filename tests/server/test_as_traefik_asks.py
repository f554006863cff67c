"""What Traefik's ForwardAuth asks, and does with the answer, by its manual; no Traefik runs here.

https://doc.traefik.io/traefik/v3.0/middlewares/http/forwardauth: the request to `address` carries the headers of the
client's request, and X-Forwarded-Method, -Proto, -Host, -Uri and -For of Traefik's own (`trustForwardHeader` is off). A
2XX lets the client's request through, with the headers of `authResponseHeaders` replaced by the answer's; any other
answer is the client's. The Host of that request is the one of `address`.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import pytest

from tests.examples.pages import ROOT, blocks
from tests.server.conftest import command, serving
from tests.server.proxied import NAVIGATES, PASSWORD

NAMES = ["X-Auth-User", "X-Auth-Email", "X-Auth-Roles", "X-Auth-Session", "X-Auth-Aal"]
APP, WIKI = "app.example.com", "wiki.example.com"
FORGED = {"X-Auth-User": "root", "X-Forwarded-Host": "evil.example", "X-Forwarded-Uri": "//evil.example"}
Answer = tuple[int, dict[str, str]]


@dataclass
class Traefik:
    """As the page configures it, in front of the server at `port`; `jars` are the cookies of one browser."""

    port: int
    text: str
    jars: dict[str, dict[str, str]] = field(default_factory=dict)

    def open(self, url: str, client: dict[str, str] | None = None, method: str = "GET") -> Answer:
        """A client's request to a protected page: what the client is answered, or 200 and what the application gets."""
        parts = urlsplit(url)
        (address,) = re.findall(rf'address: "(http://{re.escape(parts.netloc)}/[^"]*)"', self.text)
        client = client or NAVIGATES
        asked = self._own(url, method) | {"Host": urlsplit(address).netloc}
        status, headers = self._send("GET", address.partition(parts.netloc)[2], self._with_cookies(url, client) | asked)
        if status != 204:
            return status, headers
        return 200, {name: value for name, value in client.items() if name not in NAMES} | {
            name: headers[name.lower()] for name in NAMES
        }

    def auth(self, method: str, url: str, body: object = None) -> Answer:
        """A request to /auth/, which the other router passes on."""
        parts = urlsplit(url)
        path = url.partition(parts.netloc)[2]
        sent = self._with_cookies(url, NAVIGATES) | self._own(url, method) | {"Host": parts.netloc}
        if body is not None:
            sent |= {"Content-Type": "application/json", "Origin": f"https://{parts.netloc}", "Accept": "*/*"}
        return self._send(method, path, sent, json.dumps(body).encode() if body is not None else b"")

    def _own(self, url: str, method: str) -> dict[str, str]:
        parts = urlsplit(url)
        return {
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": parts.netloc,
            "X-Forwarded-Uri": url.partition(parts.netloc)[2],
            "X-Forwarded-For": "203.0.113.7",
        }

    def _with_cookies(self, url: str, client: dict[str, str]) -> dict[str, str]:
        jar = self.jars.get(urlsplit(url).netloc, {})
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
        return client | ({"Cookie": cookies} if cookies else {})

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.jars.setdefault(headers["Host"], {}).__setitem__(*value.partition(";")[0].split("=", 1))
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.fixture(scope="module")
def text() -> str:
    (block,) = blocks(ROOT / "docs" / "features" / "forward_auth.md", "yaml")
    return block.text


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server under the names of the page, as behind a proxy that ends https."""
    home = tmp_path_factory.mktemp("traefik")
    settings = {
        "ORIGIN": f"https://{APP}",
        "PROTECTED_ORIGINS": f"https://{WIKI}",
        "TRUSTED_PROXIES": "127.0.0.1/32",
        "SECRET": "traefik:0aL8bWq3Zx7Rk2Vn5Mt9Yp4Hs6Dj1FgQ",
        "DATABASE_URL": f"sqlite:///{home}/doorward.db",
    }
    with chdir(home):
        for arguments, stdin in ((("migrate",), ""), (("user", "add", "ann@example.com"), PASSWORD)):
            done = command(*arguments, stdin=stdin, **settings)
            assert done.code == 0, done.err
    with serving(home) as run:
        yield run(**settings).port


@pytest.fixture
def traefik(port: int, text: str) -> Traefik:
    return Traefik(port, text)


def test_the_page_names_all_headers_for_each_host(text: str) -> None:
    assert text.count(f"authResponseHeaders: [{', '.join(NAMES)}]") == text.count("address:") == 2
    assert text.count("middlewares: [doorward-") == 2
    assert text.count("PathPrefix(`/auth/`)") == 2


def test_nobody_is_sent_to_sign_in(traefik: Traefik) -> None:
    for host, there in (
        (APP, f"/auth/sign-in?return_to={quote(f'https://{APP}/books?x=1', safe='')}"),
        (WIKI, f"/auth/depart?return_to={quote(f'https://{WIKI}/books?x=1', safe='/')}"),
    ):
        url = f"https://{host}/books?x=1"
        status, headers = traefik.open(url, NAVIGATES | FORGED)
        assert (status, headers["location"]) == (303, f"https://{host}{there}")
        assert traefik.open(url, {"Sec-Fetch-Mode": "cors"})[0] == 401
        assert traefik.open(url, NAVIGATES, "POST")[0] == 401
    assert traefik.jars == {}


def test_from_sign_in_to_sign_out_at_both(traefik: Traefik) -> None:
    credentials = {"identifier": "ann@example.com", "password": PASSWORD}
    assert traefik.auth("POST", f"https://{APP}/auth/sign-in/password", credentials)[0] == 200
    page = f"https://{WIKI}/books?x=1"
    status, headers = traefik.open(page)
    for _ in range(3):
        assert status == 303
        status, headers = traefik.auth("GET", headers["location"])
    assert (status, headers["location"]) == (303, page)
    for url in (page, f"https://{APP}/books"):
        status, told = traefik.open(url, NAVIGATES | FORGED)
        assert (status, told["X-Auth-Email"], told["X-Auth-Roles"]) == (200, "ann@example.com", "")
        assert "root" not in told.values()
    assert {name for jar in traefik.jars.values() for name in jar} >= {"__Host-doorward", "__Host-doorward-nonce"}
    assert traefik.auth("POST", f"https://{WIKI}/auth/sign-out", {})[0] == 204
    assert traefik.open(page)[0] == traefik.open(f"https://{APP}/books")[0] == 303
