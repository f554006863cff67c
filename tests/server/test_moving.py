"""A whole installation goes to another database and is the same there; what is not whole, or not ours, goes nowhere."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from doorward.core.call import Call
from doorward.core.records import CORE_RECORDS, Moves, User
from doorward.core.refusals import Misconfigured
from doorward.core.rights import grant
from doorward.features import api_keys, recovery_codes, roles, sessions, sign_up, totp
from doorward.features.token_keys import TokenKey, token_keys
from doorward.limits import MemoryLimits
from doorward.presets import standard
from doorward.server.moving import arriving
from doorward.stores import open_store
from doorward.stores.revision import head
from doorward.stores.sqlalchemy import SqlStore
from doorward.testing.doubles import ORIGIN, SECRET, House
from tests.features.people import PASSWORD, code_of, recovery, refused, signed_in, signed_up, with_totp
from tests.server.conftest import DOORWARD, Done, environment
from tests.services.processes import wait_until

Command = Callable[..., Done]
PEPPER = "p1:9bT2kYvQ7oXc4LmZ0rWs8NdJ5uEh3gFi6aKq-PxM1"


@pytest.fixture
def house_at(request: pytest.FixtureRequest) -> Callable[..., House]:
    """An installation over the database at a URL."""

    def opened(url: str, **settings: Any) -> House:
        open_here = lambda core: open_store(url, records=core.records)  # noqa: E731
        house = House(standard(), open_here, MemoryLimits(), os.urandom, **settings)
        request.addfinalizer(house.stores.close)
        return house

    return opened


def settings_of(url: str, **more: str) -> dict[str, str]:
    return {"SECRET": SECRET, "ORIGIN": ORIGIN, "DATABASE_URL": url, **more}


@pytest.fixture
def old(tmp_path: Path) -> dict[str, str]:
    return settings_of(f"sqlite:///{tmp_path}/old.db")


@pytest.fixture
def new(tmp_path: Path) -> dict[str, str]:
    return settings_of(f"sqlite:///{tmp_path}/new.db")


async def whose_key(call: Call) -> str:
    assert call.key is not None
    return call.key.user.id


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def rows(file: Path) -> list[Any]:
    return lines(file)[1:-1]


def many(folder: Path, doorward: Command, settings: dict[str, str], count: int) -> None:
    """That many users in `old.db`."""
    assert doorward("user", "add", "u0@example.com", stdin=PASSWORD, **settings).code == 0
    with sqlite3.connect(folder / "old.db") as db:
        for table, columns in {"doorward_user": ("id", "email"), "doorward_account": ("user_id",)}.items():
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            row = dict(zip(names, db.execute(f"SELECT * FROM {table}").fetchone(), strict=True))
            marks = ", ".join("?" * len(names))
            copies = ({**row, **{name: f"{row[name]}{n}" for name in columns}} for n in range(1, count))
            db.executemany(f"INSERT INTO {table} VALUES ({marks})", ([c[name] for name in names] for c in copies))


def changed(file: Path, change: Callable[[list[bytes]], list[bytes]]) -> Path:
    """The file with its lines changed, under another name."""
    other = file.with_name("changed.jsonl")
    other.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    return other


def test_from_sqlite_to_postgresql_everybody_is_who_they_were(
    doorward: Command, house_at: Callable[..., House], old: dict[str, str], fresh_postgres: Callable[[], str]
) -> None:
    before = house_at(old["DATABASE_URL"])
    ann = signed_up(before)
    before.run(roles.add_role, "orders", ["orders.read"])
    secret, on_paper = with_totp(ann), recovery(ann)
    key = ann.do(api_keys.create, name="nightly", scopes=["session.read"]).key
    user = before.run(lambda call: call.store.get(User, email="ann@example.com"))
    before.run(lambda call: grant(call, user, "orders", by=None))
    refused("wrong_credentials", signed_in, before.browser(), "nobody@example.com")  # leaves a row of nobody's

    assert doorward("export", "a.jsonl", **old).code == 0
    there = settings_of(fresh_postgres())
    assert doorward("migrate", **there).code == 0
    done = doorward("import", "a.jsonl", "--json", **there)
    assert (done.code, done.json["added"]["doorward_user"], done.json["there"]) == (0, 1, 0)
    assert doorward("export", "b.jsonl", **there).code == 0
    assert rows(Path("a.jsonl")) == rows(Path("b.jsonl"))
    assert not [row for row in rows(Path("a.jsonl")) if row["row"].get("kind") == "decoy"]

    after = house_at(there["DATABASE_URL"])
    after.clock.now = before.clock.now
    guest = after.browser()
    assert signed_in(guest).hold.methods == ("totp", "recovery_code")
    answer = guest.do(totp.sign_in, code=code_of(after, secret))
    assert (answer.identity.user.id, answer.identity.user) == (user.id, user)
    program = after.program()
    program.bearer = key
    assert program.run(whose_key) == user.id
    again = after.browser()
    signed_in(again)
    assert again.do(recovery_codes.sign_in, code=on_paper[0]).identity.user.id == user.id
    assert after.run(lambda call: roles.BOOK.roles_of(call.store, user)) == ("orders",)


def test_sessions_move_where_that_is_asked_for(
    doorward: Command, house_at: Callable[..., House], old: dict[str, str], new: dict[str, str]
) -> None:
    ann = signed_up(house_at(old["DATABASE_URL"]))
    assert doorward("export", "with.jsonl", "--with-sessions", **old).code == 0
    assert doorward("export", "without.jsonl", **old).code == 0
    assert doorward("import", "with.jsonl", **new).code == 0
    moved = house_at(new["DATABASE_URL"]).browser()
    moved.session = ann.session
    assert len(moved.do(sessions.list_sessions).items) == 1
    assert "doorward_session" not in lines(Path("without.jsonl"))[0]["rows"]


def test_what_is_worth_nothing_in_an_hour_stays(
    doorward: Command, house_at: Callable[..., House], old: dict[str, str]
) -> None:
    before = house_at(old["DATABASE_URL"])
    before.browser().do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    assert doorward("export", "a.jsonl", "--with-sessions", **old).code == 0
    named = set(lines(Path("a.jsonl"))[0]["rows"])
    never = {kind.table for kind in before.doorward.records if kind.moves is Moves.NEVER}
    assert never >= {"doorward_attempt", "doorward_outbox", "doorward_pending_sign_up", "doorward_totp_enrolment"}
    assert not named & never
    assert named | never == {kind.table for kind in before.doorward.records}


def test_the_file_is_its_owners_and_appears_whole(
    doorward: Command, tmp_path: Path, old: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    many(tmp_path, doorward, old, 3)
    (tmp_path / "a.jsonl.part").write_text("of a run that was killed")
    os.chmod(tmp_path / "a.jsonl.part", 0o666)
    assert doorward("export", "a.jsonl", **old).code == 0
    assert stat.S_IMODE((tmp_path / "a.jsonl").stat().st_mode) == 0o600
    assert not (tmp_path / "a.jsonl.part").exists()
    head_line, end = lines(tmp_path / "a.jsonl")[0], lines(tmp_path / "a.jsonl")[-1]
    assert (head_line["format"], head_line["revision"], list(head_line["keys"]["secret"])) == (1, head(), ["house"])
    assert (end["rows"], sum(head_line["rows"].values())) == (len(rows(tmp_path / "a.jsonl")),) * 2
    assert SECRET.partition(":")[2] not in (tmp_path / "a.jsonl").read_text()
    piped = doorward("export", "-", **old)
    assert [json.loads(line) for line in piped.out.splitlines()][1:-1] == rows(tmp_path / "a.jsonl")
    failed = doorward("export", "no/such/folder.jsonl", **old)
    assert (failed.code, "moving.E5" in failed.err) == (1, True)


def test_it_is_one_state_and_keeps_nobody_waiting(
    doorward: Command, tmp_path: Path, old: dict[str, str], house_at: Callable[..., House], fresh_postgres: Any
) -> None:
    """Users who come while an export is under way are not in it, and need not wait, on both databases."""
    there = settings_of(fresh_postgres())
    assert doorward("migrate", **there).code == 0
    for settings in (old, there):
        house, other = house_at(settings["DATABASE_URL"]), house_at(settings["DATABASE_URL"])
        signed_up(house)

        async def story(call: Any, other: House = other) -> list[int]:
            assert isinstance(call.store, SqlStore)
            async with call.store.snapshot():
                first = await call.store.count(User)
                writer = threading.Thread(target=signed_up, args=(other, "ben@example.com"))
                writer.start()
                writer.join(10)
                assert not writer.is_alive()
                return [first, await call.store.count(User)]

        assert house.run(story) == [1, 1]
        assert house.run(lambda call: call.store.count(User)) == 2
        signed_up(house, "cy@example.com")  # the connection is as good as before


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_an_import_that_is_killed_is_run_again(
    database: str, doorward: Command, tmp_path: Path, old: dict[str, str], new: dict[str, str], fresh_postgres: Any
) -> None:
    many(tmp_path, doorward, old, 8_000)
    assert doorward("export", "a.jsonl", **old).code == 0
    there = new if database == "sqlite" else settings_of(fresh_postgres())
    assert doorward("migrate", **there).code == 0
    command = [*DOORWARD, "import", "a.jsonl"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, **there), stdout=subprocess.DEVNULL)

    def accounts() -> int:
        connect = (
            sqlite3.connect(tmp_path / "new.db") if database == "sqlite" else psycopg.connect(there["DATABASE_URL"])
        )
        with connect as db:
            found: int = db.execute("SELECT count(*) FROM doorward_account").fetchone()[0]
        return found

    assert wait_until(lambda: accounts() > 0, process, 60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    assert 0 < accounts() < 8_000
    again = doorward("import", "a.jsonl", "--json", **there)
    assert again.code == 0, again.out
    assert again.json["there"] > 8_000
    assert again.json["there"] + sum(again.json["added"].values()) == len(rows(tmp_path / "a.jsonl"))
    assert doorward("export", "b.jsonl", **there).code == 0
    assert rows(tmp_path / "a.jsonl") == rows(tmp_path / "b.jsonl")
    third = doorward("import", "a.jsonl", "--json", **there).json
    assert sum(third["added"].values()) == 0


DAMAGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "cut off in a line": lambda all: [*all[:-2], all[-2][:40]],
    "cut off behind a line": lambda all: all[:-1],
    "a row is missing": lambda all: [all[0], *all[2:]],
    "a row stands twice": lambda all: [all[0], all[1], *all[1:]],
    "two rows have changed places": lambda all: [all[0], all[2], all[1], *all[3:]],
    "a value was changed": lambda all: [all[0], all[1].replace(b"u0@", b"ux@"), *all[2:]],
    "something stands behind": lambda all: [*all, all[1]],
    "a row has another column": lambda all: [all[0], all[1].replace(b'"id":', b'"extra":1,"id":'), *all[2:]],
    "a value has another type": lambda all: [all[0], all[1].replace(b'"active":true', b'"active":1'), *all[2:]],
    "another table": lambda all: [all[0], all[1].replace(b"doorward_user", b"sqlite_master"), *all[2:]],
    "the end counts wrong": lambda all: [*all[:-1], all[-1].replace(b'"rows":', b'"rows":1')],
    "a line of five megabytes": lambda all: [all[0], b'{"table":"' + b"a" * 5_000_000 + b'"}\n', *all[1:]],
    "nothing": lambda all: [],
    "something else": lambda all: [b"id,email\n"],
    "of a newer Doorward": lambda all: [all[0].replace(b'"format":1', b'"format":2'), *all[1:]],
    "of another revision": lambda all: [all[0].replace(head().encode(), b"0000"), *all[1:]],
    "with a list for keys": lambda all: [all[0].replace(b'"secret":{', b'"secret":[],"x":{'), *all[1:]],
    "with a number for keys": lambda all: [all[0].replace(b'"keys":{', b'"keys":1,"rows":{"x":{'), *all[1:]],
    "with a number for a check": lambda all: [all[0].replace(b'"house":"', b'"house":1,"x":"'), *all[1:]],
    "with text for rows": lambda all: [all[0].partition(b'"rows":')[0] + b'"rows":"two"}\n', *all[1:]],
    "with an unknown member": lambda all: [all[0].replace(b'"format"', b'"more":1,"format"'), *all[1:]],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_whole_changes_no_database(
    damage: str, doorward: Command, tmp_path: Path, old: dict[str, str], new: dict[str, str]
) -> None:
    many(tmp_path, doorward, old, 4)
    assert doorward("export", "a.jsonl", **old).code == 0
    assert doorward("import", changed(tmp_path / "a.jsonl", DAMAGES[damage]).name, "--json", **new).code == 1
    assert doorward("user", "list", "--json", **new).json["items"] == []
    assert doorward("import", "a.jsonl", **new).code == 0


def test_a_file_that_is_changed_between_check_and_writing_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(b"line %d\n" % number for number in range(5000)))
    with path.open("rb") as opened:
        file = arriving._File(opened, {}, lambda _: None)
        assert sum(1 for _ in file.lines()) == sum(1 for _ in file.lines()) == 5000
        for change in (lambda old: old.replace(b"line 4000", b"lines4000"), lambda old: old[:-10], lambda old: old * 2):
            old = path.read_bytes()
            path.write_bytes(change(old))
            with pytest.raises(Misconfigured, match="changed while it was read"):
                list(file.lines())
            path.write_bytes(old)


def test_who_lacks_secret_can_put_nobody_into_a_file(
    doorward: Command, tmp_path: Path, old: dict[str, str], new: dict[str, str]
) -> None:
    """A new check sum is easily made; its MAC is not."""
    many(tmp_path, doorward, old, 2)
    assert doorward("export", "a.jsonl", **old).code == 0

    def forged(all: list[bytes]) -> list[bytes]:
        body = [all[0], all[1].replace(b"u0@", b"mallory@"), *all[2:-1]]
        end = json.loads(all[-1])
        end["sha256"] = hashlib.sha256(b"".join(body)).hexdigest()
        return [*body, json.dumps(end).replace('{"doorward": ', '{"doorward":').encode() + b"\n"]

    found = doorward("import", changed(tmp_path / "a.jsonl", forged).name, **new)
    assert (found.code, "does not know SECRET" in found.err) == (1, True)


def test_a_target_without_the_keys_is_told_which(
    doorward: Command, tmp_path: Path, old: dict[str, str], new: dict[str, str]
) -> None:
    with_pepper = {**old, "PEPPER": PEPPER}
    many(tmp_path, doorward, with_pepper, 2)
    assert doorward("export", "a.jsonl", **with_pepper).code == 0
    turned = SECRET.partition(":")[2][::-1]
    other = f"other:{turned}"
    for settings, word in (
        ({"SECRET": other, "PEPPER": PEPPER}, "SECRET here lacks the key 'house'"),
        (
            {"SECRET": other.replace("other", "house"), "PEPPER": PEPPER},
            "SECRET here has another key by the name 'house'",
        ),
        ({}, "PEPPER here lacks the key 'p1'"),
    ):
        found = doorward("import", "a.jsonl", **{**new, **settings})
        assert (found.code, word in found.err, "moving.E7" in found.err) == (1, True, True), found.err
    both = {**new, "SECRET": f"{other},{SECRET}", "PEPPER": PEPPER}
    assert doorward("import", "a.jsonl", **both).code == 0


def test_a_database_with_other_users_is_left_alone(
    doorward: Command, tmp_path: Path, old: dict[str, str], new: dict[str, str]
) -> None:
    many(tmp_path, doorward, old, 2)
    assert doorward("export", "a.jsonl", **old).code == 0
    assert doorward("user", "add", "eve@example.com", stdin=PASSWORD, **new).code == 0
    found = doorward("import", "a.jsonl", **new)
    assert (found.code, "1 users who are not in the file" in found.err) == (1, True)
    beside = doorward("import", "a.jsonl", "--beside-others", "--json", **new)
    assert (beside.code, beside.json["added"]["doorward_user"]) == (0, 2)
    assert len(doorward("user", "list", "--json", **new).json["items"]) == 3


def test_an_address_that_somebody_else_has_stops_the_import(
    doorward: Command, tmp_path: Path, old: dict[str, str], new: dict[str, str]
) -> None:
    many(tmp_path, doorward, old, 1)
    assert doorward("export", "a.jsonl", **old).code == 0
    assert doorward("user", "add", "u0@example.com", stdin=PASSWORD, **new).code == 0
    found = doorward("import", "a.jsonl", "--beside-others", **new)
    assert (found.code, "doorward_email_address" in found.err, "u0@" in found.err) == (1, True, False)


def test_a_server_that_was_started_once_is_no_hindrance(
    doorward: Command, tmp_path: Path, house_at: Callable[..., House], old: dict[str, str], new: dict[str, str]
) -> None:
    """Its first signing key would stand where the file's own belongs."""
    for settings in (old, new):
        house_at(settings["DATABASE_URL"]).run(token_keys)
    many(tmp_path, doorward, old, 1)
    assert doorward("export", "a.jsonl", **old).code == 0
    assert doorward("import", "a.jsonl", **new).code == 0
    kids = [
        {key.kid for key in house_at(each["DATABASE_URL"]).run(lambda call: call.store.find(TokenKey))}
        for each in (old, new)
    ]
    assert kids[0] == kids[1]


def test_memory_goes_nowhere(doorward: Command, old: dict[str, str]) -> None:
    memory = settings_of("memory:")
    assert "moving.E4" in doorward("export", "a.jsonl", **memory).err
    assert doorward("user", "list", **old).code == 0
    assert doorward("export", "a.jsonl", **old).code == 0
    assert "moving.E4" in doorward("import", "a.jsonl", **memory).err
    assert "moving.E5" in doorward("import", "none.jsonl", **old).err


def test_users_come_first(house_at: Callable[..., House], old: dict[str, str]) -> None:
    """An import that has begun is told by them."""
    assert house_at(old["DATABASE_URL"]).doorward.records[0] is User is CORE_RECORDS[0]
