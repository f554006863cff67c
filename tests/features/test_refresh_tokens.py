"""Refresh: one child in any number of parallel uses, the same child for a lost answer, the end for a thief."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.features import refresh_tokens, sessions, sign_out
from doorward.testing.doubles import Guest, House
from tests.features.people import refused, signed_in, signed_up


def started(house: House) -> tuple[Guest, str]:
    guest = house.program()
    tokens = signed_in(guest, issue="tokens").tokens
    guest.bearer = tokens["access_token"]
    return guest, tokens["refresh_token"]


def refresh(house: House, token: str, **more: Any) -> Any:
    return house.program().do(refresh_tokens.refresh, refresh_token=token, **more)


def test_each_refresh_gives_the_next_token_and_a_fresh_access_token(house: House) -> None:
    signed_up(house)
    guest, token = started(house)
    for _ in range(3):
        house.clock.forward(minutes=4)
        answer = refresh(house, token)
        assert answer["refresh_token"] != token
        token, guest.bearer = answer["refresh_token"], answer["access_token"]
        assert guest.do(sessions.session).identity is not None


def test_a_repeat_within_the_grace_gets_the_same_successor(house: House) -> None:
    signed_up(house)
    _, token = started(house)
    first = refresh(house, token)
    house.clock.forward(seconds=29)
    again = refresh(house, token)
    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]


def test_reuse_ends_the_family_and_tells(house: House) -> None:
    signed_up(house)
    guest, token = started(house)
    successor = refresh(house, token)["refresh_token"]
    house.clock.forward(seconds=31)
    refused("refresh_refused", refresh, house, token)
    assert house.mail.last.template == "refresh_token_reused"
    refused("refresh_refused", refresh, house, successor)
    refused("invalid_bearer", guest.do, sessions.session)


def test_a_grandparent_is_reuse_even_within_the_grace(house: House) -> None:
    signed_up(house)
    _, token = started(house)
    second = refresh(house, token)["refresh_token"]
    third = refresh(house, second)["refresh_token"]
    refused("refresh_refused", refresh, house, token)
    refused("refresh_refused", refresh, house, third)


def test_two_hundred_parallel_uses_have_one_child(house: House) -> None:
    signed_up(house)
    _, token = started(house)

    start = Barrier(200)

    def used(_: int) -> str:
        start.wait(60)
        try:
            return str(refresh(house, token)["refresh_token"])
        except Refused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(200) as pool:
        children = set(pool.map(used, range(200)))
    assert len(children) == 1
    assert children != {"refresh_refused"}
    assert refresh(house, children.pop())["refresh_token"]


def test_what_we_never_gave_out_ends_nothing(house: House) -> None:
    signed_up(house)
    _, token = started(house)
    head, _, mac = token.rpartition(".")
    family, generation, secret = head.split(".")
    for forged in (
        f"{family}.{generation}.{secret[::-1]}.{mac}",
        f"{family}.7.{secret}.{mac}",
        f"{head}.{mac[::-1]}",
        token[:-1],
        token + "A",
        "dwr_x.0.y.z",
        "x",
        f"{family}.٣.{secret}.{mac}".encode("ascii", "replace").decode(),
    ):
        refused("refresh_refused", refresh, house, forged)
    assert refresh(house, token)["refresh_token"]


def test_it_ends_with_its_session(house: House) -> None:
    signed_up(house)
    guest, token = started(house)
    guest.do(sign_out.sign_out)
    refused("refresh_refused", refresh, house, token)
    other = signed_up(house, "bob@example.com")
    assert other.do(sessions.session).identity is not None


def test_an_audience_must_be_configured(open_house) -> None:  # type: ignore[no-untyped-def]
    house: House = open_house(token_audience="https://api.example.com")
    signed_up(house)
    _, token = started(house)
    refused("invalid_input", refresh, house, token, audience="https://evil.example")
    answer = refresh(house, token, audience="https://api.example.com")
    guest = house.program()
    guest.bearer = answer["access_token"]
    refused("invalid_bearer", guest.do, sessions.session)  # rule 21: a service's token opens no account action


def test_revoking_is_answered_the_same_for_all(house: House) -> None:
    signed_up(house)
    guest, token = started(house)
    assert house.program().do(refresh_tokens.revoke, token="nothing", token_type_hint="x", more="y") is None
    assert house.program().do(refresh_tokens.revoke, token=guest.bearer) is None  # longer than what we make up
    assert guest.do(sessions.session).identity is not None
    assert house.program().do(refresh_tokens.revoke, token=token) is None
    refused("refresh_refused", refresh, house, token)
    refused("invalid_bearer", guest.do, sessions.session)


def test_a_closed_account_refreshes_nothing(house: House) -> None:
    signed_up(house)
    _, token = started(house)

    async def close(call):  # type: ignore[no-untyped-def]
        await call.store.change(User, {}, active=False)

    house.run(close)
    refused("refresh_refused", refresh, house, token)
