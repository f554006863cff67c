"""What operators do with stored hashes: count them, wrap the weak ones, and hear of a pepper that is lost."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.server.config import new_secret
from tests.server.conftest import DOORWARD, Done, environment
from tests.services.processes import wait_until

Command = Callable[..., Done]
PASSWORD = "a long sentence of nobody else's"
OLD = "md5$x7Gq$" + hashlib.md5(b"x7Gq" + PASSWORD.encode()).hexdigest()


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"SECRET": new_secret(), "ORIGIN": "https://auth.example.com", "DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}


def people(doorward: Command, settings: dict[str, str], tmp_path: Path, count: int) -> None:
    """That many imported users."""
    assert doorward("user", "add", "u0@example.com", stdin=PASSWORD, **settings).code == 0
    with sqlite3.connect(tmp_path / "d.db") as db:
        db.execute("UPDATE doorward_user SET password = ?", [OLD])
        names = [row[1] for row in db.execute("PRAGMA table_info(doorward_user)")]
        row = dict(zip(names, db.execute("SELECT * FROM doorward_user").fetchone(), strict=True))
        for number in range(1, count):
            copy = {**row, "id": f"{row['id']}{number}", "email": f"u{number}@example.com"}
            marks = ", ".join("?" * len(names))
            db.execute(f"INSERT INTO doorward_user VALUES ({marks})", [copy[name] for name in names])


def schemes(doorward: Command, settings: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = doorward("hashes", "list", "--json", **settings).json["schemes"]
    return found


def test_weak_hashes_are_counted_and_wrapped(doorward: Command, settings: dict[str, str], tmp_path: Path) -> None:
    people(doorward, settings, tmp_path, 3)
    dry = doorward("hashes", "wrap", "--dry-run", "--json", **settings)
    assert (dry.code, dry.json["wrapped"], schemes(doorward, settings)) == (0, {"salted_md5": 3}, {"salted_md5": 3})
    done = doorward("hashes", "wrap", **settings)
    assert (done.code, "3 of 3 passwords are wrapped." in done.out) == (0, True)
    assert schemes(doorward, settings) == {"wrapped salted_md5": 3}
    assert "wrapped salted_md5" in doorward("hashes", "list", **settings).out
    again = doorward("hashes", "wrap", "--json", **settings).json
    assert again == {"dry_run": False, "users": 3, "wrapped": {}, "overtaken": 0, "left": 0}


def test_a_run_that_is_killed_loses_nothing_and_is_run_again(
    doorward: Command, settings: dict[str, str], tmp_path: Path
) -> None:
    people(doorward, settings, tmp_path, 120)
    command = [*DOORWARD, "hashes", "wrap", "--json"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, **settings), stdout=subprocess.DEVNULL)

    def begun() -> bool:
        with sqlite3.connect(tmp_path / "d.db") as db:
            count: int = db.execute("SELECT count(*) FROM doorward_user WHERE password LIKE 'wrapped%'").fetchone()[0]
        return count > 0

    assert wait_until(begun, process, 60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    counts = schemes(doorward, settings)
    assert sum(counts.values()) == 120
    assert counts.keys() == {"salted_md5", "wrapped salted_md5"}
    assert doorward("hashes", "wrap", "--json", **settings).json["wrapped"] == {"salted_md5": counts["salted_md5"]}
    assert schemes(doorward, settings) == {"wrapped salted_md5": 120}


def test_the_doctor_names_a_pepper_that_is_lost(doorward: Command, settings: dict[str, str]) -> None:
    old, new = f"k1:{new_secret()}", f"k2:{new_secret()}"
    assert doorward("user", "add", "ann@example.com", stdin=PASSWORD, PEPPER=old, **settings).code == 0
    assert schemes(doorward, settings) == {"argon2id, pepper k1": 1}
    for pepper, level, said in (
        (old, "ok", "'k1' goes into new hashes"),
        (f"{new},{old}", "ok", "2 are read"),
        (new, "problem", "need 'k1'"),
        ("", "problem", "need 'k1'"),
    ):
        findings = doorward("doctor", "--json", PEPPER=pepper, **settings).json["findings"]
        (found,) = [finding for finding in findings if finding["check"] == "pepper"]
        assert (found["level"], said in found["found"]) == (level, True), found


# The same name in every process: a value made anew would be another test in each.
@pytest.mark.parametrize(
    "pepper",
    ["short", "k1:short", "k1:" + "a" * 48, "a b:n08EH_3VyIKlRAQrg3fv1dErNoHVA6LIAOPvuxc0twTqFdulhJTuiaPn36594PWG"],
)
def test_a_weak_pepper_is_named(doorward: Command, settings: dict[str, str], pepper: str) -> None:
    done = doorward("user", "list", PEPPER=pepper, **settings)
    assert (done.code, "PEPPER" in done.err, pepper in done.err) == (1, True, False)
