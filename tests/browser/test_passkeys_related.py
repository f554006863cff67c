"""Passkeys at another domain of the same owner (WebAuthn Level 3 §5.11): what Chromium lets a page there ask for."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme
from playwright.sync_api import Page

from tests.browser.device import Device, add_passkey
from tests.browser.house import BrowserHouse
from tests.browser.person import ADDRESS, sign_up

Open = Callable[..., Page]

HOME, SHOP, STRANGER = "https://auth.example.com", "https://shop.example.net", "https://stranger.example.org"

# What a page there does; its own server carries both requests, as it has no cookie of ours and asks for tokens.
SIGN_IN = """async () => {
  const post = async (url, body) => (await fetch(url, {method: "POST", body: JSON.stringify(body)})).json();
  const { attempt, options } = await post("/begin", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  try {
    const credential = (await navigator.credentials.get({ publicKey })).toJSON();
    return await post("/finish", { attempt, credential, issue: "tokens" });
  } catch (error) {
    return { refused: error.name };
  }
}"""


class Family:
    """Doorward at HOME, and a server of somebody else's that SHOP and STRANGER lead to: it has one empty page, and
    passes `/begin` and `/finish` on."""

    def __init__(self) -> None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        names = [origin.removeprefix("https://") for origin in (HOME, SHOP, STRANGER)]
        trustme.CA().issue_cert(*names).configure_cert(tls)
        self.house = BrowserHouse(origin=HOME, tls=tls, related_origins=SHOP)
        self._other = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._other.socket = tls.wrap_socket(self._other.socket, server_side=True)
        threading.Thread(target=self._other.serve_forever, daemon=True).start()
        self.rules = f"MAP auth.example.com 127.0.0.1:{self.house.port}, MAP * 127.0.0.1:{self._other.server_port}"

    def close(self) -> None:
        self.house.close()
        self._other.shutdown()
        self._other.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bare = self.house.bare

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.say("text/html", b"<!doctype html><title>Shop</title>")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = [("Host", "auth.example.com"), ("Content-Type", "application/json")]
                self.say("application/json", bare.send("POST", f"/auth/sign-in/passkey{self.path}", headers, body).body)

            def say(self, kind: str, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return None

        return Handler


@pytest.fixture(scope="module")
def family() -> Iterator[Family]:
    opened = Family()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def more_flags(family: Family) -> Sequence[str]:
    """The browser itself fetches `/.well-known/webauthn`, so that what a page may ignore is not enough."""
    return [f"--host-resolver-rules={family.rules}", "--ignore-certificate-errors"]


def test_a_related_origin_signs_in_and_no_other_does(open_page: Open, family: Family) -> None:
    house, page = family.house, open_page(ignore_https_errors=True)
    device = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    add_passkey(page, house)
    assert [one["rpId"] for one in device.credentials()] == ["auth.example.com"]
    page.goto(f"{STRANGER}/")
    assert page.evaluate(SIGN_IN) == {"refused": "SecurityError"}
    page.goto(f"{SHOP}/")
    answer = page.evaluate(SIGN_IN)
    assert answer["step"] == "done"
    assert answer["user"]["email"] == ADDRESS
    assert answer["tokens"]["access_token"]
