"""Signing keys: known to everybody before they sign, there until nobody needs them, and gone at once when revoked."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from doorward import presets
from doorward.core.refusals import Misconfigured, Refused
from doorward.features import sessions, token_keys
from doorward.features.token_keys import KeyShown, TokenKey
from doorward.primitives import jwt
from doorward.testing.doubles import ORIGIN, Guest, House
from tests.features.people import refused, signed_in, signed_up
from tests.features.test_refresh_tokens import refresh, started

CACHED = timedelta(seconds=300)  # how long a service may keep the set


def states(house: House) -> list[str]:
    return [key.state for key in house.run(token_keys.list_keys)]


def rotate(house: House, **how: bool) -> KeyShown:
    key: KeyShown = house.run(token_keys.rotate, **how)
    return key


def chore(house: House) -> int:
    done: int = house.run(token_keys.replace_in_time)
    return done


def sweep(house: House) -> None:
    """What upkeep does with rows whose time is over."""

    async def remove(call: Any) -> None:
        await call.store.remove(TokenKey, expires_at__lt=call.now)

    house.run(remove)


def with_tokens(house: House) -> tuple[Guest, str]:
    signed_up(house)
    return started(house)


def kid_of(token: str) -> str:
    header, _, _ = token.partition(".")
    return str(jwt._parsed_header(header)["kid"])


class Service:
    """Another service, which asks for the key set only when its copy is old: as slow as the caching headers allow."""

    def __init__(self, house: House) -> None:
        self.house, self.read_at, self.keys = house, datetime.min.replace(tzinfo=house.clock.now.tzinfo), {}

    def accepts(self, token: str) -> bool:
        now = self.house.clock.now
        if now - self.read_at >= CACHED:
            jwks = self.house.program().do(token_keys.jwks).keys
            self.keys, self.read_at = jwt.verifying_keys(jwks), now
        try:
            jwt.verify(token, self.keys, issuer=ORIGIN, audience=ORIGIN, now=now, typ="at+jwt", leeway=0)
        except jwt.InvalidToken:
            return False
        return True


def test_nobody_meets_a_key_unknown_to_a_service_that_caches(house: House) -> None:
    """JWT-22, an hour around a rotation: no token is refused for its key while it lives, and the old key goes."""
    guest, token = with_tokens(house)
    service, first = Service(house), kid_of(guest.bearer)
    alive: list[tuple[datetime, str]] = []
    signed_by: dict[str, int] = {}
    for second in range(0, 3600, 60):
        if second == 600:
            assert rotate(house).state == "next"
        answer = refresh(house, token)
        token, access = answer["refresh_token"], answer["access_token"]
        signed_by[kid_of(access)] = signed_by.get(kid_of(access), 0) + 1
        alive = [(at, one) for at, one in alive if house.clock.now - at < timedelta(seconds=300)]
        alive.append((house.clock.now, access))
        assert all(service.accepts(one) for _, one in alive), second
        guest.bearer = access
        assert guest.do(sessions.session).identity is not None
        sweep(house)
        house.clock.forward(seconds=60)
    assert signed_by.pop(first) == 20  # ten minutes before the rotation and ten after
    assert list(signed_by.values()) == [40]
    assert states(house) == ["signs"]


def test_a_new_key_waits_ten_minutes_and_the_old_one_stays_for_its_last_token(house: House) -> None:
    guest, _ = with_tokens(house)
    made = rotate(house)
    assert states(house) == ["next", "signs"]
    assert made.signs_from - house.clock.now == timedelta(seconds=600)
    house.clock.forward(seconds=599)
    assert kid_of(signed_in(house.program(), issue="tokens").tokens["access_token"]) == kid_of(guest.bearer)
    house.clock.forward(seconds=1)
    assert kid_of(signed_in(house.program(), issue="tokens").tokens["access_token"]) == made.kid
    assert states(house) == ["signs", "kept"]
    house.clock.forward(seconds=300 + 599)
    sweep(house)
    assert len(house.program().do(token_keys.jwks).keys) == 2
    house.clock.forward(seconds=2)
    assert len(house.program().do(token_keys.jwks).keys) == 1  # swept or not
    sweep(house)
    assert states(house) == ["signs"]


def test_one_waits_at_a_time(house: House) -> None:
    with_tokens(house)
    assert rotate(house) == rotate(house)
    assert states(house) == ["next", "signs"]


def test_in_an_emergency_the_new_key_signs_at_once(house: House) -> None:
    guest, _ = with_tokens(house)
    waiting = rotate(house)
    made = rotate(house, at_once=True)
    assert made.state == "signs"
    assert kid_of(signed_in(house.program(), issue="tokens").tokens["access_token"]) == made.kid
    assert guest.do(sessions.session).identity is not None  # the old one verifies
    house.clock.forward(seconds=601)
    assert kid_of(signed_in(house.program(), issue="tokens").tokens["access_token"]) == made.kid != waiting.kid
    house.clock.forward(seconds=300)
    sweep(house)
    assert states(house) == ["signs"]


def test_a_revoked_key_ends_its_tokens_at_once_and_no_session(house: House) -> None:
    guest, token = with_tokens(house)
    signs = house.run(token_keys.revoke, kid_of(guest.bearer))
    refused("invalid_bearer", guest.do, sessions.session)
    assert [key["kid"] for key in house.program().do(token_keys.jwks).keys] == [signs.kid]
    guest.bearer = refresh(house, token)["access_token"]
    assert kid_of(guest.bearer) == signs.kid
    assert guest.do(sessions.session).identity is not None


def test_another_node_hears_of_it_within_half_a_second(house: House) -> None:
    guest, _ = with_tokens(house)
    assert guest.do(sessions.session).identity is not None
    kept = dict(house.doorward.world.memo)
    house.run(token_keys.revoke, kid_of(guest.bearer))
    house.doorward.world.memo.update(kept)  # what a node remembers that did not do it
    house.clock.forward(milliseconds=500)
    refused("invalid_bearer", guest.do, sessions.session)


def test_there_is_never_no_key(house: House) -> None:
    with_tokens(house)
    for _ in range(5):
        for key in house.run(token_keys.list_keys):
            house.run(token_keys.revoke, key.kid)
            assert states(house).count("signs") == 1
        rotate(house)
        house.run(token_keys.revoke, rotate(house).kid)  # the next one is replaced by a next one
        assert states(house)[:2] == ["next", "signs"]
    refused("not_found", house.run, token_keys.revoke, "unknown")
    refused("not_found", house.run, token_keys.revoke, "")


def test_a_clock_that_was_set_back_finds_a_key(house: House) -> None:
    with_tokens(house)
    house.clock.forward(hours=-3)
    assert states(house) == ["signs"]
    assert signed_in(house.program(), issue="tokens").tokens["access_token"]
    made = rotate(house, at_once=True)
    assert made.state == "signs"


def test_keys_are_replaced_on_schedule(open_house: Callable[..., House]) -> None:
    house = open_house(token_key_rotation=30)
    assert chore(house) == 0
    with_tokens(house)
    house.clock.forward(days=29, hours=23)
    assert chore(house) == 0
    house.clock.forward(hours=1)
    assert (chore(house), chore(house)) == (1, 0)
    assert states(house) == ["next", "signs"]
    house.clock.forward(seconds=600)
    assert chore(house) == 0
    assert states(house) == ["signs", "kept"]


def test_where_the_schedule_is_off_only_people_replace_keys(open_house: Callable[..., House]) -> None:
    house = open_house(token_key_rotation=0)
    with_tokens(house)
    house.clock.forward(days=3650)
    assert chore(house) == 0
    assert states(house) == ["signs"]


def test_of_forty_nodes_one_replaces_a_key(house: House) -> None:
    with_tokens(house)
    house.clock.forward(days=90)
    with ThreadPoolExecutor(40) as pool:
        assert any(pool.map(lambda _: chore(house), range(40)))
    assert states(house) == ["next", "signs"]


def test_of_forty_nodes_one_makes_the_first(house: House) -> None:
    with ThreadPoolExecutor(40) as pool:
        kids = {str(key) for key in pool.map(lambda _: house.run(token_keys.signing_key).kid, range(40))}
    assert len(kids) == 1


def test_of_forty_who_revoke_one_does_and_there_is_a_key(house: House) -> None:
    guest, _ = with_tokens(house)
    kid = kid_of(guest.bearer)

    def revoke(_: int) -> str:
        try:
            return str(house.run(token_keys.revoke, kid).kid)
        except Refused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(revoke, range(40)))
    assert len([one for one in answers if one not in ("not_found", "state_changed")]) == 1
    assert states(house) == ["signs"]


def test_another_algorithm_goes_the_same_way(open_house: Callable[..., House]) -> None:
    house = open_house()
    guest, _ = with_tokens(house)
    object.__setattr__(house.doorward.world.settings, "token_algorithm", "Ed25519")
    assert kid_of(signed_in(house.program(), issue="tokens").tokens["access_token"]) == kid_of(guest.bearer)
    assert (chore(house), chore(house)) == (1, 0)
    assert [key.algorithm for key in house.run(token_keys.list_keys)] == ["Ed25519", "ES256"]
    # A node that still has the old setting does not answer with a key of its own before this one has had its turn.
    object.__setattr__(house.doorward.world.settings, "token_algorithm", "ES256")
    assert chore(house) == 0
    object.__setattr__(house.doorward.world.settings, "token_algorithm", "Ed25519")
    house.clock.forward(seconds=600)
    service = Service(house)
    assert service.accepts(signed_in(house.program(), issue="tokens").tokens["access_token"])
    assert states(house) == ["signs", "kept"]


def test_with_a_shared_secret_there_is_nothing_to_replace(open_house: Callable[..., House]) -> None:
    house = open_house(token_algorithm="HS256")
    with_tokens(house)
    house.clock.forward(days=365)
    assert (chore(house), house.run(token_keys.list_keys)) == (0, [])
    with pytest.raises(Misconfigured, match="SECRET"):
        rotate(house)


def test_keys_lie_sealed_and_open_in_their_own_row_only(house: House) -> None:
    with_tokens(house)
    rotate(house)

    async def rows(call: Any) -> list[TokenKey]:
        return list(await call.store.find(TokenKey, order="-created_at"))

    young, old = house.run(rows)
    assert '"d"' not in young.jwk
    assert young.slot == f"after:{old.kid}"

    async def swap(call: Any) -> None:
        await call.store.change(TokenKey, {"kid": young.kid}, jwk=old.jwk)
        call.world.memo.clear()
        await token_keys.token_keys(call)

    with pytest.raises(Misconfigured, match="put it back"):
        house.run(swap)


def test_whoever_has_access_tokens_has_the_upkeep_of_their_keys() -> None:
    features = [feature for feature in presets.standard() if isinstance(feature, token_keys.TokenKeys)]
    assert [feature.chores for feature in features] == [(token_keys.replace_in_time,)]
    assert [sweep.record for feature in features for sweep in feature.sweeps] == [TokenKey]
