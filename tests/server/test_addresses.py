"""What operators do with the addresses and numbers people sign in by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.server.config import new_secret
from tests.server.conftest import Done

Command = Callable[..., Done]
PASSWORD = "a long sentence of nobody else's"


@pytest.fixture
def settings(doorward: Command, tmp_path: Path) -> dict[str, str]:
    """An installation where Ann has an account."""
    given = {
        "SECRET": new_secret(),
        "ORIGIN": "https://auth.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path}/doorward.db",
        "PHONE_REGION": "DE",
    }
    assert doorward("user", "add", "ann@example.com", stdin=PASSWORD, **given).code == 0
    return given


def test_another_address_and_a_number(doorward: Command, settings: dict[str, str]) -> None:
    added = doorward("user", "add-address", "ann@example.com", "Ann@work.example", "--json", **settings)
    assert [(one["email"], one["primary"], one["verified"]) for one in added.json["items"]] == [
        ("ann@example.com", True, True),
        ("Ann@work.example", False, True),
    ]
    given = doorward("user", "phone", "ann@work.example", "0171 1234567", "--json", **settings)
    assert given.json["phone"] == "+491711234567"
    shown = doorward("user", "addresses", "+49 171 1234567", **settings).out
    assert [word in shown for word in ("ann@example.com", "Ann@work.example", "main", "+491711234567")] == [True] * 4
    assert doorward("user", "phone", "ann@example.com", "--remove", "--json", **settings).json["phone"] is None
    assert doorward("user", "addresses", "+49 171 1234567", **settings).code == 1


def test_what_is_refused_is_said(doorward: Command, settings: dict[str, str]) -> None:
    for arguments, said in (
        (("add-address", "ann@example.com", "ann@example.com"), "already"),
        (("add-address", "ann@example.com", "nonsense"), "not an e-mail address"),
        (("add-address", "nobody@example.com", "b@example.com"), "Nobody has this"),
        (("phone", "ann@example.com", "112"), "no number of a person"),
        (("phone", "ann@example.com"), "give the number"),
    ):
        done = doorward("user", *arguments, **settings)
        assert (done.code, said in done.err) == (1, True), done.err
