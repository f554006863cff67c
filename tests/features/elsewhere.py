"""A browser at two hosts: ORIGIN, and one that a proxy protects. Each has cookies of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from doorward.core.call import Call
from doorward.core.session import HostPass
from doorward.http.pages import Pages
from tests.http.bare import Bare
from tests.scenarios.client import HTML, Answer, Browser, Host, Pairs

SHOP, WIKI = "https://shop.example.com", "https://wiki.example.com"
AS_ASKED = {"X-Original-URL": f"{SHOP}/cart?x=1"}
NAVIGATES = {**HTML, "Sec-Fetch-Mode": "navigate"}


@dataclass
class Under:
    """The same Doorward under another name."""

    host: Host
    origin: str

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        return self.host.send(method, target, headers, body, peer)


def at(host: Host, origin: str, peer: str = "192.0.2.1") -> Browser:
    return Browser(Under(host, origin), peer=peer)


def departed(there: Browser, page: str = "/cart") -> str:
    """Leave for ORIGIN: the path and query there."""
    answer = there.get("/depart", NAVIGATES, return_to=page)
    assert answer.status == 303, answer.text
    return inside(answer.header("location"))


def code_for(home: Browser, there: Browser, page: str = "/cart") -> str:
    """What ORIGIN sends who is signed in back with: the path and query at the other host."""
    answer = home.send("GET", departed(there, page), headers=NAVIGATES)
    assert answer.status == 303, answer.text
    assert (answer.header("location") or "").startswith(f"{there.host.origin}/auth/arrive?code=")
    return inside(answer.header("location"))


def arrived(home: Browser, there: Browser, page: str = "/cart") -> Answer:
    """The whole way of who is signed in at ORIGIN already."""
    return there.send("GET", code_for(home, there, page), headers=NAVIGATES)


def inside(url: str | None) -> str:
    """A URL without its origin."""
    parts = urlsplit(url or "")
    return parts.path + (f"?{parts.query}" if parts.query else "")


def query(target: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


def house(**more: Any) -> Bare:
    """Behind a proxy, which is where the tests' clients come from."""
    given = {"trusted_proxies": "192.0.2.1/32", "protected_origins": f"{SHOP},{WIKI}", **more}
    return Bare(views=Pages(), **given)


def passes(host: Bare, **where: Any) -> list[HostPass]:
    async def found(call: Call) -> Any:
        return await call.store.find(HostPass, **where)

    return list(host.run(found))


def is_in(browser: Browser) -> bool:
    return browser.get("/verify").status == 204
