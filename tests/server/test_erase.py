"""`doorward user erase`: for good, and so it asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.server.config import new_secret
from tests.server.conftest import Done

Command = Callable[..., Done]
PASSWORD = "a long sentence of nobody else's"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """An installation on SQLite."""
    return {
        "SECRET": new_secret(),
        "ORIGIN": "https://auth.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path}/doorward.db",
    }


def test_who_is_erased_is_gone_once_it_is_said_twice(doorward: Command, settings: dict[str, str]) -> None:
    for name in ("ann", "ben"):
        assert doorward("user", "add", f"{name}@example.com", stdin=PASSWORD, **settings).code == 0
    asked = doorward("user", "erase", "ann@example.com", stdin="n\n", **settings)
    assert (asked.code, "for good" in asked.err) == (1, True)
    assert len(doorward("user", "list", "--json", **settings).json["items"]) == 2
    erased = doorward("user", "erase", "ann@example.com", "--yes", "--json", **settings)
    assert (erased.code, erased.json["erased"]) == (0, True)
    assert [u["email"] for u in doorward("user", "list", "--json", **settings).json["items"]] == ["ben@example.com"]
    assert doorward("user", "erase", "ann@example.com", "--yes", **settings).code == 1
