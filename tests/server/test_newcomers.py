"""Users of another system come with their passwords, once each; whatever can't come is named with its line."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from passlib.hash import des_crypt
from werkzeug.security import generate_password_hash

from doorward.core.records import Account, EmailAddress, User
from doorward.features import totp
from doorward.limits import MemoryLimits
from doorward.presets import standard
from doorward.primitives import hashing
from doorward.server.newcomers import taking_in
from doorward.server.newcomers.newcomer import newcomer
from doorward.stores import open_store
from doorward.testing.doubles import ORIGIN, SECRET, House
from tests.features.people import PASSWORD, code_of, refused, signed_in
from tests.server.conftest import DOORWARD, Done, environment
from tests.services.processes import wait_until

Command = Callable[..., Done]


def django(password: str) -> str:
    digest = base64.b64encode(hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 1000)).decode()
    return f"pbkdf2_sha256$1000$salt${digest}"


HASHES = {
    "django_pbkdf2_sha256": django(PASSWORD),
    "werkzeug_scrypt": generate_password_hash(PASSWORD, method="scrypt:1024:8:1"),
    "bcrypt": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode(),
    "des_crypt": "crypt$$" + des_crypt.using(salt="ab").hash(PASSWORD),
    "salted_md5": "md5$x7Gq$" + hashlib.md5(b"x7Gq" + PASSWORD.encode()).hexdigest(),
}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"SECRET": SECRET, "ORIGIN": ORIGIN, "DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}


@pytest.fixture
def house(settings: dict[str, str]) -> Iterator[House]:
    """The installation that they come to."""
    open_here = lambda core: open_store(settings["DATABASE_URL"], records=core.records)  # noqa: E731
    house = House(standard(), open_here, MemoryLimits(), os.urandom)
    yield house
    house.stores.close()


def written(*rows: object) -> str:
    """The name of a file of JSON Lines."""
    Path("users.jsonl").write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return "users.jsonl"


def taken_in(doorward: Command, settings: dict[str, str], *rows: object, options: tuple[str, ...] = ()) -> Any:
    done = doorward("import", "--users", written(*rows), "--json", *options, **settings)
    assert done.code == (1 if done.json["bad"] else 0)
    return done.json


def bad(doorward: Command, settings: dict[str, str], row: object) -> str:
    """What is wrong with one line."""
    found = taken_in(doorward, settings, row, options=("--check",))
    assert (found["imported"], len(found["bad"])) == (0, 1), found
    why: str = found["bad"][0]["why"]
    return why


def user_of(house: House, email: str) -> User:
    user: User = house.run(lambda call: call.store.get(User, email=email))
    return user


@pytest.mark.parametrize("scheme", HASHES)
def test_they_sign_in_by_their_password_which_is_hashed_anew(
    scheme: str, doorward: Command, settings: dict[str, str], house: House
) -> None:
    report = taken_in(doorward, settings, {"email": "Ann@Example.com", "name": "Ann", "password_hash": HASHES[scheme]})
    assert (report["imported"], report["schemes"]) == (1, {scheme: 1})
    assert hashing.scheme_of(user_of(house, "ann@example.com").password or "").startswith(scheme)
    refused("wrong_credentials", signed_in, house.browser(), "ann@example.com", "a wrong one of many words")
    assert signed_in(house.browser(), "ann@example.com").identity.user.name == "Ann"
    assert (user_of(house, "ann@example.com").password or "").startswith("$argon2id$")
    assert signed_in(house.browser(), "ann@example.com").identity is not None


def test_a_second_factor_stays_asked_for(doorward: Command, settings: dict[str, str], house: House) -> None:
    secret = os.urandom(20)
    taken_in(
        doorward,
        settings,
        {
            "email": "ann@example.com",
            "password_hash": HASHES["bcrypt"],
            "totp_secret": base64.b32encode(secret).decode(),
        },
    )
    guest = house.browser()
    assert signed_in(guest).hold.methods == ("totp",)
    refused("wrong_code", guest.do, totp.sign_in, code="000000")
    assert guest.do(totp.sign_in, code=code_of(house, secret)).identity is not None


def test_an_address_counts_as_verified_where_they_say_so(
    doorward: Command, settings: dict[str, str], house: House
) -> None:
    """Rule 3: nobody is held back for an address that nobody verified, and it is no verified one either."""
    rows = [{"email": f"{name}@example.com", "email_verified": name == "ann"} for name in ("ann", "ben")]
    assert taken_in(doorward, settings, *rows)["without_password"] == 2
    verified = house.run(lambda call: call.store.find(EmailAddress))
    assert [row.verified_key for row in verified] == ["ann@example.com"]
    exempt = {row.user_id: row.address_exempt for row in house.run(lambda call: call.store.find(Account))}
    assert exempt == {user_of(house, "ann@example.com").id: False, user_of(house, "ben@example.com").id: True}


def test_all_that_is_said_of_somebody_comes_along(doorward: Command, settings: dict[str, str], house: House) -> None:
    assert doorward("role", "add", "orders", "orders.read", **settings).code == 0
    ann = {"email": "ann@example.com", "username": "ann", "created_at": "2019-05-01T12:00:00Z", "roles": ["orders"]}
    ben = {
        "mail": "ben@example.com",
        "Is_Active": False,
        "createdTimestamp": 1556712000000,
        "username": "ben@example.com",
    }
    assert taken_in(doorward, settings, ann, ben)["imported"] == 2
    shown = doorward("user", "show", "ann", "--json", **settings).json
    assert (shown["roles"], shown["username"], shown["created_at"]) == (["orders"], "ann", "2019-05-01T12:00:00Z")
    shown = doorward("user", "show", user_of(house, "ben@example.com").id, "--json", **settings).json
    assert (shown["active"], shown["username"], shown["created_at"]) == (False, None, "2019-05-01T12:00:00Z")


KEYCLOAK = {
    "username": "cyt",
    "email": "cy@example.com",
    "emailVerified": True,
    "firstName": "Cy",
    "lastName": "Twombly",
    "enabled": True,
    "createdTimestamp": 1556712000000,
    "realmRoles": [],
    "credentials": [
        {
            "type": "password",
            "secretData": json.dumps(
                {
                    "value": base64.b64encode(
                        hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"0123456789abcdef", 1000, 64)
                    ).decode(),
                    "salt": base64.b64encode(b"0123456789abcdef").decode(),
                }
            ),
            "credentialData": json.dumps({"algorithm": "pbkdf2-sha256", "hashIterations": 1000}),
        }
    ],
}


def test_keycloaks_users_come_as_they_are(doorward: Command, settings: dict[str, str], house: House) -> None:
    report = taken_in(doorward, settings, {**KEYCLOAK, "totp": False, "notBefore": 0})
    assert report["schemes"] == {"keycloak_pbkdf2_sha256": 1}
    assert set(report["unread"]) == {"totp", "notBefore"}
    both = [*KEYCLOAK["credentials"], {"type": "otp"}]  # type: ignore[misc]
    again = taken_in(doorward, settings, {**KEYCLOAK, "credentials": both}, options=("--check",))
    assert set(again["unread"]) == {"credentials: otp"}
    assert signed_in(house.browser(), "cy@example.com").identity.user.name == "Cy Twombly"


def test_csv_with_djangos_names(doorward: Command, settings: dict[str, str], house: House) -> None:
    with Path("users.csv").open("w", newline="", encoding="utf-8-sig") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "email", "username", "first_name", "last_name", "password", "is_active", "date_joined"])
        rows.writerow(
            [
                1,
                "ann@example.com",
                "ann",
                "Änn",
                "O, Hara",
                HASHES["django_pbkdf2_sha256"],
                "t",
                "2020-01-02 03:04:05+00",
            ]
        )
        rows.writerow([2, "ben@example.com", "", "", "", "!unusable", "f", ""])
    done = doorward("import", "users.csv", "--users", "--json", **settings)
    assert (done.code, done.json["imported"], done.json["without_password"], done.json["unread"]) == (
        0,
        2,
        1,
        {"id": 2},
    )
    assert signed_in(house.browser()).identity.user.name == "Änn O, Hara"
    refused("wrong_credentials", signed_in, house.browser(), "ben@example.com")


def test_a_check_changes_nothing_and_says_what_an_import_would_do(doorward: Command, settings: dict[str, str]) -> None:
    rows = [
        {"email": "ann@example.com", "password_hash": HASHES["salted_md5"]},
        {"email": "ANN@example.com"},
        "{",
        {
            "email": "ben@example.com",
            "password_hash": "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
        },
        {"email": "cy@example.com", "roles": "orders"},
        ["dan@example.com"],
    ]
    checked = taken_in(doorward, settings, *rows, options=("--check",))
    assert doorward("user", "list", "--json", **settings).json["items"] == []
    assert (checked["imported"], checked["weak"], [each["line"] for each in checked["there"]]) == (1, 1, [2])
    assert [(each["line"], each["why"].partition(":")[0]) for each in checked["bad"]] == [
        (3, "is not JSON"),
        (4, "password_hash"),
        (5, "roles"),
        (6, "is no JSON object"),
    ]
    assert "$y$…" in checked["bad"][1]["why"]
    assert "F5Jx5f" not in json.dumps(checked)
    assert taken_in(doorward, settings, *rows) == {**checked, "check": False}
    told = doorward("import", "--users", written(*rows), "--check", **settings)
    assert "line 4: password_hash: unknown format" in told.out
    assert (
        "doorward hashes wrap"
        in doorward("import", "--users", written({**rows[0], "email": "d@example.com"}), **settings).out
    )  # type: ignore[dict-item]


def test_an_unknown_hash_is_left_out_only_where_that_is_said(
    doorward: Command, settings: dict[str, str], house: House
) -> None:
    row = {"email": "ann@example.com", "password_hash": "what nobody knows"}
    assert "unknown format, 17 characters" in bad(doorward, settings, row)
    report = taken_in(doorward, settings, row, options=("--without-password",))
    assert (report["imported"], report["unknown_hashes"], report["without_password"]) == (1, 1, 1)
    refused("wrong_credentials", signed_in, house.browser(), "ann@example.com", "what nobody knows")


BAD: dict[str, object] = {
    "is not JSON": '{"email": "a@example.com", "email": "b@example.com"}',
    "neither email nor username": {"name": "Ann"},
    "not an e-mail address": {"email": "ann"},
    "email: not text": {"email": 1},
    "email stands twice": {"email": "a@example.com", "mail": "b@example.com"},
    "control characters": {"email": "a@example.com", "name": "A\x1b[2J"},
    "username:": {"username": "a"},
    "neither true nor false": {"email": "a@example.com", "active": "perhaps"},
    "email_verified: neither": {"email": "a@example.com", "email_verified": {"yes": True}},
    "password_hash: not text": {"email": "a@example.com", "password_hash": 12345},
    "not Keycloak's": {"email": "a@example.com", "credentials": "password"},
    "not base32": {"email": "a@example.com", "totp_secret": "0189"},
    "too short": {"email": "a@example.com", "totp_secret": "JBSWY3DPEHPK3PXP"},
    "created_at: neither": {"email": "a@example.com", "created_at": "yesterday"},
    "in the future": {"email": "a@example.com", "created_at": "2999-01-01"},
    "there is no nobody": {"email": "a@example.com", "roles": ["nobody"]},
    "neither a list": {"email": "a@example.com", "roles": {"admin": True}},
    "roles: at most": {"email": "a@example.com", "roles": [f"r{n}" for n in range(101)]},
    "longer than 65,536 bytes": {"email": "a@example.com", "name": "A" * 70_000},
}


@pytest.mark.parametrize("why", BAD)
def test_what_is_wrong_with_a_line_is_said(why: str, doorward: Command, settings: dict[str, str]) -> None:
    assert why in bad(doorward, settings, BAD[why])


def test_a_hash_that_would_stall_a_process_does_not_come(doorward: Command, settings: dict[str, str]) -> None:
    costly = {
        "email": "a@example.com",
        "password_hash": "$argon2id$v=19$m=99999999,t=9,p=1$" + "A" * 22 + "$" + "A" * 43,
    }
    assert "unknown format, $argon2id$…" in bad(doorward, settings, costly)
    peppered = {"email": "a@example.com", "password_hash": "peppered$k1$" + HASHES["bcrypt"]}
    assert "unknown format, peppered$…" in bad(doorward, settings, peppered)


@pytest.mark.parametrize("secret", ["hunter2:correct horse battery staple", "mysecretpassword$2024 is my password"])
def test_what_may_be_a_password_in_the_clear_is_not_shown(
    doorward: Command, settings: dict[str, str], secret: str
) -> None:
    shown = bad(doorward, settings, {"email": "a@example.com", "password": secret})
    assert "unknown format" in shown
    assert secret[:7] not in shown


def test_a_line_that_is_refused_takes_no_name_from_a_later_one(doorward: Command, settings: dict[str, str]) -> None:
    rows = ({"username": "12", "email": "w@example.com"}, {"email": "w@example.com"})
    report = taken_in(doorward, settings, *rows)
    assert ([each["line"] for each in report["bad"]], report["imported"], report["there"]) == ([1], 1, [])


def test_a_pipe_is_no_file_to_run_again(doorward: Command, settings: dict[str, str]) -> None:
    os.mkfifo("users.pipe")
    holder = os.open("users.pipe", os.O_RDWR)
    found = doorward("import", "--users", "users.pipe", **settings)
    os.close(holder)
    assert found.code != 0
    assert "is a pipe" in found.out + found.err


def test_whoever_is_here_stays_as_they_are(doorward: Command, settings: dict[str, str], house: House) -> None:
    """An export of somebody else's opens nobody's account here."""
    assert doorward("user", "add", "ann@example.com", "--username", "ann", stdin=PASSWORD, **settings).code == 0
    other = hashlib.md5(b"x7Gq" + b"another long sentence").hexdigest()
    planted = {"email": "Ann@EXAMPLE.com", "password_hash": f"md5$x7Gq${other}", "roles": ["admin"]}
    report = taken_in(doorward, settings, planted, {"username": "ann"}, {"username": "Ann", "email": "b@example.com"})
    assert (report["imported"], [each["line"] for each in report["there"]]) == (0, [1, 2])
    assert [each["line"] for each in report["bad"]] == [3]
    refused("wrong_credentials", signed_in, house.browser(), "ann@example.com", "another long sentence")
    assert signed_in(house.browser()).identity.user.username == "ann"
    again = taken_in(doorward, settings, {"email": "c@example.com"}, {"email": "c@example.com"})
    assert (again["imported"], len(again["there"])) == (1, 1)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_whoever_comes_meanwhile_was_faster(
    database: str,
    doorward: Command,
    settings: dict[str, str],
    fresh_postgres: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if they had signed up, and a role had gone, between the look and the write: the others of the batch come."""
    there = settings if database == "sqlite" else {**settings, "DATABASE_URL": fresh_postgres()}
    assert doorward("migrate", **there).code == 0
    assert doorward("user", "add", "ben@example.com", "--username", "ben", stdin=PASSWORD, **there).code == 0
    names = ("ann", "ben", "cy", "dan", "eve")
    rows: list[dict[str, object]] = [{"email": f"{name}@example.com", "email_verified": True} for name in names]
    rows[2]["username"] = "ben"
    rows[3]["roles"] = ["gone"]

    async def unseen(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(taking_in, "_is_there", unseen)
    monkeypatch.setattr(taking_in, "check_username", unseen)
    monkeypatch.setattr(taking_in, "_read", lambda call, said, *_: newcomer(said, now=call.now, without_password=False))
    report = taken_in(doorward, there, *rows)
    assert [each["line"] for each in report["there"]] == [2, 3]
    assert [each["line"] for each in report["bad"]] == [4]
    assert report["imported"] == 2
    items = doorward("user", "list", "--json", **there).json["items"]
    assert {item["email"] for item in items} == {"ann@example.com", "ben@example.com", "eve@example.com"}


def test_a_run_that_is_killed_doubles_and_loses_nobody(
    doorward: Command, settings: dict[str, str], tmp_path: Path
) -> None:
    rows = [{"email": f"u{number}@example.com", "password_hash": HASHES["bcrypt"]} for number in range(3000)]
    assert doorward("user", "list", **settings).code == 0
    command = [*DOORWARD, "import", "--users", written(*rows)]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, **settings), stdout=subprocess.DEVNULL)

    def count(table: str) -> int:
        with sqlite3.connect(tmp_path / "d.db") as db:
            found: int = db.execute(f"SELECT count(*) FROM doorward_{table}").fetchone()[0]
        return found

    assert wait_until(lambda: count("user") > 0, process, 60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    before = count("user")
    assert 0 < before < 3000
    assert count("account") == count("authenticator") == before
    again = taken_in(doorward, settings, *rows)
    assert (again["imported"], len(again["there"])) == (3000 - before, before)
    assert count("user") == count("account") == count("authenticator") == 3000


def test_files_that_are_no_list_of_users_are_named(doorward: Command, settings: dict[str, str]) -> None:
    for content, why in (
        (b"[{}]", "jq -c"),
        (b"a,a\n1,2\n", "each once"),
        (b"", "each once"),
        (b"email\n\xff\xfe\n", "UTF-8"),
    ):
        Path("users").write_bytes(content)
        found = doorward("import", "--users", "users", **settings)
        assert (found.code, why in found.err) == (1, True), found.err
    assert "can't be read" in doorward("import", "--users", "none", **settings).err
    Path("users").write_bytes(b"email,name\na@example.com\n")
    assert "more or fewer cells" in doorward("import", "--users", "users", **settings).out
    assert doorward("import", "users", "--check", **settings).code == 2
    assert doorward("import", "users", "--users", "--beside-others", **settings).code == 2
