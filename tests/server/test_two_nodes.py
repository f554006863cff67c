"""Two servers over one PostgreSQL and one Valkey: what one of them changes holds at the other within a second."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from doorward.server.config import new_secret
from tests.server.conftest import DOORWARD, environment
from tests.services.processes import free_port, start, stop, wait_until

ANN, PASSWORD = "ann@example.com", "plenty of brown sparrows"
SECOND = 1.0
EVERY = 0.02  # seconds between two looks: each of them keeps what a node remembers in use


@dataclass
class Site:
    """Two nodes that a load balancer would stand in front of: one origin, one database, one Valkey."""

    folder: Path
    settings: dict[str, str]
    ports: tuple[int, int]

    def doorward(self, *arguments: str, stdin: str = "") -> None:
        env = environment(self.folder, **self.settings)
        subprocess.run([*DOORWARD, *arguments], cwd=self.folder, env=env, input=stdin.encode(), check=True, timeout=60)

    def ask(self, node: int, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[node], timeout=20)
        sent = {"Host": self.settings["ORIGIN"].partition("//")[2], "Content-Type": "application/json", **headers}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
            return answer.status, {**(json.loads(text) if text else {}), "cookie": cookie}
        finally:
            connection.close()


@dataclass
class Program:
    """Somebody who is signed in with tokens, at either node."""

    site: Site
    tokens: dict[str, str] = field(default_factory=dict)
    key: str = ""

    def sign_in(self, node: int, password: str = PASSWORD) -> Program:
        given = {"identifier": ANN, "password": password, "issue": "tokens"}
        status, answer = self.site.ask(node, "POST", "/auth/sign-in/password", given)
        assert status == 200, answer
        self.tokens = answer["tokens"]
        return self

    def get(self, node: int, path: str = "/auth/session") -> int:
        return self.site.ask(node, "GET", path, Authorization=f"Bearer {self.key or self.tokens['access_token']}")[0]

    def post(self, node: int, path: str, **arguments: object) -> Any:
        bearer = f"Bearer {self.tokens['access_token']}"
        status, answer = self.site.ask(node, "POST", path, arguments, Authorization=bearer)
        assert status < 300, answer
        return answer


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, fresh_postgres: Callable[[], str], valkey_url: str
) -> Iterator[Site]:
    folder, ports = tmp_path_factory.mktemp("nodes"), (free_port(), free_port())
    settings = {
        "SECRET": new_secret(),
        "ORIGIN": f"http://localhost:{ports[0]}",
        "DATABASE_URL": fresh_postgres(),
        "REDIS_URL": valkey_url,
    }
    site = Site(folder, settings, ports)
    site.doorward("migrate")
    site.doorward("user", "add", ANN, stdin=PASSWORD)
    site.doorward("role", "add", "editor", "posts.write")
    processes = []
    try:
        for node, port in enumerate(ports):
            env = environment(folder, **settings, LISTEN=f"127.0.0.1:{port}")
            processes.append(start([*DOORWARD, "serve"], cwd=folder, env=env))
            assert wait_until(lambda node=node: answers(site, node), processes[-1], 60)
        yield site
    finally:
        for process in processes:
            stop(process)


def answers(site: Site, node: int) -> bool:
    try:
        return site.ask(node, "GET", "/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def until(wanted: int, look: Callable[[], int], before: int) -> float:
    """Seconds until the other node answers `wanted`; it has answered `before` till then, and never anything else."""
    began = time.monotonic()
    while (status := look()) != wanted:
        assert status == before
        assert time.monotonic() - began < 10
        time.sleep(EVERY)
    return time.monotonic() - began


def in_use(look: Callable[[], int], status: int) -> None:
    """What is asked for so often that a node remembers it."""
    for _ in range(3):
        assert look() == status


ENDS: dict[str, Callable[[Program], object]] = {
    "sign out": lambda program: program.post(0, "/auth/sign-out"),
    "sign out everywhere": lambda program: program.post(0, "/auth/sign-out", all=True),
    "another session ends others": lambda program: (
        Program(program.site).sign_in(0).post(0, "/auth/sessions/end", others=True)
    ),
    "operator": lambda program: program.site.doorward("user", "end-sessions", ANN),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_session_that_one_node_ends_is_over_at_the_other(site: Site, end: str) -> None:
    program = Program(site).sign_in(0)
    in_use(lambda: program.get(1), 200)
    ENDS[end](program)
    assert until(401, lambda: program.get(1), 200) < SECOND
    given = {"refresh_token": program.tokens["refresh_token"]}
    assert site.ask(1, "POST", "/auth/token/refresh", given)[0] == 401


def test_a_changed_password_ends_all_others_and_not_its_own(site: Site) -> None:
    program, other = Program(site).sign_in(0), Program(site).sign_in(1)
    in_use(lambda: other.get(1), 200)
    new = PASSWORD[::-1]
    program.post(0, "/auth/password/change", current_password=PASSWORD, new_password=new)
    assert until(401, lambda: other.get(1), 200) < SECOND
    time.sleep(SECOND)
    assert program.get(1) == 200
    program.post(1, "/auth/password/change", current_password=new, new_password=PASSWORD + " again")
    program.post(1, "/auth/password/change", current_password=PASSWORD + " again", new_password=PASSWORD)


def test_an_account_that_is_disabled_is_out_everywhere(site: Site) -> None:
    program = Program(site).sign_in(0)
    made = program.post(0, "/auth/api-keys/create", name="nightly", scopes=["posts.read"])
    key = Program(site, key=made["key"])
    for node in (0, 1):
        in_use(lambda node=node: program.get(node), 200)
        in_use(lambda node=node: key.get(node), 200)
    site.doorward("user", "disable", ANN)
    try:
        for who in (program, key):
            for node in (0, 1):
                assert until(401, lambda who=who, node=node: who.get(node), 200) < SECOND
    finally:
        site.doorward("user", "enable", ANN)


def test_a_key_that_is_revoked_is_nobodys(site: Site) -> None:
    program = Program(site).sign_in(0)
    made = program.post(0, "/auth/api-keys/create", name="nightly", scopes=["posts.read"])
    key = Program(site, key=made["key"])
    in_use(lambda: key.get(1), 200)
    program.post(0, "/auth/api-keys/revoke", id=made["id"])
    assert until(401, lambda: key.get(1), 200) < SECOND


def test_a_role_is_had_and_lost_everywhere(site: Site) -> None:
    program = Program(site).sign_in(0)
    asks = "/auth/verify?role=editor"
    in_use(lambda: program.get(1, asks), 403)
    site.doorward("user", "grant", ANN, "editor")
    assert until(204, lambda: program.get(1, asks), 403) < SECOND
    in_use(lambda: program.get(1, asks), 204)
    site.doorward("user", "revoke", ANN, "editor")
    assert until(403, lambda: program.get(1, asks), 204) < SECOND


def test_both_count_the_same_tries(site: Site) -> None:
    """Valkey is shared: who guesses at one node has no more tries at the other."""
    given = {"identifier": "nobody@example.com", "password": "not the password at all"}
    statuses = [site.ask(n % 2, "POST", "/auth/sign-in/password", given)[0] for n in range(50)]
    assert set(statuses) == {401, 429}
    # Each alone has twenty. What Valkey does not answer at once, as on a busy machine, the database counts meanwhile.
    assert 20 <= statuses.count(401) <= 32


def test_an_emptied_valkey_signs_nobody_in_or_out(site: Site, fresh_valkey: str) -> None:
    """What it holds are counts: sessions, and that one is over, stand in the database."""
    program, ended = Program(site).sign_in(0), Program(site).sign_in(0)
    ended.post(1, "/auth/sign-out")
    time.sleep(SECOND)
    with redis.Redis.from_url(fresh_valkey) as client:
        client.flushall()
    for node in (0, 1):
        assert program.get(node) == 200
        assert ended.get(node) == 401
