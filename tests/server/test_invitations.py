"""Invitations by the command line: sent, listed, taken back, and a way in where sign-up is closed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.server.conftest import Done, Served
from tests.services.smtp import SmtpSink

Command = Callable[..., Done]
PASSWORD = "a long sentence of nobody else's"


def test_who_an_operator_invites_comes_in(doorward: Command, serve: Callable[..., Served], smtp_sink: SmtpSink) -> None:
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{smtp_sink.port}?tls=none", "MAIL_FROM": "no-reply@example.com"}
    server = serve(SIGN_UP="closed", **mail)
    here = {"ORIGIN": f"http://localhost:{server.port}", **mail}
    doorward("role", "add", "editor", "posts.write", **here)
    sent = doorward("invite", "bob@example.com", "--role", "editor", "--name", "Bob", "--json", **here)
    assert (sent.code, sent.json["address"], sent.json["role"]) == (0, "bob@example.com", "editor")
    assert "token" not in sent.out
    assert server.post("/auth/sign-up", email="bob@example.com", password=PASSWORD)[0] == 403
    assert doorward("worker", "--once", **here).code == 0
    (letter,) = smtp_sink.wait()
    found = re.search(r"invitations/accept\?token=([\w-]+)", letter.text)
    assert found is not None
    token = found[1]
    status, answer = server.post("/auth/invitations/accept", token=token)
    assert (status, answer["methods"]) == (202, ["password", "passkey"])
    status, answer = server.post("/auth/sign-up/password", new_password=PASSWORD)
    assert (status, answer["user"]["name"], answer["user"]["roles"]) == (200, "Bob", ["editor"])
    assert doorward("invitations", "list", "--json", **here).json == {"items": [], "next": None}


def test_invitations_are_listed_and_taken_back(doorward: Command, tmp_path: Path) -> None:
    here = {
        "SECRET": "4YvXq2oM9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_",
        "ORIGIN": "https://auth.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path}/doorward.db",
    }
    for name in ("bob", "eve"):
        assert doorward("invite", f"{name}@example.com", "--name", "[red]x", **here).code == 0
    page = doorward("invitations", "list", "--limit", "1", "--json", **here).json
    rest = doorward("invitations", "list", "--after", page["next"], "--json", **here).json
    items = page["items"] + rest["items"]
    assert {one["address"] for one in items} == {"bob@example.com", "eve@example.com"}
    assert "[red]x" in doorward("invitations", "list", **here).out
    assert doorward("invitations", "revoke", items[0]["id"], **here).code == 0
    again = doorward("invitations", "revoke", items[0]["id"], "--json", **here)
    assert (again.code, again.json["error"]["reason"]) == (1, "not_found")
    for arguments, reason in (
        (("nobody",), "invalid_input"),
        (("c@example.com", "--role", "no-such-role"), "not_found"),
        (("c@example.com", "--name", "x" * 151), "invalid_input"),
    ):
        assert doorward("invite", *arguments, "--json", **here).json["error"]["reason"] == reason
    assert len(doorward("invitations", "list", "--json", **here).json["items"]) == 1
