"""The way in at another host that a proxy protects, and every way there that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.features.elsewhere import (
    AS_ASKED,
    NAVIGATES,
    SHOP,
    WIKI,
    arrived,
    at,
    code_for,
    departed,
    house,
    inside,
    is_in,
    passes,
    query,
)
from tests.http.bare import Bare
from tests.scenarios.client import FORM, Browser
from tests.scenarios.people import PASSWORD, set_up_app, sign_up

REDIRECTS = json.loads((Path(__file__).parents[1] / "primitives" / "vectors" / "redirects.json").read_text())


@pytest.fixture
def host() -> Bare:
    return house()


@pytest.fixture
def ann(host: Bare) -> Browser:
    """At ORIGIN, signed in."""
    return sign_up(host)  # type: ignore[arg-type]


@pytest.fixture
def shop(host: Bare) -> Browser:
    """The same browser at the shop, where nobody knows it yet."""
    return at(host, SHOP)


# --- the way


def test_from_a_page_by_way_of_the_sign_in_back_to_the_page(host: Bare, shop: Browser) -> None:
    sign_up(host)  # type: ignore[arg-type]
    asked = shop.get("/verify", {**AS_ASKED, **NAVIGATES}, redirect="1")
    assert (asked.status, asked.all("set-cookie")) == (303, [])
    assert asked.header("location") == f"{SHOP}/auth/depart?return_to={quote(f'{SHOP}/cart?x=1', safe='/')}"
    left = shop.send("GET", inside(asked.header("location")), headers=NAVIGATES)
    assert [*left.cookies] == ["__Host-doorward-nonce"]
    assert left.cookies["__Host-doorward-nonce"].keys() >= {"secure", "httponly", "path", "samesite"}
    assert (left.header("location") or "").startswith("https://app.example.com/auth/hand-over?host=https://shop")
    home = Browser(host)
    sent = home.send("GET", inside(left.header("location")), headers=NAVIGATES)
    assert (sent.status, urlsplit(sent.header("location")).path) == (303, "/auth/sign-in")
    page = home.follow(sent)
    fields = {"identifier": "ann@example.com", "password": PASSWORD, "return_to": page.hidden("return_to")}
    home.cookies |= {name: cookie["value"] for name, cookie in page.cookies.items()}
    form = "&".join(f"{n}={quote(v, safe='')}" for n, v in (fields | {"csrf_token": page.hidden("csrf_token")}).items())
    done = home.send("POST", "/auth/sign-in/password", form.encode(), {"Content-Type": FORM, **NAVIGATES})
    assert done.status == 303, done.text
    assert "shop.example.com" in (page.header("content-security-policy") or "")  # else the browser stops at the 303
    back = home.send("GET", inside(done.header("location")), headers=NAVIGATES)
    there = shop.send("GET", inside(back.header("location")), headers=NAVIGATES)
    assert (there.status, there.header("location")) == (303, f"{SHOP}/cart?x=1")
    assert "__Host-doorward" in there.cookies
    assert "domain" not in there.cookies["__Host-doorward"]
    verified = shop.get("/verify")
    assert (verified.status, verified.all("set-cookie")) == (204, [])
    assert verified.header("x-auth-session") == home.get("/session").json["session"]["id"]


def test_who_is_signed_in_passes_through_without_a_page(ann: Browser, shop: Browser) -> None:
    assert arrived(ann, shop).header("location") == f"{SHOP}/cart"
    assert is_in(shop)
    assert not is_in(at(shop.host, WIKI))
    assert shop.session != ann.session


def test_two_tabs_on_their_way_at_once_both_arrive(ann: Browser, shop: Browser) -> None:
    first, second = code_for(ann, shop, "/one"), code_for(ann, shop, "/two")
    for target, page in ((first, "/one"), (second, "/two")):
        assert shop.send("GET", target, headers=NAVIGATES).header("location") == SHOP + page
        assert is_in(shop)


def test_what_is_proved_at_origin_counts_there(host: Bare, ann: Browser, shop: Browser) -> None:
    arrived(ann, shop)
    asked = shop.get("/verify", AS_ASKED, require="aal2")
    mend = f"https://app.example.com/auth/passkeys?return_to={quote(f'{SHOP}/cart?x=1', safe='')}"
    assert (asked.status, asked.header("x-auth-redirect")) == (401, mend)
    set_up_app(host, ann)  # type: ignore[arg-type]
    assert shop.get("/verify", require="aal2").header("x-auth-aal") == "2"


def test_the_whole_page_is_returned_to_unless_it_is_too_long(ann: Browser, shop: Browser) -> None:
    page = "/find?q=a%20b&tag=c%2Fd&x=1+1"
    assert arrived(ann, shop, page).header("location") == SHOP + page
    assert arrived(ann, shop, "/" + "ä" * 600).header("location") == f"{SHOP}/"


# --- attacks on the code


def test_a_code_works_once(ann: Browser, shop: Browser) -> None:
    target = code_for(ann, shop)
    assert shop.send("GET", target, headers=NAVIGATES).status == 303
    again = shop.send("GET", target, headers=NAVIGATES)
    assert (again.status, again.all("set-cookie")) == (400, [])
    assert "Open the page again" in again.text
    assert shop.send("GET", target).reason == "invalid_token"
    assert is_in(shop)


def test_a_code_is_good_at_its_own_host_only(ann: Browser, shop: Browser) -> None:
    target = code_for(ann, shop)
    wiki = at(shop.host, WIKI)
    wiki.cookies = dict(shop.cookies)
    assert wiki.send("GET", target).reason == "invalid_token"
    ann.cookies |= shop.cookies
    assert ann.send("GET", target).status == 404
    assert shop.send("GET", target).status == 303


def test_a_code_is_good_in_the_browser_that_asked_only(host: Bare, ann: Browser, shop: Browser) -> None:
    """Login CSRF: who is sent a stranger's code is not signed in as the stranger, and burns nothing."""
    target = code_for(ann, shop)
    without, other = at(host, SHOP), at(host, SHOP)
    departed(other)
    for victim in (without, other):
        for again in range(2):
            answer = victim.send("GET", target, headers=NAVIGATES)
            assert (answer.status, answer.all("set-cookie")) == (400, []), again
        assert not is_in(victim)
    assert shop.send("GET", target).status == 303


def test_the_nonce_of_the_url_is_not_the_one_of_the_cookie(host: Bare, ann: Browser, shop: Browser) -> None:
    """Who reads the address that a browser was sent to can't make its cookie."""
    digest = query(departed(shop))["nonce"]
    thief = at(host, SHOP)
    thief.cookies["__Host-doorward-nonce"] = digest
    assert thief.send("GET", code_for(ann, shop)).reason == "invalid_token"
    assert digest not in shop.cookies.values()


def test_a_code_lives_a_minute(host: Bare, ann: Browser, shop: Browser) -> None:
    soon, late = code_for(ann, shop), code_for(ann, shop)
    host.clock.forward(seconds=59)
    assert shop.send("GET", soon).status == 303
    host.clock.forward(seconds=1)
    assert shop.send("GET", late).reason == "invalid_token"


def test_a_code_ends_with_the_session(ann: Browser, shop: Browser) -> None:
    target = code_for(ann, shop)
    ann.post("/sign-out")
    assert shop.send("GET", target).reason == "invalid_token"


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + "A", lambda c: c.swapcase(), lambda c: "A" * 43])
def test_a_cut_or_changed_code_is_nobodys(ann: Browser, shop: Browser, change: Callable[[str], str]) -> None:
    code = query(code_for(ann, shop))["code"]
    assert shop.get("/arrive", code=change(code)).reason == "invalid_token"
    assert shop.get("/arrive", code=code).status == 303


def test_head_and_a_strangers_prefetch_burn_nothing(host: Bare, ann: Browser, shop: Browser) -> None:
    target = code_for(ann, shop)
    assert shop.send("HEAD", target).status == 405
    assert shop.send("POST", target, b"{}", {"Content-Type": "application/json"}).status == 405
    assert at(host, SHOP).send("GET", target, headers={"Sec-Purpose": "prefetch"}).status == 400
    assert shop.send("GET", target).status == 303


@pytest.mark.parametrize("field", ["code", "return_to", "x"])
def test_arguments_are_as_closed_as_ever(ann: Browser, shop: Browser, field: str) -> None:
    target = code_for(ann, shop)
    assert shop.send("GET", f"{target}&{field}=1").status == 400
    assert shop.get("/arrive", code="x" * 513).status == 400
    assert shop.get("/arrive").status == 400
    assert ann.get("/hand-over", host=SHOP).status == 400
    assert ann.get("/hand-over", host=SHOP, nonce="").status == 400
    assert shop.send("GET", target).status == 303


# --- attacks by hosts and addresses


def test_a_host_that_is_not_configured_gets_nothing(host: Bare, ann: Browser) -> None:
    for origin in ("https://evil.example", "https://shop.example.com.evil.example", "https://shop.example.com:8443"):
        assert at(host, origin).get("/depart").reason == "invalid_input"
        assert at(host, origin).get("/verify").status == 400
        assert ann.get("/hand-over", host=origin, nonce="n").reason == "invalid_input"
    for name in (
        "http://shop.example.com",
        "https://SHOP.example.com",
        f"{SHOP}/",
        f"{SHOP}@evil.example",
        "*",
        "null",
    ):
        assert ann.get("/hand-over", host=name, nonce="n").reason == "invalid_input"
    assert ann.get("/hand-over", host="https://app.example.com", nonce="n").reason == "invalid_input"
    for path in ("/depart", "/arrive"):
        assert ann.get(path, **({"code": "c"} if path == "/arrive" else {})).status == 404
    assert at(host, SHOP).get("/hand-over", host=SHOP, nonce="n").status == 404
    assert passes(host) == []


@pytest.mark.parametrize("peer", ["203.0.113.9", "192.0.2.1"])
def test_no_forwarded_header_makes_another_host_of_it(host: Bare, ann: Browser, peer: str) -> None:
    """The Host says which host it is, and nothing else: a proxy passes it on."""
    forged = {
        "X-Forwarded-Host": "shop.example.com",
        "Forwarded": "host=shop.example.com",
        "X-Host": "shop.example.com",
    }
    assert at(host, "https://app.example.com", peer).get("/depart", forged).status == 404
    shop = at(host, SHOP, peer)
    back = {"X-Forwarded-Host": "wiki.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-Uri": "/secret"}
    asked = shop.get("/verify", {**back, **NAVIGATES})
    assert (asked.status, asked.header("x-auth-redirect")) == (401, f"{SHOP}/auth/depart")
    answer = shop.get("/depart", back)
    assert query(answer.header("location") or "")["host"] == SHOP
    sent = ann.get("/hand-over", forged, host=SHOP, nonce="n").header("location") or ""
    assert sent.startswith(f"{SHOP}/auth/arrive?")


def test_a_stranger_does_not_say_what_is_returned_to(host: Bare) -> None:
    stranger = at(host, SHOP, peer="203.0.113.9").get("/verify", {**AS_ASKED, **NAVIGATES}, redirect="1")
    assert stranger.header("location") == f"{SHOP}/auth/depart"


@pytest.mark.parametrize("url", REDIRECTS["bad"])
def test_nobody_is_sent_to_another_site(ann: Browser, shop: Browser, url: str) -> None:
    """REDIR-01, at each of the three."""
    departs = shop.get("/depart", return_to=url)
    hands = ann.get("/hand-over", host=SHOP, nonce=query(departed(shop))["nonce"], return_to=url)
    arrives = shop.get("/arrive", code=query(code_for(ann, shop))["code"], return_to=url)
    for answer, origin in ((departs, "https://app.example.com"), (hands, SHOP), (arrives, SHOP)):
        if answer.status == 303:
            assert (answer.header("location") or "").startswith(f"{origin}/"), url
            assert query(answer.header("location") or "").get("return_to", "/").startswith(("/", f"{SHOP}/"))
        else:
            assert answer.status == 400, url


def test_no_address_stands_in_a_referer(ann: Browser, shop: Browser) -> None:
    answer = arrived(ann, shop)
    assert (answer.header("referrer-policy"), answer.header("cache-control")) == ("same-origin", "no-store")
    assert "code" not in (answer.header("location") or "")
