"""A service that asks about each token: what ends at the issuer ends there within a second."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from doorward.testing.doubles import ORIGIN, House
from doorward.tokens import IssuerUnavailable, TokenRefused, Verifier
from tests.server.conftest import Served
from tests.tokens.conftest import PASSWORD, SERVICE, Publisher, key_set
from tests.tokens.test_verifier import program, token_for


def signed_in(served: Served) -> dict[str, Any]:
    served.cookies.clear()
    answer = served.post("/auth/sign-in/password", identifier="ann@example.com", password=PASSWORD, issue="tokens")[1]
    tokens: dict[str, Any] = answer["tokens"]
    return tokens


@pytest.fixture(scope="module")
def api_key(served: Served) -> str:
    bearer = {"Authorization": f"Bearer {signed_in(served)['access_token']}"}
    body = {"name": "orders", "scopes": ["token.introspect", SERVICE]}
    made = served.request("POST", "/auth/api-keys/create", body, bearer)
    assert made[0] == 200, made
    return str(json.loads(made[2])["key"])


def live(served: Served, api_key: str) -> Verifier:
    return Verifier(issuer=f"http://localhost:{served.port}", audience=SERVICE, freshness="live", api_key=api_key)


def test_a_session_that_ends_is_heard_of_within_a_second(served: Served, api_key: str) -> None:
    verifier, held = live(served, api_key), signed_in(served)
    status, answer = served.post("/auth/token/refresh", refresh_token=held["refresh_token"], audience=SERVICE)
    assert status == 200
    token = answer["access_token"]
    for _ in range(3):
        assert verifier.verify(token) == asyncio.run(verifier.averify(token))
    assert served.post("/auth/token/revoke", token=answer["refresh_token"])[0] == 200
    time.sleep(1)
    with pytest.raises(TokenRefused, match="ended"):
        verifier.verify(token)
    with pytest.raises(TokenRefused, match="ended"):
        asyncio.run(verifier.averify(token))


def test_a_key_that_may_not_ask_lets_nobody_in(served: Served, access_token: str) -> None:
    for wrong in ("dwk_" + "0" * 49, access_token):
        with pytest.raises(IssuerUnavailable):
            live(served, wrong).verify(access_token)


def asking(house: House, publisher: Publisher) -> Verifier:
    return Verifier(
        issuer=ORIGIN,
        audience=SERVICE,
        keys=key_set(house),
        clock=house.clock,
        freshness="live",
        api_key="dwk_x",
        introspect_url=publisher.url,
    )


def test_what_was_not_signed_by_the_issuer_costs_it_nothing(house: House, publisher: Publisher) -> None:
    program(house)
    for wrong in ("", "x", "a.b.c"):
        with pytest.raises(TokenRefused):
            asking(house, publisher).verify(wrong)
    assert publisher.asked == []


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b'{"active": "true"}', b'{"active": 1}', b'{"active": null}'])
def test_an_answer_that_is_none_lets_nobody_in(house: House, publisher: Publisher, answer: bytes) -> None:
    _, held = program(house)
    publisher.answer = answer
    with pytest.raises(IssuerUnavailable):
        asking(house, publisher).verify(token_for(house, held))


def test_half_a_second_is_not_asked_twice(house: House, publisher: Publisher) -> None:
    _, held = program(house)
    verifier, text = asking(house, publisher), token_for(house, held)
    claims = dict(Verifier(issuer=ORIGIN, audience=SERVICE, keys=key_set(house), clock=house.clock).verify(text).claims)
    publisher.answer = {"active": True, **claims, "roles": ["clerk"]}
    for _ in range(10):
        assert verifier.verify(text).roles == {"clerk"}
    assert len(publisher.asked) == 1
    publisher.answer = {"active": False}
    house.clock.forward(milliseconds=500)
    with pytest.raises(TokenRefused):
        verifier.verify(text)


def test_without_a_key_nobody_can_be_asked() -> None:
    with pytest.raises(ValueError, match="API key"):
        Verifier(issuer=ORIGIN, audience=SERVICE, freshness="live")
    with pytest.raises(ValueError, match="live"):
        Verifier(issuer=ORIGIN, audience=SERVICE, api_key="dwk_x")
