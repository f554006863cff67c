"""What is sealed in the audit log, how long it is kept, and what is left of it after an erasure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from doorward.core import erasure, events
from doorward.core.call import Call
from doorward.core.resealing import in_use, reseal
from doorward.delivery.upkeep import Upkeep
from doorward.features import (
    account,
    audit,
)
from doorward.features.audit import AuditEntry, AuditKey
from doorward.primitives import sealing
from doorward.primitives.keyring import Keyring
from doorward.server import people
from doorward.testing.doubles import House
from tests.features.auditing import BEN, all_of, rows, seen, user_of
from tests.features.people import refused, signed_in, signed_up


def test_after_the_erasure_the_rows_stay_and_lead_to_nobody(house: House) -> None:
    """Not even with SECRET, and not with what everything in the database says."""
    ann, ben = signed_up(house), signed_up(house, BEN)
    user = user_of(house)
    house.run(people.grant_role, BEN, "admin")
    (kept,) = rows(house, AuditKey, user_id=user.id)
    before = rows(house, subject=kept.subject)
    house.run(erasure.erase, user.id)
    after = rows(house, subject=kept.subject)
    assert [row for row in after if row.event != "account_erased"] == before
    assert [row.event for row in after].count("account_erased") == 1
    assert rows(house, AuditKey, user_id=user.id) == []
    assert rows(house, AuditKey, subject=kept.subject) == []
    for row in after:
        assert user.id not in str(row)
        for ring in (house.doorward.world.keyring, *_others(house)):
            assert sealing.unseal(ring, row.details, purpose="audit", context=row.id) is None
    mine = [one for one in all_of(house) if one.subject == kept.subject]
    assert len(mine) == len(after)
    assert {(one.user_id, str(one.details)) for one in mine} == {("", "{}")}
    assert [one for one in ben.do(audit.list_entries).items if user.id in str(one)] == []
    refused("not_signed_in", ann.do, audit.list_entries)


def _others(house: House) -> list[Keyring]:
    """All keys that are still to be had."""

    async def story(call: Call) -> list[Keyring]:
        return [ring for key in await call.store.find(AuditKey) if (ring := audit._ring(call, key)) is not None]

    found: list[Keyring] = house.run(story)
    return found


def test_an_event_about_who_was_just_erased_makes_no_key(house: House) -> None:
    signed_up(house)
    user = user_of(house)
    house.run(erasure.erase, user.id)
    house.run(lambda call: call.emit(events.SignInFailed(at=call.now, user_id=user.id, method="password")))
    assert rows(house, AuditKey) == []
    (last,) = [row for row in rows(house) if row.event == "sign_in_failed"]
    assert last.subject
    assert all_of(house)[0].user_id == ""


def test_the_end_of_the_grace_destroys_the_key_too(house: House) -> None:
    ann = signed_up(house)
    ann.do(account.close)
    house.clock.forward(days=15)
    subject = rows(house, AuditKey)[0].subject
    assert house.run(erasure.erase_due) == 1
    assert {row.event for row in rows(house, subject=subject)} >= {"account_closing", "account_erased", "signed_up"}
    assert rows(house, AuditKey) == []


def test_who_comes_back_is_somebody_else(house: House) -> None:
    signed_up(house)
    old = rows(house, AuditKey)[0].subject
    house.run(erasure.erase, user_of(house).id)
    ann = signed_up(house)
    assert rows(house, AuditKey)[0].subject != old
    assert sorted(seen(ann)) == ["signed_in", "signed_up"]


def test_details_open_in_their_own_row_only(house: House) -> None:
    """Who writes to the database moves no details from one entry, or trail, to another."""
    ann, ben = signed_up(house), signed_up(house, BEN)
    keys = {row.user_id: row for row in rows(house, AuditKey)}
    one, other = keys[user_of(house).id], keys[user_of(house, BEN).id]
    first, second = rows(house, subject=one.subject)[:2]

    async def swap(call: Call) -> None:
        await call.store.change(AuditEntry, {"id": first.id}, details=second.details)
        await call.store.change(AuditEntry, {"id": rows_of_ben[0].id}, details=first.details)

    rows_of_ben = rows(house, subject=other.subject)
    house.run(swap)
    assert [entry.details for entry in ann.do(audit.list_entries).items if entry.id == first.id] == [{}]
    assert [entry.details for entry in ben.do(audit.list_entries).items if entry.id == rows_of_ben[0].id] == [{}]

    async def steal(call: Call) -> None:
        await call.store.remove(AuditKey, user_id=other.user_id)
        await call.store.change(AuditKey, {"user_id": one.user_id}, subject=other.subject)

    house.run(steal)
    assert {str(entry.details) for entry in ann.do(audit.list_entries).items} == {"{}"}


def test_entries_go_after_four_hundred_days_and_not_before(open_house: Callable[..., House]) -> None:
    house = open_house()
    signed_up(house)
    refused("wrong_credentials", signed_in, house.browser(), "nobody@example.com")
    assert {row.expires_at - row.created_at for row in rows(house)} == {timedelta(days=400)}

    def swept() -> None:
        sweeps = [sweep for sweep in house.doorward.sweeps if sweep.record is AuditEntry]
        Upkeep(house.stores, {}, sweeps, house.clock).sweep()

    house.clock.forward(days=399)
    swept()
    assert rows(house) != []
    house.clock.forward(days=2)
    swept()
    assert rows(house) == []


def test_the_policy_says_how_long_entries_are_kept(open_house: Callable[..., House]) -> None:
    house = open_house(policy={"audit_life": 86_400})
    signed_up(house)
    assert {row.expires_at - row.created_at for row in rows(house)} == {timedelta(days=1)}


def test_all_of_it_opens_after_a_change_of_secret(house: House) -> None:
    signed_up(house)
    refused("wrong_credentials", signed_in, house.browser(), "nobody@example.com")
    world, old = house.doorward.world, house.doorward.world.keyring
    before = [(one.id, one.details) for one in all_of(house)]
    new = ("new", b"another secret of thirty-two bytes or more")
    both = Keyring([new, *((id, old._masters[id]) for id in old.ids)])

    def with_ring(ring: Keyring, story: Callable[[Call], Any]) -> Any:
        object.__setattr__(world, "keyring", ring)
        try:
            return house.run(story)
        finally:
            object.__setattr__(world, "keyring", old)

    with_ring(both, reseal)
    opened = with_ring(Keyring([new]), lambda call: audit.trail(call, None, limit=1000))
    assert [(one.id, one.details) for one in opened] == before
    assert all(one.details for one in opened)
    used = with_ring(both, lambda call: in_use(call.store, world.features.values(), ["new"]))
    assert used.by_others == 0


def test_a_secret_that_is_replaced_closes_what_was_and_nothing_that_comes(house: House) -> None:
    signed_up(house)
    user = user_of(house)
    object.__setattr__(house.doorward.world, "keyring", Keyring([("other", b"x" * 40)]))
    before = all_of(house, user)
    assert {str(one.details) for one in before} == {"{}"}
    house.clock.forward(seconds=1)
    assert signed_in(house.browser()).identity is not None
    entries = all_of(house, user)
    assert entries[1:] == before
    assert entries[0].details["ip"] == "192.0.2.7"
