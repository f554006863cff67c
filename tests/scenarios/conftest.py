"""Every scenario on every host, over SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from doorward.stores.migrations import migrate
from doorward.stores.revision import TABLE
from tests.scenarios.hosts import HOSTS, InProcessHost


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "options(**given): more arguments for the host's Auth")


STORES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with our tables, to be copied: migrating takes longer than many a scenario."""
    path = tmp_path_factory.mktemp("scenarios") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(fresh_postgres: Callable[[], str]) -> str:
    """The URL of one database with our tables, to be emptied: making and dropping one takes longer still."""
    url = fresh_postgres()
    migrate(url)
    return url


@pytest.fixture(params=STORES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with our tables and nothing in them."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "scenario.db")
        return f"sqlite:///{tmp_path}/scenario.db"
    url: str = request.getfixturevalue("migrated_postgres")
    _empty(url)
    return url


def _empty(url: str) -> None:
    """Take out all rows of ours, and the tables that a host has put beside them."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        names = {name for (name,) in rows} - {TABLE}
        ours = [name for name in names if name.startswith("doorward_")]
        theirs = names.difference(ours)
        connection.execute(sql.SQL("TRUNCATE {}").format(_listed(ours)))
        if theirs:
            connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(_listed(theirs)))


def _listed(names: Any) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in sorted(names))


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest, database: str) -> Iterator[InProcessHost]:
    """A host with everything switched on. `@pytest.mark.options(…)` gives its `Auth` more."""
    marker = request.node.get_closest_marker("options")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    started = HOSTS[request.param](database, **options)
    yield started
    started.close()
