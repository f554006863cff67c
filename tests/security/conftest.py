"""A house to break into, over a real SQLite file and over real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorward.core.records import Record
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.stores import migrations, open_store
from doorward.testing.doubles import House


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/house.db"
    postgres: str = request.getfixturevalue("postgres_url")
    migrations.migrate(postgres)
    return postgres


@pytest.fixture
def open_house(url: str) -> Iterator[Callable[..., House]]:
    """Makes houses over one database, as several nodes or a restart would be: `open_house(secret="…")`."""
    opened: list[House] = []

    def make(**settings: Any) -> House:
        limits = MemoryLimits(lambda: house.clock())
        house = House(standard(), lambda ward: open_store(url, records=ward.records), limits, os.urandom, **settings)
        opened.append(house)
        return house

    yield make
    for house in opened:
        house.stores.close()


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    return open_house()


def dump_of(house: House) -> dict[type[Record], list[Any]]:
    """Every row of every table, as somebody has it who stole a backup."""

    async def read(call: Any) -> dict[type[Record], list[Any]]:
        return {kind: await call.store.find(kind, limit=10_000) for kind in house.doorward.records}

    rows: dict[type[Record], list[Any]] = house.run(read)
    return rows
