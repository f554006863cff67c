"""The test project over its default database, answered as WSGI and as ASGI servers would have it."""

from typing import Any

from tests.django import project
from tests.scenarios.client import Answer, Pairs
from tests.scenarios.hosts.asgi import AsgiHost
from tests.scenarios.hosts.base import InProcessHost
from tests.scenarios.hosts.flask import call_wsgi


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Without the hashing that scenarios bring: the project's hashers write, and the first of them is cheap."""
    return {name: value for name, value in options.items() if name != "passwords" and value is not None}


class Wsgi(InProcessHost):
    def start(self, database: str, options: dict[str, Any]) -> None:
        self.auth = project.runtime.Auth(database=database or None, **_given(options))
        project.runtime.use(self.auth)
        self.app = project.wsgi()

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        return call_wsgi(self.app, method, target, headers, body, peer)

    def close(self) -> None:
        project.runtime.use(None)
        self.auth.close()


class Asgi(AsgiHost):
    def start(self, database: str, options: dict[str, Any]) -> None:
        self.auth: Any = project.runtime.Auth(database=database or None, **_given(options))
        project.runtime.use(self.auth)
        self.app = project.asgi()

    async def _close(self) -> None:
        project.runtime.use(None)
