"""Names, attributes, and what is refused to be read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from doorward.core.refusals import Refused
from doorward.http.cookies import LONGEST, Jar
from doorward.http.messages import Headers, Request
from doorward.primitives.urls import Origin

SECURE = Jar(Origin.parse("https://app.example.com"))
LOOPBACK = Jar(Origin.parse("http://localhost:8000"))


def request(*cookies: str) -> Request:
    return Request("GET", "/", headers=Headers(("Cookie", cookie) for cookie in cookies))


def test_https_has_host_cookies() -> None:
    name, value = SECURE.set("session", "abc", life=timedelta(days=1))
    assert name == "Set-Cookie"
    assert value == "__Host-doorward=abc; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure"


def test_plain_loopback_has_the_port_in_the_name() -> None:
    """Two programs on one machine share a cookie jar: cookies do not know ports (RFC 6265 §8.5)."""
    assert LOOPBACK.set("device", "abc")[1] == "doorward-device-8000=abc; Path=/; HttpOnly; SameSite=Lax"
    assert LOOPBACK.read(request("doorward-8001=other; doorward=other; doorward-8000=mine")) == {"session": "mine"}


def test_clearing_says_the_same_attributes() -> None:
    assert SECURE.clear("attempt")[1].startswith("__Host-doorward-attempt=; Max-Age=0; Path=/; HttpOnly")


def test_ours_are_found_among_others() -> None:
    found = SECURE.read(request("a=b; __Host-doorward=s ;x", " __Host-doorward-csrf=c; __Host-doorward-attempt="))
    assert found == {"session": "s", "csrf": "c"}


@pytest.mark.parametrize(
    "sent",
    [
        ("__Host-doorward=a; __Host-doorward=a",),
        ("__Host-doorward=a", "__Host-doorward="),
        ("__Host-doorward;__Host-doorward=x",),
    ],
)
def test_two_of_one_name_are_refused(sent: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="invalid_input"):
        SECURE.read(request(*sent))


def test_what_is_too_long_is_not_there() -> None:
    assert SECURE.read(request(f"__Host-doorward={'x' * LONGEST}")) == {"session": "x" * LONGEST}
    assert SECURE.read(request(f"__Host-doorward={'x' * (LONGEST + 1)}")) == {}


@pytest.mark.parametrize(
    "name", ["__host-doorward", "__HOST-doorward", "__Host-doorward-", "doorward", "__Secure-doorward"]
)
def test_names_are_exact(name: str) -> None:
    assert SECURE.read(request(f"{name}=x")) == {}
