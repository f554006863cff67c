"""Rule 30 as a table, and the form token."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from doorward.http import csrf
from doorward.http.bodies import FORM, JSON
from doorward.http.messages import Headers, Request
from doorward.primitives import signing
from doorward.primitives.keyring import Keyring
from doorward.primitives.urls import Origin

OURS = Origin.parse("https://app.example.com")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
RING = Keyring([("k", b"4YvXq2oM9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_")])


def request(**headers: str) -> Request:
    return Request("POST", "/auth/x", headers=Headers((k.replace("_", "-"), v) for k, v in headers.items() if v))


@pytest.mark.parametrize("kind", [JSON, FORM])
@pytest.mark.parametrize("has_cookie", [True, False])
@pytest.mark.parametrize(
    ("origin", "site", "passes"),
    [
        ("https://app.example.com", "", True),
        ("https://app.example.com", "same-origin", True),
        ("", "same-origin", True),
        ("https://app.example.com", "same-site", False),
        ("https://app.example.com", "none", False),
        ("https://evil.example", "same-origin", False),
        ("https://evil.example", "", False),
        ("", "cross-site", False),
        ("", "same-site", False),
        ("", "none", False),
        ("null", "", False),
        ("null", "cross-site", False),
    ],
)
def test_what_a_browser_says_decides(kind: str, has_cookie: bool, origin: str, site: str, passes: bool) -> None:
    sent = request(Origin=origin, Sec_Fetch_Site=site)
    assert csrf.is_from_us(sent, kind, OURS, has_cookie=has_cookie) is passes


@pytest.mark.parametrize(
    ("kind", "has_cookie", "bearer", "passes"),
    [
        (JSON, False, "", True),
        (JSON, True, "", False),
        (FORM, False, "", False),
        (FORM, True, "", False),
        ("", False, "", False),
        (JSON, False, "Bearer x", True),
        (FORM, False, "Bearer x", True),
        ("", False, "Bearer x", True),
    ],
)
def test_programs_say_nothing(kind: str, has_cookie: bool, bearer: str, passes: bool) -> None:
    assert csrf.is_from_us(request(Authorization=bearer), kind, OURS, has_cookie=has_cookie) is passes


def test_null_passes_for_forms_of_this_page_only() -> None:
    sent = request(Origin="null", Sec_Fetch_Site="same-origin")
    assert csrf.is_from_us(sent, FORM, OURS, has_cookie=True)
    assert not csrf.is_from_us(sent, JSON, OURS, has_cookie=True)


def test_what_came_twice_is_not_ours() -> None:
    twice = Request("POST", "/", headers=Headers([("Origin", str(OURS)), ("Origin", str(OURS))]))
    assert not csrf.is_from_us(twice, JSON, OURS, has_cookie=False)
    sites = Request("POST", "/", headers=Headers([("Sec-Fetch-Site", "same-origin")] * 2))
    assert not csrf.is_from_us(sites, JSON, OURS, has_cookie=False)


@pytest.mark.parametrize(
    ("sent", "is_foreign"),
    [
        ({"Origin": "https://evil.example"}, True),
        ({"Sec_Fetch_Site": "cross-site"}, True),
        ({"Sec_Fetch_Site": "same-site"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "null", "Sec_Fetch_Site": "same-origin"}, False),
        ({"Origin": "https://app.example.com"}, False),
        ({"Sec_Fetch_Site": "none"}, False),
        ({}, False),
    ],
)
def test_a_hosts_own_routes_know_strangers(sent: dict[str, str], is_foreign: bool) -> None:
    assert csrf.is_foreign(request(**sent), OURS) is is_foreign
    assert not csrf.is_foreign(Request("GET", "/", headers=request(**sent).headers), OURS)


def test_a_form_token_is_bound_to_its_browser_and_session() -> None:
    before = {"csrf": "pre-session"}
    signed_in = {"csrf": "pre-session", "session": "secret"}
    token = csrf.form_token(RING, before)
    assert csrf.is_form_token(RING, token, before, now=NOW)
    assert not csrf.is_form_token(RING, token, signed_in, now=NOW)
    assert not csrf.is_form_token(RING, token, {"session": "pre-session"}, now=NOW)
    assert not csrf.is_form_token(RING, token, {"csrf": "another"}, now=NOW)
    assert not csrf.is_form_token(RING, token, {}, now=NOW)
    assert "pre-session" not in token


@pytest.mark.parametrize("token", [None, "", "x", 7, ["x"], "a.b.c.d.e", "1." * 3000])
def test_what_is_no_token(token: object) -> None:
    assert not csrf.is_form_token(RING, token, {"csrf": "x"}, now=NOW)


def test_a_token_for_another_purpose_is_none() -> None:
    payload = signing.unsign(RING, csrf.form_token(RING, {"csrf": "x"}), purpose="csrf", now=NOW)
    other = signing.sign(RING, purpose="known-device", payload=payload or "")
    assert not csrf.is_form_token(RING, other, {"csrf": "x"}, now=NOW)


def test_nobody_is_bound_to_nothing() -> None:
    assert not csrf.is_form_token(RING, csrf.form_token(RING, {}), {}, now=NOW)
