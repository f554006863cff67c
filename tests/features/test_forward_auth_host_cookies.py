"""The cookie of another host that a proxy protects: what it opens, what it does not, and its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from doorward.core.call import Call
from doorward.core.identify import end_sessions
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.session import CODE, COOKIE, HostPass
from doorward.features import password_check
from doorward.server import people
from tests.features.elsewhere import (
    AS_ASKED,
    SHOP,
    WIKI,
    arrived,
    at,
    code_for,
    departed,
    house,
    is_in,
    passes,
    query,
)
from tests.http.bare import Bare
from tests.scenarios.client import Browser, Client
from tests.scenarios.people import OTHER_PASSWORD, PASSWORD, sign_in, sign_up


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


def test_a_cookie_of_one_host_opens_nothing_elsewhere(host: Bare, ann: Browser, shop: Browser) -> None:
    target = code_for(ann, shop)
    code, nonce = query(target)["code"], shop.cookies["__Host-doorward-nonce"]
    shop.send("GET", target)
    for origin, secret in (
        ("https://app.example.com", shop.session),
        (WIKI, shop.session),
        (SHOP, ann.session),
        *((origin, secret) for origin in (SHOP, WIKI, "https://app.example.com") for secret in (code, nonce)),
    ):
        thief = at(host, origin)
        thief.cookies["__Host-doorward"] = secret
        assert not is_in(thief), (origin, secret)
    assert is_in(shop)


def test_a_cookie_is_no_bearer_token(host: Bare, ann: Browser, shop: Browser) -> None:
    arrived(ann, shop)
    for origin in (SHOP, "https://app.example.com"):
        program = Client(at(host, origin).host, bearer=shop.session)
        assert program.get("/verify").reason == "invalid_bearer"


def test_two_cookies_of_one_name_are_refused(ann: Browser, shop: Browser) -> None:
    arrived(ann, shop)
    twice = {"Cookie": f"__Host-doorward={shop.session}; __Host-doorward=x"}
    assert shop.get("/verify", twice).status == 400


def test_an_api_key_or_a_token_asks_for_no_code(host: Bare, ann: Browser, shop: Browser) -> None:
    target = departed(shop)
    program = Client(host)
    program.bearer = sign_in(program, issue="tokens").json["tokens"]["access_token"]
    key = Client(host, bearer=ann.post("/api-keys/create", name="ci", scopes=["x"]).json["key"])
    for client in (program, key, Client(host)):
        assert client.send("GET", target).status == 401
    assert passes(host) == []
    assert Client(shop.host, bearer=program.bearer).get("/verify").status == 204


def test_nothing_else_can_be_done_at_another_host(host: Bare, ann: Browser, shop: Browser) -> None:
    """Neither an action nor a page, with all cookies that there are."""
    arrived(ann, shop)
    doorward = host.doorward
    there = {name for name, action in doorward.actions.items() if action.hosts}
    assert there == {"verify", "depart", "arrive", "sign_out"}
    for action in doorward.actions.values():
        if action.name in there:
            continue
        if action.method == "GET":
            answer = shop.send("GET", f"/auth{action.path}", headers={"Accept": "application/json"})
        else:
            answer = shop.send("POST", f"/auth{action.path}", b"{}", {"Content-Type": "application/json"})
        assert answer.status == 404, action.name
    for path in doorward.pages:
        assert shop.page(path).status == 404, path
    assert shop.get("/openapi.json").status == 200


def test_an_action_of_a_host_is_refused_there_as_well(host: Bare) -> None:
    async def ask(call: Call) -> None:
        call.client = replace(call.client, host=SHOP)
        await host.doorward.perform(call, password_check.check, {"password": "x"})

    with pytest.raises(Refused, match="not_permitted"):
        host.run(ask)


# --- its end


def _sign_out(host: Bare, ann: Browser) -> None:
    assert ann.post("/sign-out").status == 204


def _sign_out_everywhere(host: Bare, ann: Browser) -> None:
    assert ann.post("/sign-out", all=True).status == 204


def _ended_from_elsewhere(host: Bare, ann: Browser) -> None:
    other = Browser(host)
    sign_in(other)
    other.post("/sessions/end", id=ann.get("/session").json["session"]["id"])


def _password_changed_elsewhere(host: Bare, ann: Browser) -> None:
    other = Browser(host)
    sign_in(other)
    changed = other.post("/password/change", current_password=PASSWORD, new_password=OTHER_PASSWORD)
    assert changed.status == 204, changed.text


def _disabled(host: Bare, ann: Browser) -> None:
    host.run(lambda call: people.set_active(call, "ann@example.com", active=False))


def _new_epoch(host: Bare, ann: Browser) -> None:
    user = ann.get("/session").json["user"]["id"]
    host.run(lambda call: end_sessions(call, user))


def _signed_in_over_it(host: Bare, ann: Browser) -> None:
    assert sign_in(ann).status == 200


def _idle(host: Bare, ann: Browser) -> None:
    host.clock.forward(days=15)


def _its_time(host: Bare, ann: Browser) -> None:
    host.clock.forward(hours=24)


ENDS = (
    _sign_out,
    _sign_out_everywhere,
    _ended_from_elsewhere,
    _password_changed_elsewhere,
    _disabled,
    _new_epoch,
    _signed_in_over_it,
    _idle,
    _its_time,
)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__.strip("_"))
def test_what_ends_the_session_ends_it_at_all_hosts(
    host: Bare, ann: Browser, shop: Browser, end: Callable[[Bare, Browser], None]
) -> None:
    wiki = at(host, WIKI)
    for there in (shop, wiki):
        arrived(ann, there)
        assert is_in(there)
    end(host, ann)
    assert not is_in(shop)
    assert not is_in(wiki)
    assert shop.get("/verify", AS_ASKED).header("x-auth-redirect") is not None


def test_signing_out_there_ends_the_whole_sign_in(host: Bare, ann: Browser, shop: Browser) -> None:
    """Rule 47."""
    wiki = at(host, WIKI)
    for there in (shop, wiki):
        arrived(ann, there)
    answer = shop.post("/sign-out")
    assert (answer.status, answer.cookies["__Host-doorward"]["max-age"]) == (204, "0")
    assert not is_in(wiki)
    assert ann.get("/session").status == 401


def test_scripts_of_another_application_sign_nobody_out_everywhere(host: Bare, ann: Browser, shop: Browser) -> None:
    arrived(ann, shop)
    assert shop.post("/sign-out", all=True).reason == "not_permitted"
    for origin in ("https://app.example.com", WIKI, "https://evil.example", "null"):
        assert shop.post("/sign-out", {"Origin": origin, "Sec-Fetch-Site": "same-site"}).reason == "csrf_failed"
    assert is_in(shop)
    assert ann.get("/session").status == 200


# --- rows


def test_what_is_written(host: Bare, ann: Browser, shop: Browser) -> None:
    """Nothing for nobody, one row for a code, one for a host's cookie; all of them go with their time."""
    for _ in range(50):
        departed(at(host, SHOP))
    assert passes(host) == []
    for _ in range(3):
        arrived(ann, shop)
    code_for(ann, shop)
    assert sorted(row.kind for row in passes(host)) == [CODE, COOKIE]
    stored = {row.digest for row in passes(host)}
    assert stored.isdisjoint({shop.session, *shop.cookies.values()})
    assert any(sweep.record is HostPass for sweep in host.doorward.sweeps)
    session = ann.get("/session").json["session"]
    assert {row.expires_at.isoformat()[:19] for row in passes(host, kind=COOKIE)} == {session["expires_at"][:19]}


@pytest.mark.parametrize(
    "origins",
    ["http://shop.example.com", "https://app.example.com", "https://app.example.com:8443", f"{SHOP},{SHOP}:8443"],
)
def test_hosts_that_would_share_a_cookie_or_send_it_in_the_clear(origins: str) -> None:
    with pytest.raises(Misconfigured, match=r"settings\.E9"):
        house(protected_origins=origins)


def test_a_return_origin_is_no_protected_one() -> None:
    host = house(protected_origins=WIKI, return_origins=SHOP)
    assert at(host, SHOP).get("/verify").status == 400
    assert at(host, WIKI).get("/verify").status == 401
