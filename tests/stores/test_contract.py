"""Every store of ours keeps the whole contract, in each of its colours."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from doorward.core.ports import Colour, Stores
from doorward.stores import migrations, open_store
from doorward.testing.store_contract import StoreContract
from tests.stores.records import RECORDS


class TestMemory(StoreContract):
    @pytest.fixture
    def stores(self) -> Stores:
        return open_store("memory:", records=RECORDS)


class TestMemoryOnAnEventLoop(TestMemory):
    colour: Colour = "async"


class TestSqliteFile(StoreContract):
    @pytest.fixture
    def stores(self, tmp_path: Path) -> Iterator[Stores]:
        stores = open_store(f"sqlite:///{tmp_path}/doorward.db", records=RECORDS)
        yield stores
        stores.close()


class TestSqliteMemory(StoreContract):
    @pytest.fixture
    def stores(self) -> Iterator[Stores]:
        stores = open_store("sqlite://", records=RECORDS)
        yield stores
        stores.close()


@pytest.fixture(scope="module")
def migrated_postgres(fresh_postgres: Callable[[], str]) -> str:
    url = fresh_postgres()
    migrations.migrate(url)
    return url


class TestPostgres(StoreContract):
    @pytest.fixture
    def stores(self, migrated_postgres: str) -> Iterator[Stores]:
        with psycopg.connect(migrated_postgres, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {', '.join(kind.table for kind in RECORDS)}".encode())
        stores = open_store(migrated_postgres, records=RECORDS, patience=30.0)  # forty rivals on a busy machine
        yield stores
        stores.close()


class TestPostgresOnAnEventLoop(TestPostgres):
    colour: Colour = "async"
