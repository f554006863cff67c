"""A house to try features in, over memory and over a real SQLite file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.stores import open_store
from doorward.stores.migrations import migrate
from doorward.testing.doubles import House


@pytest.fixture(params=["memory", "sqlite", "remembering"])
def open_house(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., House]:
    """Makes houses: `open_house(policy="strict")`."""

    def opened(**settings: Any) -> House:
        url = "memory:" if request.param != "sqlite" else f"sqlite:///{tmp_path}/house.db"
        house = House(
            standard(),
            lambda doorward: open_store(url, records=doorward.records),
            MemoryLimits(),
            os.urandom,
            remember=request.param == "remembering",
            **settings,
        )
        request.addfinalizer(house.stores.close)
        return house

    return opened


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    return open_house()


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_house(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    """A house whose rows other threads change too."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        migrate(url)
    else:
        url = f"sqlite:///{tmp_path}/house.db"
    house = House(standard(), lambda doorward: open_store(url, records=doorward.records), MemoryLimits(), os.urandom)
    yield house
    house.stores.close()
