"""Forward-auth: what a proxy is told, and that it is told no more and no less than it must know."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest

from doorward.core.call import Call
from doorward.core.rights import Verified, grant
from doorward.features import forward_auth
from doorward.features.roles import add_role
from doorward.http.forwarded import let_through
from doorward.server import people
from doorward.testing.doubles import House
from tests.features.people import refused, signed_up, with_totp
from tests.http.bare import Bare
from tests.scenarios.client import Answer, Browser, Client
from tests.scenarios.people import sign_in, sign_up

NAMES = ("X-Auth-User", "X-Auth-Email", "X-Auth-Roles", "X-Auth-Session", "X-Auth-Aal")
PAGE = "https://app.example.com/books?page=2"
NAVIGATES = {"Sec-Fetch-Mode": "navigate"}


def told(answer: Answer) -> tuple[str | None, ...]:
    return tuple(answer.header(name) for name in NAMES)


def with_role(host: Bare, role: str) -> None:
    async def give(call: Call) -> None:
        await add_role(call, role)
        await grant(call, await people.find(call, "ann@example.com"), role, by=None)

    host.run(give)


@pytest.fixture
def host() -> Bare:
    """Behind a proxy, which is where the tests' clients come from."""
    return Bare(trusted_proxies="192.0.2.1/32", return_origins="https://shop.example.com")


def test_who_is_signed_in_is_told_and_no_cookie_is_set(host: Bare) -> None:
    ann = sign_up(host)  # type: ignore[arg-type]
    answer = ann.get("/verify")
    session = ann.get("/session").json
    assert (answer.status, answer.body) == (204, b"")
    assert told(answer) == (session["user"]["id"], "ann@example.com", "", session["session"]["id"], "1")
    assert answer.all("set-cookie") == []
    assert answer.header("cache-control") == "no-store"
    with_role(host, "editor")
    assert told(ann.get("/verify", role="editor"))[2] == "editor"


def test_a_bearer_token_is_as_good_as_a_cookie(host: Bare) -> None:
    sign_up(host)  # type: ignore[arg-type]
    program = Client(host)
    program.bearer = sign_in(program, issue="tokens").json["tokens"]["access_token"]
    assert program.get("/verify").status == 204
    program.bearer += "x"
    refused = program.get("/verify", headers=NAVIGATES, redirect="1")
    assert (refused.status, refused.header("x-auth-redirect")) == (401, None)
    assert 'error="invalid_token"' in (refused.header("www-authenticate") or "")


def test_nobody_is_sent_to_sign_in_and_back(host: Bare) -> None:
    nobody = Client(host)
    there = f"https://app.example.com/auth/sign-in?return_to={quote(PAGE, safe='')}"
    by_parts = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "app.example.com",
        "X-Forwarded-Uri": "/books?page=2",
        "X-Forwarded-Method": "GET",
    }
    for said in ({"X-Original-URL": PAGE}, by_parts):
        plain = nobody.get("/verify", headers=said | NAVIGATES)
        assert (plain.status, plain.reason, plain.header("x-auth-redirect")) == (401, "not_signed_in", there)
        sent = nobody.get("/verify", headers=said | NAVIGATES, redirect="1")
        assert (sent.status, sent.header("location")) == (303, there)
    script = nobody.get("/verify", headers={"Sec-Fetch-Mode": "cors", "X-Original-URL": PAGE}, redirect="1")
    assert script.status == 401
    form = nobody.get("/verify", headers={**by_parts, **NAVIGATES, "X-Forwarded-Method": "POST"}, redirect="1")
    assert form.status == 401
    assert plain.all("set-cookie") == []


@pytest.mark.parametrize(
    ("url", "back"),
    [
        ("https://shop.example.com/cart", "https://shop.example.com/cart"),
        ("https://evil.example/", None),
        ("https://app.example.com@evil.example/", None),
        ("https://app.example.com\\@evil.example/", None),
        ("//evil.example/", None),
        ("javascript:alert(1)", None),
        ("https://app.example.com/../..//evil.example", None),
        ("https://app.example.com.evil.example/", None),
    ],
)
def test_only_a_trusted_proxy_says_what_is_returned_to_and_only_ours(host: Bare, url: str, back: str | None) -> None:
    wanted = "" if back is None else f"?return_to={quote(back, safe='')}"
    for header in ("X-Original-URL", "x-original-url"):
        asked = Client(host).get("/verify", headers={header: url})
        assert asked.header("x-auth-redirect") == f"https://app.example.com/auth/sign-in{wanted}"
    stranger = Client(host, peer="203.0.113.9").get("/verify", headers={"X-Original-URL": PAGE})
    assert stranger.header("x-auth-redirect") == "https://app.example.com/auth/sign-in"


def test_a_role_or_a_level_that_is_missing(host: Bare) -> None:
    ann = sign_up(host)  # type: ignore[arg-type]
    role = ann.get("/verify", headers=NAVIGATES, role="editor", redirect="1")
    assert (role.status, role.header("x-auth-redirect")) == (403, None)
    level = ann.get("/verify", headers={"X-Original-URL": PAGE}, require="aal2")
    assert (level.status, level.reason) == (401, "second_factor_required")
    assert (level.header("x-auth-redirect") or "").startswith("https://app.example.com/auth/totp?")
    assert ann.get("/verify", require="aal1").status == 204
    assert Browser(host).get("/verify", role="editor").status == 401


@pytest.mark.parametrize(
    "query", ["role=", "require=", "require=aal3", "require=aal1&require=aal2", "roles=editor", "role=a&role=b"]
)
def test_what_is_demanded_is_never_taken_for_absent(host: Bare, query: str) -> None:
    ann = sign_up(host)  # type: ignore[arg-type]
    assert ann.send("GET", f"/auth/verify?{query}").status == 400


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT", "get"])
def test_other_methods_are_no_question(host: Bare, method: str) -> None:
    assert sign_up(host).send(method, "/auth/verify").status in (403, 405)  # type: ignore[arg-type]


def test_what_a_client_says_of_itself_is_not_looked_at(host: Bare) -> None:
    """PROXY-04: identity headers come from us, and never to us."""
    forged = dict.fromkeys(NAMES, "root") | {"Remote-User": "root", "X-Forwarded-User": "root"}
    assert Client(host).get("/verify", headers=forged).status == 401
    ann = sign_up(host)  # type: ignore[arg-type]
    assert told(ann.get("/verify", headers=forged))[1] == "ann@example.com"


@pytest.mark.parametrize(
    "text", ["clerks, first class", "räte", "100%", 'a"b', "a\r\nX-Auth-User: root", "a;b\\c", "\0"]
)
def test_values_are_plain_whatever_is_in_them(house: House, text: str) -> None:
    guest = signed_up(house)
    user = guest.run(lambda call: people.find(call, "ann@example.com"))
    response = let_through(Verified(user, (text, "editor"), "", 0))
    roles = response.header("X-Auth-Roles") or ""
    assert roles.isascii()
    assert roles.isprintable()
    assert [unquote(role) for role in roles.split(",")] == [text, "editor"]
    assert response.header("X-Auth-Session") == ""


def test_a_key_is_its_owner_without_roles(host: Bare) -> None:
    ann = sign_up(host)  # type: ignore[arg-type]
    with_role(host, "editor")
    program = Client(host, bearer=ann.post("/api-keys/create", name="ci", scopes=["books.read"]).json["key"])
    answer = program.get("/verify")
    assert (answer.status, told(answer)[1:]) == (204, ("ann@example.com", "", "", "0"))
    assert program.get("/verify", role="editor").status == 403
    assert program.get("/verify", require="aal1").status == 403


def test_what_holds_now_is_told(house: House) -> None:
    guest = signed_up(house)
    assert refused("second_factor_required", guest.do, forward_auth.verify, require="aal2").methods == (
        "passkey",
        "totp",
    )
    with_totp(guest)
    assert guest.do(forward_auth.verify, require="aal2").aal == 2
    house.run(people.set_active, "ann@example.com", active=False)
    house.clock.forward(seconds=0.5)
    refused("not_signed_in", guest.do, forward_auth.verify)
