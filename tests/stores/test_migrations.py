"""The migrations make exactly the tables that the records ask for, on both databases, and unmake them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa

from doorward.core.ports import Unavailable
from doorward.core.records import Record, column
from doorward.stores import migrations
from doorward.stores.revision import head
from doorward.stores.tables import metadata_for
from tests.stores.records import RECORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge(Record):
    table: ClassVar[str] = "acme_badge"
    uniques: ClassVar[tuple[tuple[str, ...], ...]] = (("office", "number"),)

    id: str = column(key=True)
    office: str = column(index=True)
    number: int = column()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> str:
    return f"sqlite:///{tmp_path}/app.db" if request.param == "sqlite" else fresh_postgres()


def tables(url: str) -> set[str]:
    with migrations.connected(url) as connection:
        return set(sa.inspect(connection).get_table_names())


def test_up_to_date_there_is_no_drift_and_down_again_nothing_is_left(url: str) -> None:
    assert migrations.pending(url)
    migrations.migrate(url)
    assert not migrations.pending(url)
    assert migrations.drift(url, RECORDS) == []
    assert tables(url) == {kind.table for kind in RECORDS} | {"doorward_version"}
    migrations.migrate(url, "base")
    assert tables(url) == {"doorward_version"}
    assert migrations.pending(url)
    migrations.migrate(url)
    assert migrations.drift(url, RECORDS) == []


def test_migrating_twice_is_migrating_once(url: str) -> None:
    migrations.migrate(url)
    migrations.migrate(url)
    assert not migrations.pending(url)


def test_eight_who_migrate_at_once_do_it_once(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(migrations.migrate, [url] * 8))
    assert migrations.drift(url, RECORDS) == []


def test_drift_is_told(url: str) -> None:
    migrations.migrate(url)
    with migrations.connected(url) as connection:
        connection.exec_driver_sql("ALTER TABLE doorward_account DROP COLUMN locale")
        connection.exec_driver_sql("ALTER TABLE doorward_account ADD COLUMN mood INTEGER")
        connection.commit()
    told = migrations.drift(url, [*RECORDS, Badge])
    assert {line for line in told if "doorward_account" in line} == {
        "add column doorward_account locale",
        "remove column doorward_account mood",
    }
    assert "add table acme_badge" in told


def test_a_failed_migration_changes_nothing(url: str) -> None:
    with migrations.connected(url) as connection:
        connection.exec_driver_sql("CREATE TABLE doorward_user (id INTEGER)")  # in the way of the last table
        connection.commit()
    with pytest.raises((sa.exc.OperationalError, sa.exc.ProgrammingError, Unavailable)):
        migrations.migrate(url)
    assert tables(url) == {"doorward_user"}
    assert migrations.pending(url)


def test_the_host_s_own_tables_are_let_alone(url: str) -> None:
    with migrations.connected(url) as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER)")
        connection.commit()
    migrations.migrate(url)
    assert migrations.drift(url, RECORDS) == []
    assert "users" in tables(url)


def test_records_of_the_host_s_features_become_tables(url: str) -> None:
    with migrations.connected(url) as connection:
        metadata_for([Badge]).create_all(connection)
        connection.commit()
    assert migrations.drift(url, [Badge]) == []


def test_a_database_out_of_reach_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        migrations.pending("postgresql://u@127.0.0.1:1/db?connect_timeout=1")


def test_revisions_are_four_digits_in_one_line() -> None:
    names = sorted(path.name for path in (Path(migrations.__file__).parent / "versions").glob("v*.py"))
    assert [name[1:5] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]
    assert head() == names[-1][1:5]
