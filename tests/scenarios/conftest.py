"""Every scenario on every host, over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorward.stores.migrations import migrate
from tests.scenarios.hosts import HOSTS, InProcessHost


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "options(**given): more arguments for the host's Auth")


STORES = ("sqlite", "postgresql")


@pytest.fixture(params=STORES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database with our tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/scenario.db"
    url: str = request.getfixturevalue("postgres_url")
    migrate(url)
    return url


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest, database: str) -> Iterator[InProcessHost]:
    """A host with everything switched on. `@pytest.mark.options(…)` gives its `Auth` more."""
    marker = request.node.get_closest_marker("options")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    started = HOSTS[request.param](database, **options)
    yield started
    started.close()
