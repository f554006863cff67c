"""What is sealed by an older key of SECRET is sealed again by the newest, so that the older one may go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from doorward.core.call import Call
from doorward.core.feature import Feature, Sealed
from doorward.core.ports import Store
from doorward.core.records import OutboxMessage, Record, key_of
from doorward.primitives import sealing

PAGE = 200

Tick = Callable[[int], None]  # told of rows that are done


@dataclass(slots=True)
class Resealed:
    """What a run has done: values sealed again, by the id of the key before; those that no key of SECRET opens, by
    theirs; and how many somebody else wrote meanwhile."""

    values: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    overtaken: int = 0


class InUse(NamedTuple):
    """How many values are sealed by each key of SECRET, and by keys that it lacks."""

    by: Mapping[str, int]
    by_others: int


def sealed_places(features: Iterable[Feature]) -> tuple[Sealed, ...]:
    """Where sealed text stands: in the outbox, and where the features say."""
    outbox = Sealed(OutboxMessage, "body", purpose="outbox", context="id")
    return (outbox, *(place for feature in features for place in feature.sealed))


async def reseal(call: Call, tick: Tick = lambda _: None) -> Resealed:
    """Seal all of it again. Safe beside a server that knows the newest key, and to be stopped and run again: each value
    is replaced in one statement, and only while it is what was opened."""
    done = Resealed()
    for place in sealed_places(call.world.features.values()):
        last = None
        while rows := await call.store.find(place.record, limit=PAGE, after=last, **_where(place)):
            for row in rows:
                await _reseal(call, place, row, done)
            tick(len(rows))
            last = rows[-1]
    return done


async def _reseal(call: Call, place: Sealed, row: Record, done: Resealed) -> None:
    old, context = getattr(row, place.column), getattr(row, place.context)
    id = sealing.key_id_of(old)
    if not id or not sealing.needs_reseal(call.keyring, old):
        return
    plain = sealing.unseal(call.keyring, old, purpose=place.purpose, context=context)
    if plain is None:
        done.lost[id] += 1
        return
    key = key_of(place.record)
    seen = {key: getattr(row, key), place.column: old}
    new: dict[str, Any] = {place.column: call.seal(plain, purpose=place.purpose, context=context)}
    if await call.store.change(place.record, seen, **new) == 1:
        done.values[id] += 1
    else:
        done.overtaken += 1


async def rows_to_look_at(call: Call) -> int:
    """How many rows `reseal` reads."""
    places = sealed_places(call.world.features.values())
    return sum([await call.store.count(place.record, **_where(place)) for place in places])


async def in_use(store: Store, features: Iterable[Feature], ids: Iterable[str]) -> InUse:
    """Counted by the database itself: sealed text begins with the id of its key."""
    places = sealed_places(features)
    by = {id: sum([await _count(store, place, id) for place in places]) for id in ids}
    return InUse(by, sum([await _count(store, place) for place in places]) - sum(by.values()))


async def _count(store: Store, place: Sealed, id: str = "") -> int:
    first, end = sealing.between(id)
    return await store.count(
        place.record, **{f"{place.column}__gt": first, f"{place.column}__lt": end, **_where(place)}
    )


def _where(place: Sealed) -> dict[str, Any]:
    return {"kind": place.kind} if place.kind else {}
