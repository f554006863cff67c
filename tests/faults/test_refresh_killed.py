"""The server dies in the middle of refreshes, again and again: nobody is signed out, and no family has two heads."""

from __future__ import annotations

import http.client
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from doorward.assembly import Runtime
from doorward.core.call import Call
from doorward.features.refresh_tokens import RefreshFamily
from doorward.server.config import new_secret
from doorward.surroundings import Surroundings
from doorward.testing.doubles import MailBox
from tests.server.conftest import DOORWARD, Served, environment
from tests.services.processes import free_port, start, stop, wait_until

PASSWORD = "a long sentence of nobody else's"
CLIENTS, KILLS = 6, 3


class Site:
    """A server that can be killed and started again, at one port over one database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder, self.port = folder, free_port()
        self.settings = {
            "SECRET": new_secret(),
            "ORIGIN": f"http://localhost:{self.port}",
            "LISTEN": f"127.0.0.1:{self.port}",
            "DATABASE_URL": database_url,
        }
        self.run("migrate")
        self.run("user", "add", "ann@example.com", stdin=PASSWORD)
        self.start()

    def run(self, *arguments: str, stdin: str = "") -> None:
        env = environment(self.folder, **self.settings)
        subprocess.run([*DOORWARD, *arguments], cwd=self.folder, env=env, input=stdin.encode(), check=True, timeout=60)

    def start(self) -> None:
        process = start([*DOORWARD, "serve"], cwd=self.folder, env=environment(self.folder, **self.settings))
        self.server = Served(process, self.port, self.folder / "log")
        assert wait_until(self.answers, process, 60)

    def answers(self) -> bool:
        try:
            return self.server.request("GET", "/healthz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self) -> None:
        """With all that it was doing: the workers are children of what was started."""
        for worker in psutil.Process(self.server.process.pid).children(recursive=True):
            worker.kill()
        self.server.process.kill()
        self.server.process.wait(20)

    def families(self) -> dict[str, RefreshFamily]:
        runtime = Runtime({**{name.lower(): value for name, value in self.settings.items()}, "mail": MailBox()})
        runtime.assemble((), Surroundings())

        async def read(call: Call) -> dict[str, RefreshFamily]:
            return {row.id: row for row in await call.store.find(RefreshFamily)}

        try:
            return runtime.run(read)
        finally:
            runtime.close()


class Client(threading.Thread):
    """Refreshes as fast as it is answered. Where no answer comes it repeats its last refresh, as clients must."""

    def __init__(self, site: Site, token: str, ending: threading.Event) -> None:
        super().__init__(daemon=True)
        self.site, self.token, self.ending = site, token, ending
        self.refused: list[Any] = []
        self.used, self.repeats = 0, 0
        self.children: dict[str, set[str]] = {}

    def run(self) -> None:
        while not self.ending.is_set() and not self.refused:
            try:
                status, answer = self.site.server.post("/auth/token/refresh", refresh_token=self.token)
            except (OSError, http.client.HTTPException, ValueError):
                self.repeats += 1
                time.sleep(0.02)
                continue
            if status == 503:  # it starts or ends: as good as no answer
                self.repeats += 1
                continue
            if status != 200:
                self.refused.append((status, answer))
                return
            self.children.setdefault(self.token, set()).add(answer["refresh_token"])
            self.token, self.used = answer["refresh_token"], self.used + 1


@pytest.fixture(params=["sqlite", "postgres"], scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("killed")
    if request.param == "sqlite":
        url = f"sqlite:///{folder}/doorward.db"
    else:
        fresh: Callable[[], str] = request.getfixturevalue("fresh_postgres")
        url = fresh()
    found = Site(folder, url)
    yield found
    stop(found.server.process)


def signed_in(site: Site) -> str:
    """A refresh token of a sign-in of its own."""
    site.server.cookies.clear()
    answer = site.server.post(
        "/auth/sign-in/password", identifier="ann@example.com", password=PASSWORD, issue="tokens"
    )[1]
    return str(answer["tokens"]["refresh_token"])


def test_two_hundred_parallel_uses_have_one_child(site: Site) -> None:
    """REFRESH-01, over real connections."""
    token = signed_in(site)

    start = threading.Barrier(200)

    def use(_: int) -> str:
        start.wait(60)
        status, answer = site.server.post("/auth/token/refresh", refresh_token=token)
        return str(answer["refresh_token"]) if status == 200 else answer["reason"]

    with ThreadPoolExecutor(200) as pool:
        (child,) = set(pool.map(use, range(200))) - {"busy", "unavailable"}
    assert child.startswith("dwr_")


def test_a_server_that_is_killed_neither_forks_nor_strands_a_family(site: Site) -> None:
    """REFRESH-12."""
    tokens = [signed_in(site) for _ in range(CLIENTS)]
    ending = threading.Event()
    clients = [Client(site, token, ending) for token in tokens]
    for client in clients:
        client.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.2, 0.7))
        site.kill()
        site.start()
    time.sleep(0.5)
    ending.set()
    for client in clients:
        client.join(30)

    assert [client.refused for client in clients] == [[]] * CLIENTS
    assert all(client.used > KILLS for client in clients)
    assert sum(client.repeats for client in clients) >= KILLS  # it was killed under them
    assert all(len(children) == 1 for client in clients for children in client.children.values())

    families = site.families()
    for client in clients:
        family, generation, _, _ = client.token.removeprefix("dwr_").split(".")
        assert families[family].generation == int(generation) == client.used

    # And reuse is still what it was: the end of that family, and of no other.
    early = tokens[0]
    assert site.server.post("/auth/token/refresh", refresh_token=early)[0] == 401
    assert site.server.post("/auth/token/refresh", refresh_token=clients[0].token)[0] == 401
    assert site.server.post("/auth/token/refresh", refresh_token=clients[1].token)[0] == 200
