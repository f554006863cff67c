"""A change of SECRET: what an older key sealed is sealed again by the newest, and what can't be is counted."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import doorward
from doorward.core.call import Call
from doorward.core.records import Authenticator, OutboxMessage
from doorward.core.resealing import in_use, reseal, sealed_places
from doorward.features import token_keys, totp
from doorward.features.token_keys import TokenKey
from doorward.limits import MemoryLimits
from doorward.presets import standard
from doorward.primitives import sealing
from doorward.stores import migrations, open_store
from doorward.testing.doubles import House
from tests.features.people import code_of, signed_in, signed_up, with_totp

OLD = "old:4YvXq2oM9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_"
NEW = "new:mZ7tLrYc4HdWfPsJ0uNa8eGiOxT5ZyRwKl3M9kQz2-Vb"
BOTH = f"{NEW},{OLD}"

Open = Callable[[str], House]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """One installation, opened with the secrets that are named, as often as that is asked for."""
    kept: dict[str, Any] = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres")()
        migrations.migrate(url)
    else:
        url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/d.db"

    def stores(core: Any) -> Any:
        if "stores" not in kept:
            kept["stores"] = open_store(url, records=core.records)
            request.addfinalizer(kept["stores"].close)
        return kept["stores"]

    return lambda secret: House(standard(), stores, MemoryLimits(), os.urandom, secret=secret)


def used(house: House) -> tuple[dict[str, int], int]:
    found = house.run(lambda call: in_use(call.store, call.world.features.values(), call.keyring.ids))
    return dict(found.by), found.by_others


def test_afterwards_the_old_key_may_go(opened: Open) -> None:
    before = opened(OLD)
    secret = with_totp(signed_up(before))
    kid = before.run(token_keys.token_keys)[0].kid
    letters = before.run(lambda call: call.store.count(OutboxMessage))
    assert used(before) == ({"old": letters + 3}, 0)

    between = opened(BOTH)
    assert used(between) == ({"new": 0, "old": letters + 3}, 0)
    done = between.run(reseal)
    assert (done.values, done.lost, done.overtaken) == ({"old": letters + 3}, {}, 0)
    assert used(between) == ({"new": letters + 3, "old": 0}, 0)
    assert between.run(reseal).values.total() == 0

    after = opened(NEW)
    after.clock.now = before.clock.now
    assert after.run(token_keys.token_keys)[0].kid == kid
    guest = after.browser()
    signed_in(guest)
    assert guest.do(totp.sign_in, code=code_of(after, secret)).identity is not None


def test_what_no_key_opens_is_counted_and_left(opened: Open) -> None:
    with_totp(signed_up(opened(OLD)))
    after = opened(NEW)
    rows = after.run(lambda call: call.store.find(Authenticator, kind="totp"))
    done = after.run(reseal)
    assert (done.values.total(), done.lost["old"] > 0) == (0, True)
    assert used(after) == ({"new": 0}, done.lost["old"])
    assert after.run(lambda call: call.store.find(Authenticator, kind="totp")) == rows


def test_what_somebody_writes_meanwhile_wins(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value is replaced only while it is what was opened."""
    with_totp(signed_up(opened(OLD)))
    house = opened(BOTH)
    (row,) = house.run(lambda call: call.store.find(Authenticator, kind="totp"))
    newer = house.run(_sealed, row.user_id)
    unseal = sealing.unseal

    def slowly(*args: Any, **kwargs: Any) -> Any:
        if kwargs["purpose"] == "totp":
            house.run(lambda call: call.store.change(Authenticator, {"id": row.id}, data=newer))
        return unseal(*args, **kwargs)

    monkeypatch.setattr(sealing, "unseal", slowly)
    assert house.run(reseal).overtaken == 1
    assert house.run(lambda call: call.store.get(Authenticator, id=row.id)).data == newer


async def _sealed(call: Call, user_id: str) -> str:
    return call.seal(b"another secret of 20", purpose="totp", context=user_id)


def test_whatever_is_sealed_anywhere_is_found() -> None:
    """Every purpose that the source seals for is that of a place that is looked at."""
    source = Path(doorward.__file__).parent
    files = set(source.rglob("*.py")) - {source / "core" / "resealing.py"}
    purposes = {purpose for path in files for purpose in purposes_in(ast.parse(path.read_text(encoding="utf-8")))}
    assert purposes == {place.purpose for place in sealed_places(standard())}
    assert purposes >= {"outbox", "totp", "token-key"}


def purposes_in(module: ast.Module) -> list[str]:
    """What `….seal(…)` is called for; sealing.seal itself, in `Call.seal`, hands on what it was given."""
    calls = [
        node for node in ast.walk(module) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "seal"
    ]
    given = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "purpose"]
    assert len(given) == len(calls)
    return [value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)]


def test_a_key_whose_name_begins_as_another_ones_is_not_counted_with_it() -> None:
    first, end = sealing.between("k")
    assert first < "1.k.abc" < end
    assert not first < "1.k1.abc" < end
    assert not first < "1.k-.abc" < end
    assert sealing.key_id_of("1.k1.abc") == "k1"
    assert [sealing.key_id_of(text) for text in ("", "1.", "2.k.abc", "$argon2id$v=19", "1.k")] == [""] * 5
    assert TokenKey in {place.record for place in sealed_places(standard())}
