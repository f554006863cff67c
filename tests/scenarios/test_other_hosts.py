"""Signed in at ORIGIN, and in at another host as well: on every kind of host, and by forty at once."""

from __future__ import annotations

import pytest

from tests.features.elsewhere import SHOP, WIKI, arrived, at, code_for
from tests.scenarios.client import Browser
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, sign_up
from tests.scenarios.test_forty_at_once import FORTY, at_once, statuses

pytestmark = pytest.mark.options(protected_origins=f"{SHOP},{WIKI}")


def test_there_and_out_again(host: InProcessHost) -> None:
    ann, shop, wiki = sign_up(host), at(host, SHOP), at(host, WIKI)
    for there in (shop, wiki):
        answer = arrived(ann, there)
        assert (answer.status, answer.header("location")) == (303, f"{there.host.origin}/cart")
        verified = there.get("/verify")
        assert (verified.status, verified.header("x-auth-email")) == (204, ANN)
    stolen = at(host, WIKI)
    stolen.cookies = dict(shop.cookies)
    assert stolen.get("/verify").status == 401
    assert shop.get("/session").status == 404
    assert shop.page("/").status == 404
    assert shop.post("/sign-out").status == 204
    host.clock.forward(seconds=0.5)
    for there in (shop, wiki, ann):
        assert there.get("/verify").status == 401


def test_a_session_that_is_ended_elsewhere_is_over_there_within_a_second(host: InProcessHost) -> None:
    ann, shop = sign_up(host), at(host, SHOP)
    arrived(ann, shop)
    assert shop.get("/verify").status == 204
    assert ann.post("/sign-out").status == 204
    host.clock.forward(seconds=0.5)
    assert shop.get("/verify").status == 401


def test_one_code_lets_one_in(host: InProcessHost) -> None:
    ann, shop = sign_up(host), at(host, SHOP)
    target, cookies = code_for(ann, shop), dict(shop.cookies)
    rivals = [at(host, SHOP) for _ in range(FORTY)]
    for rival in rivals:
        rival.cookies = dict(cookies)
    answers = at_once(lambda n: rivals[n].send("GET", target))
    assert statuses(answers)[303] == 1
    assert sum(bool(rival.session) for rival in rivals) == 1
    assert sum(rival.get("/verify").status == 204 for rival in rivals) == 1


def test_a_route_of_the_hosts_own_knows_nobody_there(host: InProcessHost) -> None:
    """Its pages are not what the proxy protects: only ORIGIN is where this application is."""
    ann, shop = sign_up(host), at(host, SHOP)
    arrived(ann, shop)
    assert shop.send("GET", "/closed").status in (400, 401, 403, 404)
    assert Browser(host, cookies=dict(ann.cookies)).send("GET", "/closed").status in (200, 404)
