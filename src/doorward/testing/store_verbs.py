"""What the seven verbs of every store must do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

from doorward.core.ports import Store, Stores
from doorward.core.records import Authenticator, EmailAddress, OutboxMessage, Plus, User
from doorward.testing.store_player import NOON, StorePlayer, address, authenticator, message, raises

UNSTORABLE = ("NUL \0", "lone surrogate \ud800")


class VerbLaws(StorePlayer):
    """Values, comparisons, pages, unique values, and what no row can hold."""

    def test_what_is_added_is_found_as_it_was(self, stores: Stores) -> None:
        full = authenticator("a1", handle="h", data="é漢🔑" * 500, failures=3, guard=2**40, last_used_at=NOON)

        async def story(store: Store) -> None:
            assert await store.add(full, authenticator("a2"))
            assert await store.get(Authenticator, id="a1") == full
            assert await store.get(Authenticator, id="a2") == authenticator("a2")
            assert await store.get(Authenticator, id="a3") is None

        self.play(stores, story)

    def test_a_time_comes_back_in_utc_with_its_microseconds(self, stores: Stores) -> None:
        abroad = NOON.astimezone(timezone(timedelta(hours=9)))
        whole = NOON.replace(microsecond=0)

        async def story(store: Store) -> None:
            await store.add(message(1, due_at=abroad, expires_at=whole))
            found = await store.get(OutboxMessage, due_at=abroad)
            assert found is not None
            assert (found.due_at, found.expires_at) == (NOON, whole)
            assert found.due_at.utcoffset() == timedelta(0)

        self.play(stores, story)

    def test_times_compare_as_times(self, stores: Stores) -> None:
        tick = timedelta(microseconds=1)
        times = [NOON.replace(microsecond=0), NOON - tick, NOON, NOON + tick, NOON + timedelta(days=300)]

        async def story(store: Store) -> None:
            await store.add(*(message(n, due_at=due) for n, due in enumerate(times)))
            assert await store.count(OutboxMessage, due_at__lt=NOON) == 2
            assert await store.count(OutboxMessage, due_at__gt=NOON) == 2
            found = await store.find(OutboxMessage, order="due_at")
            assert [row.due_at for row in found] == times

        self.play(stores, story)

    def test_a_taken_unique_value_is_refused_and_nothing_is_written(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            assert await store.add(authenticator("a1", handle="h"))
            assert not await store.add(authenticator("a1"))
            assert not await store.add(authenticator("a2"), authenticator("a3", handle="h"), authenticator("a4"))
            assert not await store.add(authenticator("a5"), authenticator("a5"))
            assert await store.count(Authenticator) == 1

        self.play(stores, story)

    def test_a_refused_add_leaves_the_transaction_usable(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1", handle="h"))
            async with store.transaction():
                assert await store.add(authenticator("a2"))
                assert not await store.add(authenticator("a3"), authenticator("a4", handle="h"))
                assert await store.add(authenticator("a5"))
            assert [row.id for row in await store.find(Authenticator)] == ["a1", "a2", "a5"]

        self.play(stores, story)

    def test_null_is_unique_to_nobody(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            assert await store.add(address("e1"), address("e2"))
            assert await store.count(EmailAddress, verified_key=None) == 2

        self.play(stores, story)

    def test_none_in_a_where_is_null(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1"), authenticator("a2", disabled_at=NOON))
            assert [row.id for row in await store.find(Authenticator, disabled_at=None)] == ["a1"]
            assert await store.count(Authenticator, disabled_at__lt=NOON + timedelta(days=1)) == 1
            assert await store.change(Authenticator, {"disabled_at": None}, disabled_at=NOON) == 1
            assert await store.change(Authenticator, {"id": "a2"}, disabled_at=None) == 1
            assert await store.get(Authenticator, disabled_at=None, user_id="u1") == authenticator("a2")

        self.play(stores, story)

    def test_comparisons(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(
                *(authenticator(f"a{n}", failures=n, kind="totp" if n % 2 else "password") for n in range(6))
            )

            async def ids(**where: Any) -> str:
                return "".join(row.id[1:] for row in await store.find(Authenticator, **where))

            assert await ids(failures__lt=2) == "01"
            assert await ids(failures__gt=3) == "45"
            assert await ids(failures__gt=0, failures__lt=3) == "12"
            assert await ids(failures__in=[1, 4, 9]) == "14"
            assert await ids(failures__in=[]) == ""
            assert await ids(kind="totp", failures__in=(1, 2, 3)) == "13"
            assert await ids(failures=2, kind="totp") == ""
            assert await ids() == "012345"

        self.play(stores, story)

    def test_what_does_not_exist_can_not_be_asked_for(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            with raises(TypeError):
                await store.get(Authenticator, colour="red")
            with raises(TypeError):
                await store.find(Authenticator, failures__ne=1)
            with raises(TypeError):
                await store.find(Authenticator, order="disabled_at")  # NULL has no place in an order

        self.play(stores, story)

    def test_pages_meet_without_gap_or_overlap_though_times_are_equal(self, stores: Stores) -> None:
        rows = [message(n, due_at=NOON + timedelta(seconds=n // 4)) for n in range(14)]

        async def paged(store: Store, order: str) -> list[str]:
            seen: list[OutboxMessage] = []
            while page := await store.find(OutboxMessage, order=order, limit=3, after=seen[-1] if seen else None):
                assert len(page) <= 3
                seen += page
            return [row.id for row in seen]

        async def story(store: Store) -> None:
            await store.add(*reversed(rows))
            ids = [row.id for row in rows]
            assert await paged(store, "due_at") == ids
            assert await paged(store, "-due_at") == ids[::-1]
            assert await paged(store, "") == ids
            assert [r.id for r in await store.find(OutboxMessage, after=rows[1], kind="mail", limit=1)] == ["m02"]

        self.play(stores, story)

    def test_change_counts_what_it_changed(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1"), authenticator("a2"), authenticator("a3", user_id="u2"))
            assert await store.change(Authenticator, {"user_id": "u1"}, name="phone", guard=7) == 2
            assert await store.change(Authenticator, {"user_id": "nobody"}, name="x") == 0
            assert await store.count(Authenticator, name="phone", guard=7) == 2
            assert await store.get(Authenticator, id="a3") == authenticator("a3", user_id="u2")

        self.play(stores, story)

    def test_plus_adds_to_what_is_there(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1", failures=4))
            assert await store.change(Authenticator, {"id": "a1"}, failures=Plus(2), guard=9) == 1
            assert await store.change(Authenticator, {"id": "a1"}, failures=Plus(-1)) == 1
            assert await store.get(Authenticator, id="a1") == authenticator("a1", failures=5, guard=9)

        self.play(stores, story)

    def test_a_change_to_a_taken_value_changes_nothing(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(address("e1", verified_key="k"), address("e2"))
            assert await store.change(EmailAddress, {"id": "e2"}, verified_key="k") == 0
            async with store.transaction():
                assert await store.change(EmailAddress, {"id": "e2"}, verified_key="k", is_primary=True) == 0
                assert await store.change(EmailAddress, {"id": "e2"}, canonical="still usable") == 1
                assert await store.change(EmailAddress, {"id": "e1"}, verified_key="k") == 1  # its own
            assert await store.get(EmailAddress, id="e2") == address("e2", canonical="still usable")

        self.play(stores, story)

    def test_take_returns_one_row_and_it_is_gone(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1"), authenticator("a2"), authenticator("a3"))
            assert await store.take(Authenticator, id="a1", kind="password") is None
            assert await store.take(Authenticator, id="a1", kind="totp") == authenticator("a1")
            assert await store.take(Authenticator, id="a1") is None
            assert await store.take(Authenticator, kind="totp") is not None
            assert await store.count(Authenticator) == 1

        self.play(stores, story)

    def test_remove_counts_and_may_be_limited(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(*map(message, range(7)))
            assert await store.remove(OutboxMessage, id="m00") == 1
            assert await store.remove(OutboxMessage, limit=4, due_at=NOON) == 4
            assert await store.remove(OutboxMessage, limit=4) == 2
            assert await store.remove(OutboxMessage) == 0

        self.play(stores, story)

    def test_a_user_is_found_without_regard_to_case(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            given = User(id="u1", email="Ann@Example.com", username="Ann", name="Ann", password="h", created_at=NOON)
            made = await store.add_user(given)
            assert made is not None
            assert made.email == "Ann@Example.com"
            assert await store.get(User, id=made.id) == made
            assert await store.get(User, email="aNN@eXAMPLE.COM") == made
            assert await store.find(User, email__in=["ann@example.com", "ben@example.com"]) == [made]
            assert await store.change(User, {"id": made.id}, active=False) == 1
            assert await store.get(User, email="ann@example.com", active=True) is None

        self.play(stores, story)

    def test_what_the_user_table_can_not_keep_whole_is_said(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            assert store.overlong(name="é" * 20, email="ann@example.com", username="ann") == {}
            found = store.overlong(name="é" * 5000, username="ann")
            assert found.keys() <= {"name"}  # a table without the column keeps none of it, and is not too short
            assert all(0 < most < 5000 for most in found.values())

        self.play(stores, story)

    def test_an_erased_user_is_nobody(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            given = User(id="u1", email="ann@example.com", username="ann", name="Ann", password="h", created_at=NOON)
            ann = await store.add_user(given)
            ben = await store.add_user(replace(given, id="u2", email="ben@example.com", username="ben"))
            assert ann is not None
            assert ben is not None
            assert await store.erase_user(ann.id)
            left = await store.get(User, id=ann.id)
            assert left is None or not (left.active or left.name or "ann" in f"{left.email} {left.username}")
            assert await store.get(User, email="ann@example.com") is None
            assert await store.get(User, id=ben.id) == ben
            assert not await store.erase_user("nobody")

        self.play(stores, story)

    def test_what_no_row_can_hold_is_refused_on_write_and_not_found_on_read(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1"))
            for text in UNSTORABLE:
                with raises(ValueError):
                    await store.add(authenticator("a2", name=text))
                with raises(ValueError):
                    await store.change(Authenticator, {"id": "a1"}, name=text)
                assert await store.get(Authenticator, handle=text) is None
                assert await store.take(Authenticator, handle=text) is None
                assert await store.find(Authenticator, id__in=[text, "a1"]) == [authenticator("a1")]
                assert await store.change(Authenticator, {"handle": text}, name="x") == 0
                assert await store.remove(Authenticator, handle=text) == 0
                assert await store.count(Authenticator, handle=text) == 0
            with raises(ValueError):
                await store.add(authenticator("a2", kind="x" * 33))
            with raises(ValueError):
                await store.add(authenticator("a2", guard=2**63))
            assert await store.get(Authenticator, guard=2**70) is None
            assert await store.find(Authenticator) == [authenticator("a1")]

        self.play(stores, story)

    def test_values_of_another_type_are_mistakes(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("5"))
            for where in ({"id": 5}, {"failures": "0"}, {"failures": False}, {"created_at": NOON.replace(tzinfo=None)}):
                with raises(TypeError):
                    await store.get(Authenticator, **where)
            with raises(ValueError):
                await store.add(authenticator("6", user_id=None))

        self.play(stores, story)
