"""What operators do about keys of SECRET: see which are needed, and seal again what an older one sealed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.limits import MemoryLimits
from doorward.presets import standard
from doorward.stores import open_store
from doorward.testing.doubles import ORIGIN, House
from tests.features.people import signed_up, with_totp
from tests.server.conftest import Done

Command = Callable[..., Done]
OLD = "old:4YvXq2oM9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_"
NEW = "new:mZ7tLrYc4HdWfPsJ0uNa8eGiOxT5ZyRwKl3M9kQz2-Vb"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Of a database with one authenticator app and some letters, all sealed by `old`."""
    url = f"sqlite:///{tmp_path}/d.db"
    house = House(
        standard(), lambda core: open_store(url, records=core.records), MemoryLimits(), os.urandom, secret=OLD
    )
    with_totp(signed_up(house))
    house.stores.close()
    return {"ORIGIN": ORIGIN, "DATABASE_URL": url}


def found_by_doctor(doorward: Command, settings: dict[str, str]) -> list[tuple[str, str]]:
    findings = doorward("doctor", "--json", **settings).json["findings"]
    return [(each["level"], each["found"]) for each in findings if each["check"] == "sealed"]


def items(doorward: Command, settings: dict[str, str]) -> Any:
    found = doorward("secrets", "list", "--json", **settings).json
    return {item["id"]: item["sealed"] for item in found["items"]} | {"": found["sealed_by_others"]}


def test_the_way_from_an_old_secret_to_a_new_one(doorward: Command, settings: dict[str, str]) -> None:
    number = items(doorward, {**settings, "SECRET": OLD})["old"]
    assert number > 1
    assert found_by_doctor(doorward, {**settings, "SECRET": OLD}) == [("ok", "all of it by the key of SECRET")]

    both = {**settings, "SECRET": f"{NEW},{OLD}"}
    assert found_by_doctor(doorward, both) == [("note", f"{number} values are sealed by the older key 'old'")]
    done = doorward("secrets", "reseal", **both)
    assert (done.code, f"{number} values are sealed again by 'new'." in done.out) == (0, True)
    assert "Nothing is sealed by 'old' any more" in done.out
    assert "in 30 days" in done.out
    assert items(doorward, both) == {"new": number, "old": 0, "": 0}
    assert found_by_doctor(doorward, both) == [("note", "nothing is sealed by the older key 'old'")]
    again = doorward("secrets", "reseal", "--json", **both).json
    assert (again["resealed"], again["may_go"], again["lost"]) == ({}, ["old"], {})
    assert found_by_doctor(doorward, {**settings, "SECRET": NEW}) == [("ok", "all of it by the key of SECRET")]


def test_a_key_that_went_too_early_is_named(doorward: Command, settings: dict[str, str]) -> None:
    early = {**settings, "SECRET": NEW}
    number = items(doorward, early)[""]
    assert number > 1
    done = doorward("secrets", "reseal", **early)
    assert (done.code, f"{number} values are sealed by 'old', which SECRET lacks" in done.out) == (1, True)
    assert found_by_doctor(doorward, early) == [
        ("problem", f"{number} values are sealed by keys that SECRET does not have")
    ]
    assert "not in SECRET" in doorward("secrets", "list", **early).out
