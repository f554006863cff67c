"""What the transactions of every store must do, alone and against forty rivals."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from doorward.core.ports import Store, Stores
from doorward.core.records import Authenticator, EmailAddress, OutboxMessage, Plus
from doorward.core.refusals import Refused
from doorward.testing.store_player import NOON, RIVALS, StorePlayer, address, authenticator, message, raises


class TransactionLaws(StorePlayer):
    """All or nothing; a refusal commits; what is joined is one."""

    def test_a_transaction_commits(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            assert not store.in_transaction
            async with store.transaction():
                assert store.in_transaction
                await store.add(authenticator("a1"))
                assert await store.count(Authenticator) == 1
            assert not store.in_transaction

        self.play(stores, story)
        assert self.play(stores, lambda store: store.count(Authenticator)) == 1

    def test_an_exception_undoes_everything(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1"), authenticator("a2"))
            with raises(LookupError):
                async with store.transaction():
                    await store.add(authenticator("a3"))
                    await store.change(Authenticator, {"id": "a1"}, failures=Plus(1))
                    await store.take(Authenticator, id="a2")
                    raise LookupError
            assert not store.in_transaction
            assert await store.find(Authenticator) == [authenticator("a1"), authenticator("a2")]

        self.play(stores, story)

    def test_a_refusal_commits_and_then_leaves(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1"))
            with raises(Refused):
                async with store.transaction(), store.transaction():
                    await store.change(Authenticator, {"id": "a1"}, failures=Plus(1))
                    raise Refused("wrong_code")
            assert not store.in_transaction

        self.play(stores, story)
        assert self.play(stores, lambda store: store.get(Authenticator, id="a1")) == authenticator("a1", failures=1)

    def test_a_transaction_inside_another_joins_it(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            with raises(LookupError):
                async with store.transaction():
                    async with store.transaction():
                        await store.add(authenticator("a1"))
                    assert store.in_transaction
                    await store.add(authenticator("a2"))
                    raise LookupError
            assert await store.count(Authenticator) == 0

        self.play(stores, story)

    def test_what_fails_inside_undoes_the_outside_too(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            with contextlib.suppress(Exception):
                async with store.transaction():
                    await store.add(authenticator("a1"))
                    with contextlib.suppress(LookupError):
                        async with store.transaction():
                            raise LookupError
            assert not store.in_transaction
            assert await store.count(Authenticator) == 0
            assert await store.add(authenticator("a2"))

        self.play(stores, story)

    def test_others_see_nothing_before_the_commit(self, stores: Stores) -> None:
        async def story(store: Store) -> None:
            await store.add(authenticator("a1"))
            with raises(LookupError):
                async with store.transaction():
                    await store.remove(Authenticator)
                    await store.add(*map(message, range(3)))
                    raise LookupError

        async def read(store: Store, number: int) -> tuple[int, int]:
            if number == 0:
                await story(store)
            return await store.count(Authenticator), await store.count(OutboxMessage)

        assert {messages for _, messages in self.race(stores, read)} == {0}

    def test_units_of_work_follow_one_another(self, stores: Stores) -> None:
        for number in range(3):
            assert self.play(stores, lambda store, n=number: store.add(message(n)))  # type: ignore[misc]
        assert self.play(stores, lambda store: store.count(OutboxMessage)) == 3


class RaceLaws(StorePlayer):
    """Forty rivals, one winner."""

    def test_one_of_forty_adds_the_unique_value(self, stores: Stores) -> None:
        async def add(store: Store, number: int) -> bool:
            return await store.add(message(number), authenticator(f"a{number}", handle="the only"))

        assert sum(self.race(stores, add)) == 1
        assert self.play(stores, lambda store: store.count(OutboxMessage)) == 1  # all or nothing for the others too

    def test_one_of_forty_takes_the_row(self, stores: Stores) -> None:
        async def take(store: Store, number: int) -> bool:
            return await store.take(Authenticator, id="a1", kind="totp") is not None

        self.play(stores, lambda store: store.add(authenticator("a1")))
        assert sum(self.race(stores, take)) == 1

    def test_one_of_forty_takes_the_row_inside_a_transaction(self, stores: Stores) -> None:
        async def take(store: Store, number: int) -> bool:
            async with store.transaction():
                if await store.take(Authenticator, id="a1") is None:
                    return False
                return await store.add(message(number))

        self.play(stores, lambda store: store.add(authenticator("a1")))
        assert sum(self.race(stores, take)) == 1
        assert self.play(stores, lambda store: store.count(OutboxMessage)) == 1

    def test_forty_rows_for_forty_takers(self, stores: Stores) -> None:
        async def take(store: Store, number: int) -> str:
            while (row := await store.take(OutboxMessage, kind="mail")) is None:
                assert await store.count(OutboxMessage) > 0, "rows are left, though others may hold them"
            return row.id

        self.play(stores, lambda store: store.add(*map(message, range(RIVALS))))
        assert len(set(self.race(stores, take))) == RIVALS

    def test_one_of_forty_moves_the_guard(self, stores: Stores) -> None:
        """Compare-and-set: a TOTP step is accepted once, also in parallel requests."""

        async def accept(store: Store, number: int) -> int:
            return await store.change(Authenticator, {"id": "a1", "guard__lt": 1000}, guard=1000, last_used_at=NOON)

        self.play(stores, lambda store: store.add(authenticator("a1", guard=999)))
        assert sum(self.race(stores, accept)) == 1

    def test_a_version_guards_a_rule_over_several_rows(self, stores: Stores) -> None:
        """At most one of two is removed, whoever comes first (the last way in stays)."""

        async def remove(store: Store, number: int) -> bool:
            async with store.transaction():
                if await store.change(Authenticator, {"id": "a1", "guard": 0}, guard=1) != 1:
                    return False
                return await store.remove(EmailAddress, id=f"e{number % 2}") == 1

        self.play(stores, lambda store: store.add(authenticator("a1"), address("e0"), address("e1")))
        assert sum(self.race(stores, remove)) == 1
        assert self.play(stores, lambda store: store.count(EmailAddress)) == 1

    def test_no_plus_is_lost(self, stores: Stores) -> None:
        async def count(store: Store, number: int) -> int:
            if number % 2:
                return await store.change(Authenticator, {"id": "a1"}, failures=Plus(1))
            async with store.transaction():
                return await store.change(Authenticator, {"id": "a1"}, failures=Plus(1))

        self.play(stores, lambda store: store.add(authenticator("a1")))
        assert sum(self.race(stores, count)) == RIVALS
        assert self.play(stores, lambda store: store.get(Authenticator, id="a1")) == authenticator(
            "a1", failures=RIVALS
        )

    def test_no_more_tries_are_spent_than_there_are(self, stores: Stores) -> None:
        async def spend(store: Store, number: int) -> int:
            return await store.change(Authenticator, {"id": "a1", "failures__lt": 5}, failures=Plus(1))

        self.play(stores, lambda store: store.add(authenticator("a1")))
        assert sum(self.race(stores, spend)) == 5

    def test_one_of_forty_makes_the_address_its_own(self, stores: Stores) -> None:
        async def verify(store: Store, number: int) -> int:
            values = {"verified_key": "ann@example.com", "verified_at": NOON}
            async with store.transaction():
                done = await store.change(EmailAddress, {"id": f"e{number}", "verified_key": None}, **values)
                await store.add(message(number, due_at=NOON + timedelta(seconds=number)))
            return done

        self.play(stores, lambda store: store.add(*(address(f"e{number}") for number in range(RIVALS))))
        assert sum(self.race(stores, verify)) == 1
        assert self.play(stores, lambda store: store.count(OutboxMessage)) == RIVALS
