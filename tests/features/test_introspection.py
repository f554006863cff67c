"""Introspection: the truth of this moment, for who may ask about that token, and one answer for all the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from doorward.core.records import User
from doorward.features import api_keys, introspection, refresh_tokens, sign_out
from doorward.features.roles import add_role
from doorward.testing.doubles import ORIGIN, Guest, House
from tests.features.people import refused, signed_in, signed_up
from tests.features.test_refresh_tokens import started
from tests.features.test_roles import given, taken

SERVICE, OTHER = "https://api.example.com", "https://other.example.com"
INACTIVE = {"active": False}


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    return open_house(token_audience=f"{SERVICE},{OTHER}")


def service_of(house: House, *scopes: str) -> Guest:
    """A program with a key of an operator's."""
    owner = signed_up(house, "operator@example.com")
    made = owner.do(api_keys.create, name="orders", scopes=list(scopes or ("token.introspect", SERVICE)))
    service = house.program()
    service.bearer = made.key
    return service


def token_of(house: House, refresh_token: str, audience: str | None = SERVICE) -> tuple[str, str]:
    answer = house.program().do(refresh_tokens.refresh, refresh_token=refresh_token, audience=audience)
    return answer["access_token"], answer["refresh_token"]


def ask(service: Guest, token: str, **more: Any) -> Any:
    return service.do(introspection.introspect, token=token, **more)


def test_a_live_token_is_told_of_with_its_claims(house: House) -> None:
    signed_up(house)
    _, held = started(house)
    service, (token, _) = service_of(house), token_of(house, held)
    said = ask(service, token, token_type_hint="access_token", unknown="ignored")
    assert (said["active"], said["aud"], said["iss"], said["token_type"]) == (True, SERVICE, ORIGIN, "Bearer")
    assert {"sub", "sid", "exp", "iat", "jti", "client_id", "amr", "acr", "auth_time"} <= said.keys()


def test_it_ends_with_its_session_and_its_user_at_once(house: House) -> None:
    signed_up(house)
    service = service_of(house)
    guest, held = started(house)
    token, _ = token_of(house, held)
    assert ask(service, token)["active"]
    guest.do(sign_out.sign_out)
    assert ask(service, token) == INACTIVE
    _, held = started(house)
    token, _ = token_of(house, held)

    async def close(call: Any) -> None:
        await call.store.change(User, {"email": "ann@example.com"}, active=False)

    house.run(close)
    assert ask(service, token) == INACTIVE


def test_it_ends_with_its_time(house: House) -> None:
    signed_up(house)
    _, held = started(house)
    service, (token, _) = service_of(house), token_of(house, held)
    house.clock.forward(minutes=7)
    assert ask(service, token) == INACTIVE


def test_what_is_not_for_the_caller_is_as_dead_as_what_never_was(house: House) -> None:
    signed_up(house)
    guest, held = started(house)
    service = service_of(house)
    own, held = token_of(house, held, None)
    other, held = token_of(house, held, OTHER)
    good, held = token_of(house, held)
    for token in (own, other, held, service.bearer, good[:-3] + "AAA", "x", "a.b.c", "." * 8192, guest.bearer):
        assert ask(service, token) == INACTIVE
    assert ask(service, good)["active"]


def test_who_may_ask_about_accounts_says_so_in_the_key(house: House) -> None:
    signed_up(house)
    guest, _ = started(house)
    assert ask(service_of(house, "token.introspect", ORIGIN), guest.bearer)["aud"] == ORIGIN


def test_only_a_key_that_was_made_for_it_may_ask(house: House) -> None:
    ann = signed_up(house)
    guest, held = started(house)
    token, _ = token_of(house, held)
    nobody = house.program()
    without = service_of(house, SERVICE)
    for caller in (nobody, ann, guest, without):
        refused("not_signed_in", ask, caller, token)
    nobody.bearer = token
    refused("invalid_bearer", ask, nobody, token)


def test_roles_are_those_of_this_moment(house: House) -> None:
    signed_up(house)
    _, held = started(house)
    service, (token, _) = service_of(house), token_of(house, held)
    assert ask(service, token)["roles"] == []
    house.run(add_role, "clerk")
    house.run(given, "ann@example.com", "clerk")
    assert ask(service, token)["roles"] == ["clerk"]
    house.run(taken, "ann@example.com", "clerk")
    assert ask(service, token)["roles"] == []


@pytest.mark.parametrize("token", ["", "x" * 8193, "ä", "a b", "\n"])
def test_what_can_be_no_token_is_named(house: House, token: str) -> None:
    refused("invalid_input", ask, service_of(house), token)


def test_asking_keeps_nobody_signed_in_who_has_left(house: House) -> None:
    """A key that is revoked asks nothing more."""
    owner = signed_up(house, "operator@example.com")
    made = owner.do(api_keys.create, name="orders", scopes=["token.introspect", SERVICE])
    service = house.program()
    service.bearer = made.key
    assert ask(service, "x") == INACTIVE
    owner.do(api_keys.revoke, id=made.id)
    house.clock.forward(seconds=1)
    refused("invalid_bearer", ask, service, "x")
    assert signed_in(house.program(), "operator@example.com", issue="tokens").tokens
