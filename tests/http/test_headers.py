"""Every hostile header of the collection has its one outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.http.bare import Bare
from tests.scenarios.client import Client

VECTORS = Path(__file__).parent / "vectors" / "headers.json"
CASES = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]
FORWARDED = [case for case in CASES if case["expect"].startswith("ignored unless")]
HOSTS = [case for case in CASES if case["expect"].startswith("links in mails")]
BEARERS = [case for case in CASES if case["header"] == "Authorization"]
COOKIES = [case for case in CASES if case["header"] == "Cookie"]
TYPES = [case for case in CASES if case["header"] == "Content-Type"]
PASSWORD = "four crows on a fence post"


def named(case: dict[str, str]) -> str:
    return f"{case['header']}={case['value'][:30]!r}"


def test_every_case_is_of_a_kind_that_is_tested() -> None:
    assert len(FORWARDED) + len(HOSTS) + len(BEARERS) + len(COOKIES) + len(TYPES) == len(CASES)


@pytest.mark.parametrize("case", FORWARDED, ids=named)
def test_a_stranger_cannot_say_where_he_is(case: dict[str, str]) -> None:
    bare = Bare()
    Client(bare).post("/sign-out", {case["header"]: case["value"]})
    assert bare.visit is not None
    assert (bare.visit.client.ip, bare.visit.client.network) == ("192.0.2.1", "192.0.2.1")


@pytest.mark.parametrize("case", FORWARDED, ids=named)
def test_a_proxy_that_is_trusted_breaks_nothing(case: dict[str, str]) -> None:
    bare = Bare(trusted_proxies="192.0.2.0/24")
    answer = Client(bare).post("/sign-out", {case["header"]: case["value"]})
    assert answer.status == 204
    assert bare.visit is not None
    assert len(bare.visit.client.ip) < 46


@pytest.mark.parametrize("case", HOSTS, ids=named)
def test_links_come_from_the_configuration(case: dict[str, str]) -> None:
    bare = Bare()
    headers = {case["header"]: case["value"]}
    answer = Client(bare).post("/sign-up", headers, email="ann@example.com", password=PASSWORD)
    if case["header"] == "Host":
        assert (answer.status, answer.json["errors"][0]["reason"]) == (400, "wrong_host")
        assert bare.mail.letters == []
    else:
        assert answer.status == 202
        assert bare.mail.last.words["link"].startswith("https://app.example.com/auth/")


@pytest.mark.parametrize("case", BEARERS, ids=named)
def test_whatever_is_no_bearer_token_is_401(case: dict[str, str]) -> None:
    answer = Client(Bare()).get("/session", {"Authorization": case["value"]})
    assert (answer.status, answer.reason) == (401, "invalid_bearer")
    assert answer.header("WWW-Authenticate") == 'Bearer realm="doorward", error="invalid_token"'


@pytest.mark.parametrize("case", COOKIES, ids=named)
def test_cookies_of_others_are_nobodys(case: dict[str, str]) -> None:
    answer = Client(Bare()).get("/session", {"Cookie": case["value"]})
    assert (answer.status, answer.reason) == (401, "not_signed_in")


@pytest.mark.parametrize("case", TYPES, ids=named)
def test_json_is_json_only_under_its_own_name(case: dict[str, str]) -> None:
    """CVE-2021-32677: a page of another site can send text/plain without asking us first."""
    bare = Bare()
    body = json.dumps({"email": "ann@example.com", "password": PASSWORD}).encode()
    answer = bare.send("POST", "/auth/sign-up", [("Host", "app.example.com"), ("Content-Type", case["value"])], body)
    assert answer.status in (403, 415)
    assert bare.mail.letters == []
