"""What operators type: exit codes, JSON for programs, and people who can sign in afterwards."""

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.assembly import Runtime
from doorward.core.call import Letter
from doorward.server.config import new_secret
from doorward.surroundings import Surroundings
from doorward.testing.doubles import MailBox
from tests.server.conftest import DOORWARD, Done, Served, environment
from tests.services.processes import start, stop
from tests.services.smtp import SmtpSink
from tests.shape.tree import ROOT

Command = Callable[..., Done]
WORDS = {"service": "Example", "name": "Ann", "sign_in_link": "https://auth.example.com/auth/sign-in"}
PASSWORD = "a long sentence of nobody else's"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """An installation on SQLite."""
    return {
        "SECRET": new_secret(),
        "ORIGIN": "https://auth.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path}/doorward.db",
    }


# init


def test_init_writes_a_private_configuration_once(doorward: Command, tmp_path: Path) -> None:
    done = doorward("init", "--origin", "https://auth.example.com")
    assert done.code == 0
    path = tmp_path / "doorward.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    assert tomllib.loads(before)["origin"] == "https://auth.example.com"
    again = doorward("init")
    assert (again.code, path.read_text()) == (1, before)
    assert "exists already" in again.err


def test_init_refuses_an_origin_that_is_none(doorward: Command, tmp_path: Path) -> None:
    done = doorward("init", "--origin", "auth.example.com/")
    assert (done.code, "is not an origin" in done.err) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_init_says_where_it_can_not_write(doorward: Command) -> None:
    assert "can't be written" in doorward("init", "no/such/folder.toml").err


def test_a_first_installation_by_the_book(doorward: Command, serve: Callable[..., Served], tmp_path: Path) -> None:
    assert doorward("init", "--json").json["path"] == "doorward.toml"
    assert doorward("migrate", "--config", "doorward.toml").code == 0
    # Two notes at most: the origin is this machine, and letters go to the terminal.
    found = doorward("doctor", "--config", "doorward.toml", "--json")
    assert (found.code, found.json["ok"]) == (0, True), found.out
    server = serve("--config", "doorward.toml")
    assert not (tmp_path / "doorward-data").exists()
    assert "open http://localhost:8000" in server.output


# migrate


def test_migrate_does_it_once(doorward: Command, postgres_url: str, settings: dict[str, str]) -> None:
    settings["DATABASE_URL"] = postgres_url
    assert doorward("user", "list", **settings).code == 1
    first = doorward("migrate", "--json", **settings)
    assert (first.code, first.json["migrated"]) == (0, True)
    second = doorward("migrate", "--json", **settings)
    assert (second.code, second.json) == (0, {**first.json, "migrated": False})
    assert doorward("user", "list", **settings).code == 0


def test_migrate_says_when_the_database_is_away(doorward: Command, settings: dict[str, str]) -> None:
    settings["DATABASE_URL"] = "postgresql://nobody:sesame@127.0.0.1:1/none"
    done = doorward("migrate", **settings)
    assert (done.code, "can't be reached" in done.err, "sesame" in done.err) == (1, True, False)
    assert doorward("migrate", "--json", **settings).json["error"]["reason"] == "unavailable"


# user


def test_who_was_added_can_be_looked_up_disabled_and_enabled(doorward: Command, settings: dict[str, str]) -> None:
    arguments = ("user", "add", "Ann@example.com", "--name", "Ann", "--username", "ann", "--json")
    added = doorward(*arguments, stdin=PASSWORD + "\n", **settings)
    assert (added.code, added.json["email"], added.json["email_verified"]) == (0, "Ann@example.com", True)
    for who in (added.json["id"], "ann@example.com", "ANN"):
        shown = doorward("user", "show", who, "--json", **settings).json
        assert (shown["methods"], shown["active"], shown["sessions"]) == (["password"], True, [])
    assert doorward("user", "disable", "ann", "--json", **settings).json["active"] is False
    listed = doorward("user", "list", "--json", **settings).json
    assert [(user["username"], user["active"]) for user in listed["items"]] == [("ann", False)]
    assert doorward("user", "enable", "ann", **settings).code == 0
    assert "yes" in doorward("user", "list", **settings).out
    assert PASSWORD not in added.out + added.err


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("not an address", PASSWORD, "not an e-mail address"),
        ("bob@example.com", "short", "15 characters"),
        ("bob@example.com", "bob@example.com123", "your name, address"),
        ("bob@example.com", "", "password"),
        ("bob@example.com", "a" * 5000, "1024"),
        ("bob@example.com\x00", PASSWORD, "email"),
        ("taken@example.com", PASSWORD, "already"),
    ],
)
def test_what_sign_up_would_refuse_is_refused(
    doorward: Command, settings: dict[str, str], email: str, password: str, said: str
) -> None:
    assert doorward("user", "add", "taken@example.com", stdin=PASSWORD, **settings).code == 0
    done = doorward("user", "add", email, stdin=password, **settings)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert len(doorward("user", "list", "--json", **settings).json["items"]) == 1


def test_a_password_is_no_argument(doorward: Command, settings: dict[str, str]) -> None:
    assert doorward("user", "add", "ann@example.com", PASSWORD, **settings).code == 2
    assert doorward("user", "add", "ann@example.com", "--password", PASSWORD, **settings).code == 2


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path, settings: dict[str, str]) -> None:
    assert _at_a_terminal(tmp_path, settings, [PASSWORD, PASSWORD]) == (0, False)
    assert _at_a_terminal(tmp_path, settings, [PASSWORD, "another"]) == (1, False)


def _at_a_terminal(folder: Path, settings: dict[str, str], typed: list[str]) -> tuple[int, bool]:
    """Exit code, and whether the password stood on the screen."""
    ours, theirs = pty.openpty()
    command = [*DOORWARD, "user", "add", f"a{len(typed[-1])}@example.com"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder, **settings),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = b""
    try:
        while chunk := os.read(ours, 4096):
            screen += chunk
            if screen.endswith(b": ") and typed:
                os.write(ours, typed.pop(0).encode() + b"\n")
    except OSError:  # Linux ends a terminal this way
        pass
    os.close(ours)
    return process.wait(30), PASSWORD.encode() in screen


def test_nobody_is_found_by_a_name_that_nobody_has(doorward: Command, settings: dict[str, str]) -> None:
    for command in ("show", "disable", "enable", "end-sessions"):
        done = doorward("user", command, "nobody@example.com", **settings)
        assert (done.code, "Nobody has" in done.err) == (1, True)
        assert doorward("user", command, "nobody", "--json", **settings).json["error"]["reason"] == "not_found"


def test_lists_go_on_where_they_ended(doorward: Command, settings: dict[str, str]) -> None:
    for number in range(5):
        doorward("user", "add", f"u{number}@example.com", stdin=PASSWORD, **settings)
    seen: list[str] = []
    after: list[str] = []
    while True:
        page = doorward("user", "list", "--limit", "2", "--json", *after, **settings).json
        seen += [user["email"] for user in page["items"]]
        if page["next"] is None:
            break
        after = ["--after", page["next"]]
    assert seen == [f"u{number}@example.com" for number in (4, 3, 2, 1, 0)]


def test_names_do_not_command_the_terminal(doorward: Command, settings: dict[str, str]) -> None:
    doorward("user", "add", "ann@example.com", "--name", "[red]A[/red] [x", stdin=PASSWORD, **settings)
    assert "[red]A[/red] [x" in doorward("user", "list", **settings).out.replace("\n", "")


def test_ending_sessions_signs_out_at_once(doorward: Command, serve: Callable[..., Served], tmp_path: Path) -> None:
    server = serve()
    here = {"ORIGIN": f"http://localhost:{server.port}"}
    doorward("user", "add", "ann@example.com", stdin=PASSWORD, **here)
    for command in ("end-sessions", "disable"):
        assert server.post("/auth/sign-in/password", identifier="ann@example.com", password=PASSWORD)[0] == 200
        assert doorward("user", command, "ann@example.com", "--json", **here).json["sessions_ended"] == 1
        assert server.get("/auth/session")[0] == 401
    assert server.post("/auth/sign-in/password", identifier="ann@example.com", password=PASSWORD)[0] == 401


# admin


def test_the_first_administrator_comes_in_by_a_link_that_opens_once(
    doorward: Command, serve: Callable[..., Served]
) -> None:
    server = serve(SIGN_UP="closed")
    here = {"ORIGIN": f"http://localhost:{server.port}"}
    made = doorward("admin", "bootstrap", "root@example.com", "--json", **here).json
    assert made["link"].startswith(f"http://localhost:{server.port}/auth/email/verify?token=")
    token = re.sub(".*token=", "", made["link"])
    assert server.request("GET", f"/auth/email/verify?token={token}", headers={"Accept": "text/html"})[0] == 200
    status, answer = server.post("/auth/email/verify", token=token)
    assert (status, answer["step"], answer["methods"]) == (202, "enroll", ["password", "passkey"])
    status, answer = server.post("/auth/sign-up/password", new_password=PASSWORD)
    assert (status, answer["step"], answer["user"]["email_verified"]) == (200, "done", True)
    assert answer["user"]["roles"] == ["admin"]
    assert server.get("/auth/roles/list")[0] == 200
    assert server.post("/auth/email/verify", token=token)[0] == 400
    again = doorward("admin", "bootstrap", "root@example.com", **here)
    assert (again.code, "already" in again.err) == (1, True)


def test_a_link_needs_no_mail_and_is_printed_alone(doorward: Command, settings: dict[str, str]) -> None:
    settings |= {"SMTP_URL": "smtp://127.0.0.1:1?tls=none", "MAIL_FROM": "a@example.com"}
    lines = doorward("admin", "bootstrap", "root@example.com", **settings).out.splitlines()
    assert lines[-1].startswith("https://auth.example.com/auth/email/verify?token=")


# keys


def test_signing_keys_are_listed_replaced_and_revoked(doorward: Command, settings: dict[str, str]) -> None:
    assert doorward("keys", "list", "--json", **settings).json == {"items": []}
    first = doorward("keys", "rotate", "--json", **settings).json  # there is none: the first one need not wait
    assert (first["state"], first["algorithm"], first["expires_at"]) == ("signs", "ES256", None)
    following = doorward("keys", "rotate", "--json", **settings).json
    assert following["state"] == "next"
    listed = doorward("keys", "list", "--json", **settings).json["items"]
    assert [(key["kid"], key["state"]) for key in listed] == [(following["kid"], "next"), (first["kid"], "signs")]
    assert "verifies" not in doorward("keys", "list", **settings).out
    gone = doorward("keys", "revoke", first["kid"], "--json", **settings).json
    assert (gone["revoked"], "five minutes" in gone["ends"]) == (first["kid"], True)
    assert gone["signs"]["kid"] not in (first["kid"], following["kid"])
    again = doorward("keys", "revoke", first["kid"], **settings)
    assert (again.code, "no signing key" in again.err) == (1, True)
    assert "signs at once" in doorward("keys", "rotate", "--now", **settings).out


def test_a_key_revoked_on_the_command_line_ends_tokens_of_a_running_server(
    doorward: Command, serve: Callable[..., Served]
) -> None:
    server = serve()
    here = {"ORIGIN": f"http://localhost:{server.port}"}
    doorward("user", "add", "ann@example.com", stdin=PASSWORD, **here)
    _, answer = server.post("/auth/sign-in/password", identifier="ann@example.com", password=PASSWORD, issue="tokens")
    bearer = {"Authorization": f"Bearer {answer['tokens']['access_token']}"}
    assert server.request("GET", "/auth/session", headers=bearer)[0] == 200
    (key,) = doorward("keys", "list", "--json", **here).json["items"]
    assert doorward("keys", "revoke", key["kid"], **here).code == 0
    time.sleep(1)
    assert server.request("GET", "/auth/session", headers=bearer)[0] == 401
    status, refreshed = server.post("/auth/token/refresh", refresh_token=answer["tokens"]["refresh_token"])
    assert status == 200
    bearer["Authorization"] = f"Bearer {refreshed['access_token']}"
    assert server.request("GET", "/auth/session", headers=bearer)[0] == 200


# role


def test_roles_from_the_command_line(doorward: Command, settings: dict[str, str]) -> None:
    assert doorward("migrate", **settings).code == 0
    doorward("user", "add", "ann@example.com", stdin=PASSWORD, **settings)
    made = doorward("role", "add", "editor", "posts.read", "posts.write", "--json", **settings)
    assert made.json == {"name": "editor", "permissions": ["posts.read", "posts.write"], "everything": False}
    again = doorward("role", "add", "editor", **settings)
    assert (again.code, "already" in again.err) == (1, True)
    assert doorward("role", "permit", "editor", "posts.write", "--not", "--json", **settings).json["permissions"] == [
        "posts.read"
    ]
    assert doorward("role", "permit", "editor", "post", **settings).code == 1
    assert doorward("user", "grant", "ann@example.com", "editor", "--json", **settings).json["roles"] == ["editor"]
    assert doorward("user", "grant", "ann@example.com", "nobody", **settings).code == 1
    assert doorward("user", "show", "ann@example.com", "--json", **settings).json["roles"] == ["editor"]
    listed = doorward("role", "list", **settings).out
    assert re.search(r"^admin +everything", listed, re.MULTILINE)
    assert re.search(r"^editor +posts.read", listed, re.MULTILINE)
    assert doorward("role", "list", "--json", **settings).json["items"][1]["name"] == "editor"
    assert doorward("user", "revoke", "ann@example.com", "editor", "--json", **settings).json["roles"] == []
    doorward("user", "grant", "ann@example.com", "editor", **settings)
    assert doorward("role", "remove", "editor", "--json", **settings).json["holders"] == 1
    doorward("user", "grant", "ann@example.com", "admin", **settings)
    last = doorward("user", "revoke", "ann@example.com", "admin", "--json", **settings)
    assert (last.code, last.json["error"]["reason"]) == (1, "last_administrator")


# worker


def test_letters_that_waited_leave_when_mail_is_back(
    doorward: Command, settings: dict[str, str], smtp_sink: SmtpSink, serve: Callable[..., Served]
) -> None:
    settings |= {"SMTP_URL": f"smtp://127.0.0.1:{smtp_sink.port}?tls=none", "MAIL_FROM": "no-reply@example.com"}
    smtp_sink.stop()
    server = serve(**settings)
    status, answer = server.request(
        "POST",
        "/auth/sign-up",
        {"email": "ann@example.com", "password": PASSWORD},
        {"Host": "auth.example.com", "Sec-Fetch-Site": "same-origin"},
    )[::2]
    assert (status, json.loads(answer)["step"]) == (202, "verify")
    assert server.end() == 0
    waiting = doorward("worker", "--once", "--json", **settings)
    assert waiting.code in (0, 1)
    smtp_sink.start()
    _make_due(settings["DATABASE_URL"])
    done = doorward("worker", "--once", "--json", **settings)
    assert (done.code, done.json["sent"]) == (0, 1)
    assert "ann@example.com" in smtp_sink.wait()[0].recipients


def test_a_worker_sends_until_it_is_told_to_end(
    doorward: Command, settings: dict[str, str], smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    settings |= {"SMTP_URL": f"smtp://127.0.0.1:{smtp_sink.port}?tls=none", "MAIL_FROM": "no-reply@example.com"}
    assert doorward("migrate", **settings).code == 0
    runtime = Runtime({name.lower(): value for name, value in settings.items()} | {"mail": MailBox()})
    runtime.assemble((), Surroundings())
    runtime.run(lambda call: call.later(Letter("ann@example.com", "address_taken", WORDS)))
    runtime.close()
    process = start([*DOORWARD, "worker", "--json"], cwd=tmp_path, env=environment(tmp_path, **settings))
    try:
        assert smtp_sink.wait(seconds=30)[0].recipients == ("ann@example.com",)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        stop(process)


def _make_due(url: str) -> None:
    """As if the time between two tries were over."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE doorward_outbox SET due_at = created_at")


# all


@pytest.mark.parametrize("arguments", [["nothing"], ["user", "nothing"], ["user", "show"], ["--x"]])
def test_wrong_usage_is_code_2(doorward: Command, arguments: list[str]) -> None:
    assert doorward(*arguments).code == 2


@pytest.mark.parametrize("command", ["serve", "init", "migrate", "worker", "doctor", "user", "admin", "keys"])
def test_every_command_tells_what_it_does(doorward: Command, command: str) -> None:
    shown = doorward(command, "--help")
    assert shown.code == 0
    assert len(shown.out) > 150


def test_a_command_as_a_process(program: Command) -> None:
    assert program("--version").out.startswith("doorward, version ")
    assert program("user", "list").code == 1
    assert program("user").code == 2


def test_a_command_without_an_installation_names_what_is_missing(doorward: Command) -> None:
    done = doorward("user", "list")
    assert (done.code, "doorward init" in done.err) == (1, True)


def test_every_command_and_option_is_on_its_page(doorward: Command) -> None:
    page = (ROOT / "docs" / "features" / "cli.md").read_text(encoding="utf-8")
    commands = [("serve",), ("init",), ("migrate",), ("worker",), ("doctor",), ("admin", "bootstrap"), ("invite",)]
    names = re.findall(r"^  ([a-z-]+)  ", doorward("user", "--help").out.partition("Commands:")[2], re.MULTILINE)
    commands += [("user", name) for name in names]
    commands += [("role", name) for name in ("add", "list", "permit", "remove")] + [("invitations", "revoke")]
    assert len(commands) >= 19
    for command in commands:
        assert f"`doorward {' '.join(command)}" in page
        options = set(re.findall(r"--[a-z-]+", doorward(*command, "--help").out)) - {"--help"}
        assert {option for option in options if f"`{option}" not in page} == set()


def test_every_check_is_on_its_page(doorward: Command) -> None:
    page = (ROOT / "docs" / "features" / "doctor.md").read_text(encoding="utf-8")
    found = doorward("doctor", "--json", SECRET=new_secret(), ORIGIN="http://localhost:8000").json["findings"]
    assert {each["check"] for each in found if f"| `{each['check']}` |" not in page} == set()
