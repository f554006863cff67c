"""`doorward user recover`: a link for who lost everything, printed once, that a running server takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.server.config import new_secret
from tests.server.conftest import Done, Served

Command = Callable[..., Done]
PASSWORD, OTHER = "four crows on a fence post", "seven herons in the morning fog"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """An installation on SQLite."""
    return {
        "SECRET": new_secret(),
        "ORIGIN": "https://auth.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path}/doorward.db",
    }


def test_the_only_administrator_comes_back_without_mail(doorward: Command, serve: Callable[..., Served]) -> None:
    """Rule 45."""
    server = serve()
    here = {
        "ORIGIN": f"http://localhost:{server.port}",
        "SMTP_URL": "smtp://127.0.0.1:1?tls=none",
        "MAIL_FROM": "a@example.com",
    }
    doorward("user", "add", "root@example.com", stdin=PASSWORD, **here)
    doorward("user", "grant", "root@example.com", "admin", **here)
    link = doorward("user", "recover", "root@example.com", **here).out.splitlines()[-1]
    assert link.startswith(f"http://localhost:{server.port}/auth/recovery/assisted?token=")
    token = re.sub(".*token=", "", link)
    for _ in range(2):
        shown = server.request("GET", f"/auth/recovery/assisted?token={token}", headers={"Accept": "text/html"})
        assert shown[0] == 200
    status, answer = server.post("/auth/recovery/assisted", token=token, new_password=OTHER)
    assert (status, answer["step"], answer["user"]["roles"]) == (200, "done", ["admin"])
    assert server.post("/auth/recovery/assisted", token=token, new_password=PASSWORD)[0] == 400
    assert server.post("/auth/sign-in/password", identifier="root@example.com", password=PASSWORD)[0] == 401
    assert server.post("/auth/sign-in/password", identifier="root@example.com", password=OTHER)[0] == 200


def test_it_is_a_document_for_programs_and_mailed_where_that_is_asked(
    doorward: Command, settings: dict[str, str]
) -> None:
    doorward("user", "add", "ann@example.com", stdin=PASSWORD, **settings)
    made = doorward("user", "recover", "ann@example.com", "--json", **settings).json
    assert re.fullmatch(r"https://auth\.example\.com/auth/recovery/assisted\?token=[\w-]{43}", made["link"])
    mailed = doorward("user", "recover", "ann@example.com", "--mail", "--json", **settings).json
    assert (mailed["link"], mailed["expires_at"] >= made["expires_at"]) == (None, True)
    assert "token" not in doorward("user", "recover", "ann@example.com", "--mail", **settings).out
    doorward("user", "disable", "ann@example.com", **settings)
    for who, said in (("ann@example.com", "closed"), ("nobody@example.com", "Nobody has")):
        refused = doorward("user", "recover", who, **settings)
        assert (refused.code, said in refused.err) == (1, True)
