"""The store over Django's connection keeps the whole contract, on both databases."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from doorward.core.ports import Store, Stores
from doorward.django.store import DjangoStores
from doorward.testing.store_contract import StoreContract
from tests.django import databases
from tests.stores.records import RECORDS


class DjangoContract(StoreContract):
    def race(self, stores: Stores, story: Callable[[Store, int], Awaitable[Any]]) -> list[Any]:
        async def closing(store: Store, number: int) -> Any:
            try:
                return await story(store, number)
            finally:
                connections.close_all()

        return super().race(stores, closing)


class TestSqlite(DjangoContract):
    @pytest.fixture
    def stores(self) -> Stores:
        databases.empty()
        return DjangoStores(RECORDS)


@pytest.fixture(scope="module")
def postgres(fresh_postgres: Callable[[], str]) -> Iterator[str]:
    databases.add("postgres", fresh_postgres())
    databases.migrate("postgres")
    yield "postgres"
    databases.remove("postgres")


class TestPostgres(DjangoContract):
    @pytest.fixture
    def stores(self, postgres: str) -> Stores:
        databases.empty(postgres)
        return DjangoStores(RECORDS, postgres)
