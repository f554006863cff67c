"""The audit log by the command line: of one account, of all, and what is left of one that is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.server.conftest import Done
from tests.shape.tree import ROOT

Command = Callable[..., Done]


def test_an_operator_reads_what_happened(doorward: Command, tmp_path: Path) -> None:
    here = {
        "SECRET": "4YvXq2oM9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_",
        "ORIGIN": "https://auth.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path}/doorward.db",
    }
    for name in ("ann", "bob"):
        added = doorward("user", "add", f"{name}@example.com", stdin="a long sentence of nobody else's\n", **here)
        assert added.code == 0, added.err
    assert doorward("user", "grant", "ann@example.com", "admin", **here).code == 0
    assert doorward("user", "grant", "bob@example.com", "admin", **here).code == 0
    anns = doorward("audit", "ann@example.com", "--json", **here).json["items"]
    assert [one["event"] for one in anns] == ["role_granted", "signed_up"]
    assert anns[0]["details"] == {"role": "admin"}
    everybody = doorward("audit", "--all", "--json", **here).json["items"]
    assert len(everybody) == 4
    assert {one["user_id"] for one in everybody} >= {anns[0]["user_id"]}
    assert len(doorward("audit", "--all", "--limit", "1", "--json", **here).json["items"]) == 1
    table = doorward("audit", "ann@example.com", **here).out
    assert "role_granted" in table
    assert '"admin"' in table

    assert doorward("user", "erase", "ann@example.com", "--yes", **here).code == 0
    gone = [one for one in doorward("audit", "--all", "--json", **here).json["items"] if not one["user_id"]]
    assert {one["event"] for one in gone} == {"account_erased", "role_granted", "signed_up"}
    assert {(one["subject"], str(one["details"])) for one in gone} == {(anns[0]["subject"], "{}")}
    assert doorward("audit", "ann@example.com", "--json", **here).json["error"]["reason"] == "not_found"


def test_it_is_one_account_or_all(doorward: Command) -> None:
    assert doorward("audit").code == 2
    assert doorward("audit", "ann@example.com", "--all").code == 2
    assert doorward("audit", "--all", "--limit", "0").code == 2


def test_it_is_on_the_page_of_commands() -> None:
    assert "`doorward audit WHO`" in (ROOT / "docs" / "features" / "cli.md").read_text(encoding="utf-8")
