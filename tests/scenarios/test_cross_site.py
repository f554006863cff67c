"""Requests that another site makes a browser send, and hosts that are not ours."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.scenarios.client import FORM, HTML, Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, sign_in, sign_up

EVIL = "https://evil.example"


def is_refused(answer: Answer) -> bool:
    return answer.status == 403 and answer.reason == "csrf_failed" and answer.cookies == {}


FOREIGN = [
    {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    {"Origin": EVIL, "Sec-Fetch-Site": ""},
    {"Origin": EVIL, "Sec-Fetch-Site": "same-origin"},
    {"Origin": "", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "", "Sec-Fetch-Site": "same-site"},
    {"Origin": "https://app.example.com.evil.example", "Sec-Fetch-Site": ""},
    {"Origin": "https://app.example.com:8443", "Sec-Fetch-Site": ""},
    {"Origin": "http://app.example.com", "Sec-Fetch-Site": ""},
    {"Origin": "HTTPS://APP.EXAMPLE.COM", "Sec-Fetch-Site": ""},
    {"Origin": "null", "Sec-Fetch-Site": ""},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://app.example.com", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "", "Sec-Fetch-Site": ""},
]


def test_a_write_with_a_cookie_comes_from_us_or_not_at_all(host: InProcessHost) -> None:
    ann = sign_up(host)
    for sent in FOREIGN:
        ann.extra = sent
        assert is_refused(ann.post("/sign-out")), sent
    ann.extra = {}
    assert ann.get("/session").status == 200


def test_nobody_is_signed_in_by_another_site(host: InProcessHost) -> None:
    """Login CSRF: without any cookie, and by JSON or a form."""
    sign_up(host)
    body = {"identifier": ANN, "password": PASSWORD}
    foreign = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
    assert is_refused(Client(host, extra=foreign).post("/sign-in/password", **body))
    assert is_refused(Client(host, extra=foreign).raw("/sign-in/password", urlencode(body).encode(), FORM))
    assert is_refused(Client(host).raw("/sign-in/password", urlencode(body).encode(), FORM))
    text = Client(host).raw("/sign-in/password", json.dumps(body).encode(), "text/plain")
    assert text.status == 415
    assert sign_in(Client(host)).status == 200


def test_a_form_needs_the_token_of_its_own_browser(host: InProcessHost) -> None:
    sign_up(host)
    ann, bob = Browser(host), Browser(host)
    bobs = bob.page("/sign-in").hidden("csrf_token")
    own = ann.page("/sign-in").hidden("csrf_token")
    body = {"identifier": ANN, "password": PASSWORD}
    for token in ("", "x", bobs, own[:-1], own + "A"):
        fields = urlencode({**body, "csrf_token": token}).encode()
        assert is_refused(ann.raw("/sign-in/password", fields, FORM)), token
        page = ann.raw("/sign-in/password", fields, FORM, **HTML)
        assert page.status == 403
        assert PASSWORD not in page.text
    assert is_refused(ann.raw("/sign-in/password", urlencode(body).encode(), FORM))
    assert ann.raw("/sign-in/password", urlencode({**body, "csrf_token": own}).encode(), FORM).status == 200


def test_a_form_token_ends_with_the_sign_in(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host)
    before = ann.page("/sign-in").hidden("csrf_token")
    ann.form("/sign-in/password", "/sign-in", identifier=ANN, password=PASSWORD)
    assert ann.get("/session").status == 200
    assert is_refused(ann.raw("/sign-out", urlencode({"csrf_token": before}).encode(), FORM))
    assert ann.form("/sign-out", "/").status == 303


def test_a_browsers_null_origin_passes_with_its_form_token_only(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host)
    token = ann.page("/sign-in").hidden("csrf_token")
    ann.extra = {"Origin": "null"}
    fields = urlencode({"identifier": ANN, "password": PASSWORD, "csrf_token": token}).encode()
    assert ann.raw("/sign-in/password", fields, FORM).status == 200


OTHER_HOSTS = [
    "evil.example",
    "app.example.com:8443",
    "app.example.com@evil.example",
    "127.0.0.1",
    "",
    "app.example.com.",
    "a/?x=",
]


def test_a_host_that_is_not_ours_gets_400(host: InProcessHost) -> None:
    """DNS rebinding, and links made from a Host header: rule 36, design 6.8."""
    ann = sign_up(host)
    for name in OTHER_HOSTS:
        answer = ann.get("/session", headers={"Host": name})
        assert (answer.status, answer.json["errors"][0]["reason"]) == (400, "wrong_host"), name
        assert ann.send("GET", "/who", headers={"Host": name}).json == {"email": None}, name


def test_forwarded_headers_of_strangers_change_nothing(host: InProcessHost) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Prefix": "/evil",
        "X-Original-URL": "/auth/jwks.json",
        "X-HTTP-Method-Override": "GET",
        "Forwarded": "for=203.0.113.1;host=evil.example",
    }
    ann = Browser(host, extra=forged)
    ann.post("/sign-up", email=ANN, password=PASSWORD)
    assert host.mail.last.words["link"].startswith("https://app.example.com/auth/")
    done = ann.post("/email/verify", code=host.mail.code())
    assert done.json["session"]["ip"] == "192.0.2.1"
    assert done.header("strict-transport-security") is not None


@pytest.mark.options(trusted_proxies="192.0.2.0/24")
def test_a_trusted_proxy_names_the_client(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host, extra={"X-Forwarded-For": "10.9.9.9, 203.0.113.8, 192.0.2.77"})
    assert sign_in(ann).json["session"]["ip"] == "203.0.113.8"


def test_pages_carry_the_whole_policy(host: InProcessHost) -> None:
    page = Browser(host).page("/sign-in")
    policy = page.header("content-security-policy") or ""
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert page.header("x-content-type-options") == "nosniff"
    assert page.header("referrer-policy") == "same-origin"
    assert page.header("cross-origin-opener-policy") == "same-origin"
    assert page.header("cache-control") == "no-store"
    assert "Cookie" in (page.header("vary") or "")
