"""A store is opened by its URL; what can't work says so at once, with the cure."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorward import stores as package
from doorward.core.finish import finish
from doorward.core.ports import Stores, Unavailable
from doorward.core.records import OutboxMessage
from doorward.core.refusals import Misconfigured
from doorward.stores import open_store
from tests.stores.records import RECORDS


async def count(stores: Stores) -> int:
    async with stores.unit("sync") as store:
        return await store.count(OutboxMessage)


@pytest.mark.parametrize("url", ["memory:", "sqlite://", "sqlite:///:memory:"])
def test_memory_needs_nothing(url: str) -> None:
    assert finish(count(open_store(url, records=RECORDS))) == 0


def test_a_new_sqlite_database_gets_its_tables_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    assert finish(count(open_store(url, records=RECORDS))) == 0
    with sqlite3.connect(tmp_path / "new.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert finish(count(open_store(url, records=RECORDS))) == 0


def test_a_database_of_the_host_gets_our_tables_beside_its_own(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO users VALUES (7)")
    assert finish(count(open_store(f"sqlite:///{tmp_path}/app.db", records=RECORDS))) == 0
    with sqlite3.connect(tmp_path / "app.db") as connection:
        assert connection.execute("SELECT id FROM users").fetchall() == [(7,)]


def test_forty_who_open_a_new_database_at_once_make_it_once(tmp_path: Path) -> None:
    start = threading.Barrier(40)

    def opened(_: int) -> int:
        start.wait(timeout=30)
        return finish(count(open_store(f"sqlite:///{tmp_path}/new.db", records=RECORDS)))

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(opened, range(40))) == [0] * 40


def test_an_older_database_names_the_command_and_a_newer_one_is_shared(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    open_store(url, records=RECORDS).close()
    for version, message in (("0000", "doorward migrate"), ("9999", "")):
        with sqlite3.connect(tmp_path / "app.db") as connection:
            connection.execute("UPDATE doorward_version SET version_num = ?", (version,))
        if message:
            with pytest.raises(Misconfigured, match=r"store\.E1.*doorward migrate"):
                open_store(url, records=RECORDS)
        else:
            assert finish(count(open_store(url, records=RECORDS))) == 0


def test_an_empty_postgres_names_the_command(postgres_url: str) -> None:
    with pytest.raises(Misconfigured, match=r"store\.E1.*doorward migrate"):
        open_store(postgres_url, records=RECORDS)


def test_a_server_that_is_away_is_no_reason_not_to_start() -> None:
    stores = open_store("postgresql://u:hidden@127.0.0.1:1/db", records=RECORDS, patience=0.3)
    with pytest.raises(Unavailable) as raised:
        finish(count(stores))
    assert "hidden" not in str(raised.value)
    stores.close()


@pytest.mark.parametrize("name", ["no/such/folder/app.db", "text.txt", "."])
def test_a_file_that_can_not_be_a_database_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.txt").write_text("no database, but long enough to be looked at\n" * 100)
    with pytest.raises(Misconfigured, match=r"store\.E3"):
        open_store(f"sqlite:///{tmp_path}/{name}", records=RECORDS)


@pytest.mark.parametrize(
    "url", ["", "app.db", "mysql://u:hidden@h/db", "sqlite://host/x", "sqlite:///x.db?mode=ro", "sqlite:", "postgresql"]
)
def test_another_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"store\.E4") as raised:
        open_store(url, records=RECORDS)
    assert "hidden" not in str(raised.value)


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(package.DATABASES, "postgresql", ("doorward.stores.absent", "postgres"))
    with pytest.raises(Misconfigured, match=r"store\.E2.*pip install 'doorward\[postgres\]'"):
        open_store("postgresql://host/db", records=RECORDS)


def test_an_option_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"store\.E4.*speed"):
        open_store(f"sqlite:///{tmp_path}/x.db", records=RECORDS, speed=11)
    with pytest.raises(Misconfigured, match=r"store\.E4.*synchronous"):
        open_store(f"sqlite:///{tmp_path}/x.db", records=RECORDS, synchronous="OFF")
