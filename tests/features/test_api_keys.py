"""API keys: shown once, good for what they name, never more than their owner, and ended with him."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doorward.core.action import Needs, demanded
from doorward.core.call import Call
from doorward.core.doorward import require
from doorward.core.records import Account, User
from doorward.core.refusals import Refused
from doorward.delivery.upkeep import Upkeep
from doorward.features import api_keys, password, sessions, sign_out
from doorward.features.api_keys import MOST_KEYS, ApiKey
from doorward.primitives import api_key
from doorward.server import people
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, code_of, refused, signed_in, signed_up, with_totp

SCOPES = ["orders.read", "orders.write"]


def made(guest: Guest, **more: Any) -> Any:
    return guest.do(api_keys.create, **{"name": "nightly report", "scopes": SCOPES, **more})


def program(house: House, key: str) -> Guest:
    guest = house.program()
    guest.bearer = key
    return guest


def whole(house: House) -> Guest:
    """A program with a key of Ann's, who has just signed up."""
    return program(house, made(signed_up(house)).key)


def is_good(guest: Guest) -> bool:
    try:
        return guest.do(sessions.session).identity is not None
    except Refused as refusal:
        return refusal.reason != "invalid_bearer"


def test_a_key_says_whose_it_is_and_what_for(house: House) -> None:
    ann = signed_up(house)
    key = made(ann)
    identity = program(house, key.key).do(sessions.session).identity
    assert identity.user.id == ann.do(sessions.session).identity.user.id
    assert identity.session is None
    assert identity.scopes == frozenset(SCOPES)
    assert (identity.amr, identity.aal) == ((), 0)
    assert identity.has_scope("orders.read")
    assert not identity.has_scope("orders")


def test_it_is_shown_once_and_kept_as_a_digest(house: House) -> None:
    ann = signed_up(house)
    key = made(ann)
    (item,) = ann.do(api_keys.list_keys).items
    assert (item.id, item.name, item.scopes, item.prefix) == (key.id, "nightly report", tuple(SCOPES), key.key[:10])
    assert not hasattr(item, "key")

    async def rows(call: Call) -> list[ApiKey]:
        return await call.store.find(ApiKey)

    (row,) = house.run(rows)
    assert row.digest == api_key.digest(key.key)
    assert key.key[10:] not in repr(row)


def test_its_owner_is_told(house: House) -> None:
    made(signed_up(house))
    assert house.mail.last.template == "api_key_created"
    assert house.mail.last.words["key"] == "nightly report"
    assert "dwk_" not in repr(house.mail.last)


def test_every_account_action_refuses_a_key(house: House) -> None:
    """KEYS-05: by the list of actions itself, so that no new one is forgotten."""
    guest = whole(house)
    allowed = {name for name, action in house.doorward.actions.items() if action.keys}
    assert allowed <= {"session", "verify", "token.introspect"}
    for name, action in house.doorward.actions.items():
        if name not in allowed:

            async def run(call: Call, action: Any = action) -> None:
                await house.doorward.perform(call, action, {})

            refused("not_permitted", guest.run, run)


def test_hosts_take_it_where_somebody_must_be_signed_in_and_never_as_fresh(house: House) -> None:
    guest = whole(house)

    async def asked(call: Call, needs: Needs) -> None:
        await require(call, needs)

    guest.run(asked, Needs.SIGNED_IN)
    for needs in (Needs.FRESH, Needs.FRESH_WITH_SECOND):
        refused("not_permitted", guest.run, asked, needs)


def test_hosts_ask_for_a_scope(house: House) -> None:
    ann = signed_up(house)
    guest = program(house, made(ann).key)

    async def asked(call: Call, scope: str) -> None:
        await require(call, demanded(scope=scope))

    guest.run(asked, "orders.read")
    for other in ("orders", "orders.read.all", "admin"):
        refused("not_permitted", guest.run, asked, other)
        ann.run(asked, other)  # a person is held to no scopes


def test_making_one_needs_a_fresh_proof(house: House) -> None:
    ann = signed_up(house)
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", made, ann)
    signed_in(ann)
    assert made(ann).key


def test_making_one_needs_the_second_factor_of_who_has_one(house: House) -> None:
    ann = signed_up(house)
    secret = with_totp(ann)
    assert made(ann).key
    house.clock.forward(minutes=11)
    answer = ann.do(house.doorward.actions["step_up"])
    answer = ann.do(password.sign_in, identifier="ann@example.com", password=PASSWORD, attempt=answer.attempt)
    refused("fresh_proof_required", made, ann)
    ann.do(house.doorward.actions["sign_in.totp"], code=code_of(house, secret), attempt=answer.attempt)
    assert made(ann).key


def test_nobody_makes_or_sees_or_ends_anothers(house: House) -> None:
    """KEYS-01, KEYS-03: identity comes from the session alone."""
    ann, bob = signed_up(house), signed_up(house, "bob@example.com")
    key = made(ann)
    refused("not_signed_in", made, house.browser())
    for field in ("user_id", "user", "owner"):
        refused("invalid_input", made, bob, **{field: ann.do(sessions.session).identity.user.id})
    assert bob.do(api_keys.list_keys).items == ()
    refused("not_found", bob.do, api_keys.revoke, id=key.id)
    refused("not_found", ann.do, api_keys.revoke, id=key.key[:64])
    assert is_good(program(house, key.key))


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a\nb"},
        {"name": 5},
        {"scopes": []},
        {"scopes": "orders.read"},
        {"scopes": [5]},
        {"scopes": [["orders.read"]]},
        {"scopes": [""]},
        {"scopes": ["orders read"]},
        {"scopes": ['orders"read']},
        {"scopes": ["orders\\read"]},
        {"scopes": ["ördrar"]},
        {"scopes": ["x" * 65]},
        {"scopes": [f"s{n}" for n in range(33)]},
        {"scopes": None},
        {"expires_in": 0},
        {"expires_in": -1},
        {"expires_in": 366 * 86_400 + 1},
        {"expires_in": 10**30},
        {"expires_in": "3600"},
        {"expires_in": True},
        {"key": "dwk_chosen"},
    ],
)
def test_what_no_key_may_have(house: House, given: dict[str, Any]) -> None:
    ann = signed_up(house)
    refused("invalid_input", made, ann, **given)
    assert ann.do(api_keys.list_keys).items == ()


def test_scopes_are_a_set(house: House) -> None:
    assert made(signed_up(house), scopes=["b", "a", "b"]).scopes == ("b", "a")


def test_it_ends_with_its_time(house: House) -> None:
    """KEYS-08."""
    ann = signed_up(house)
    guest = program(house, made(ann, expires_in=3600).key)
    house.clock.forward(seconds=3599)
    assert is_good(guest)
    house.clock.forward(seconds=1)
    assert not is_good(guest)
    assert ann.do(api_keys.list_keys).items == ()


def test_without_an_end_it_lives_as_long_as_the_policy_lets_it(open_house: Any) -> None:
    house = open_house(policy={"api_key_life": 86_400})
    ann = signed_up(house)
    refused("invalid_input", made, ann, expires_in=86_401)
    guest = program(house, made(ann).key)
    house.clock.forward(hours=23)
    assert is_good(guest)
    house.clock.forward(hours=1)
    assert not is_good(guest)


def test_what_was_never_given_out_opens_nothing(house: House) -> None:
    ann = signed_up(house)
    key = made(ann).key
    unknown = api_key.written(b"\x01" * 32)
    for wrong in (unknown, key[:-1], key + "0", key.swapcase(), key[4:], "dwk_" + key, api_key.digest(key)):
        assert not is_good(program(house, wrong))
    thief = house.browser()
    thief.session = key
    refused("not_signed_in", thief.do, sessions.session)
    assert not is_good(program(house, ann.session))


def test_it_ends_when_it_is_revoked(house: House) -> None:
    ann = signed_up(house)
    first, second = made(ann), made(ann)
    ann.do(api_keys.revoke, id=first.id)
    assert not is_good(program(house, first.key))
    assert is_good(program(house, second.key))
    refused("not_found", ann.do, api_keys.revoke, id=first.id)


def test_what_ends_elsewhere_ends_here_within_a_second(house: House) -> None:
    """Another process took the row away, so that nothing here was told."""
    guest = whole(house)
    assert is_good(guest)

    async def gone(call: Call) -> None:
        await call.store.remove(ApiKey)

    house.run(gone)
    house.clock.forward(milliseconds=500)
    assert not is_good(guest)


def test_it_survives_a_change_of_password(house: House) -> None:
    ann = signed_up(house)
    guest = program(house, made(ann).key)
    ann.do(password.change, current_password=PASSWORD, new_password="seven herons in the fog")
    assert is_good(guest)


def test_it_ends_with_signing_out_everywhere_and_with_nothing_less(house: House) -> None:
    ann = signed_up(house)
    guest = program(house, made(ann).key)
    bobs = program(house, made(signed_up(house, "bob@example.com")).key)
    ann.do(sessions.end, others=True)
    ann.do(sign_out.sign_out)
    assert is_good(guest)
    signed_in(ann)
    ann.do(sign_out.sign_out, all=True)
    assert not is_good(guest)
    assert is_good(bobs)


@pytest.mark.parametrize("ended", ["end_sessions", "disable"])
def test_an_operator_ends_it(house: House, ended: str) -> None:
    guest = whole(house)
    if ended == "disable":
        house.run(people.set_active, "ann@example.com", active=False)
        house.run(people.set_active, "ann@example.com", active=True)
    else:
        house.run(people.sign_out, "ann@example.com")
    house.clock.forward(milliseconds=500)
    assert not is_good(guest)


def test_it_is_worth_nothing_while_a_host_has_closed_the_account(house: House) -> None:
    guest = whole(house)

    async def close(call: Call) -> None:
        await call.store.change(User, {}, active=False)

    house.run(close)
    house.clock.forward(milliseconds=500)
    assert not is_good(guest)


def test_one_has_so_many_and_no_more(house: House) -> None:
    ann = signed_up(house)
    keys = [made(ann, name=f"key {n}", expires_in=3600) for n in range(MOST_KEYS)]
    assert refused("invalid_input", made, ann).errors[0].reason == "too_many"
    ann.do(api_keys.revoke, id=keys[0].id)
    made(ann, expires_in=3600)
    refused("invalid_input", made, ann)
    house.clock.forward(hours=1)
    signed_in(ann)
    assert made(ann).key  # what has expired takes no place
    assert len(ann.do(api_keys.list_keys).items) == 1


def test_forty_at_once_never_pass_the_bound(house: House) -> None:
    ann = signed_up(house)
    for n in range(MOST_KEYS - 1):
        made(ann, name=f"key {n}")

    def one(_: int) -> str:
        try:
            return str(made(ann).id)
        except Refused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(40) as pool:
        results = set(pool.map(one, range(40)))
    assert len(ann.do(api_keys.list_keys).items) == MOST_KEYS
    assert len(results - {"invalid_input", "state_changed"}) == 1


def test_last_used_is_written_in_batches(house: House) -> None:
    ann = signed_up(house)
    guest = program(house, made(ann).key)
    seen = house.doorward.world.seen
    house.clock.forward(minutes=2)
    for _ in range(5):
        assert is_good(guest)
    assert ann.do(api_keys.list_keys).items[0].last_used_at is None
    used = {kind: at for (kind, _), at in seen.items()}
    assert used[ApiKey] == house.clock.now
    Upkeep(house.stores, seen, (), house.clock).write_seen()
    assert ann.do(api_keys.list_keys).items[0].last_used_at == house.clock.now


def test_making_and_ending_one_are_seen_in_the_version(house: House) -> None:
    """Rule 19: what other processes remember of a user is told apart by it."""
    ann = signed_up(house)

    async def version(call: Call) -> int:
        (account,) = await call.store.find(Account)
        return account.version

    before = house.run(version)
    ann.do(api_keys.revoke, id=made(ann).id)
    assert house.run(version) == before + 2
