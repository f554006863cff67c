"""Every hostile header of the collection has its one outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doorward.core.call import Call
from doorward.core.rights import grant
from doorward.core.users import find_user
from tests.http.bare import Bare
from tests.scenarios.client import Client
from tests.scenarios.people import ANN, PASSWORD, sign_up

VECTORS = Path(__file__).parent / "vectors" / "headers.json"
CASES = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]
FORWARDED = [case for case in CASES if case["expect"].startswith("ignored unless")]
HOSTS = [case for case in CASES if case["expect"].startswith("links in mails")]
BEARERS = [case for case in CASES if case["header"] == "Authorization"]
COOKIES = [case for case in CASES if case["header"] == "Cookie"]
TYPES = [case for case in CASES if case["header"] == "Content-Type"]


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


# All that writes a letter with a link, with what it takes; of a browser that is signed in as Ann.
WRITING: dict[str, dict[str, str]] = {
    "/sign-up": {"email": "new@example.com", "password": PASSWORD},
    "/password/forgot": {"email": ANN},
    "/sign-in/magic-link/send": {"identifier": ANN},
    "/email/add": {"email": "second@example.com"},
    "/invitations/create": {"email": "guest@example.com"},
    "/password/change": {"current_password": PASSWORD, "new_password": PASSWORD + " again"},
}


@pytest.mark.parametrize("case", HOSTS, ids=named)
def test_links_come_from_the_configuration(case: dict[str, str]) -> None:
    bare = Bare()
    ann = sign_up(bare)  # type: ignore[arg-type]
    make_administrator(bare)
    for path, given in WRITING.items():
        before = len(bare.mail.letters)
        answer = ann.post(path, {case["header"]: case["value"]}, **given)
        letters = bare.mail.letters[before:]
        if case["header"] == "Host":
            assert (answer.status, answer.json["errors"][0]["reason"]) == (400, "wrong_host")
            assert letters == []
        else:
            assert answer.status < 300, answer.text
            links = [word for letter in letters for word in letter.words.values() if "://" in word]
            assert links, (path, letters)
            assert all(link.startswith("https://app.example.com/auth/") for link in links), links


def make_administrator(bare: Bare) -> None:
    async def story(call: Call) -> None:
        user = await find_user(call, ANN)
        assert user is not None
        await grant(call, user, "admin", by=None)

    bare.run(story)


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
