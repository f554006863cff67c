"""Django, as WSGI and as ASGI servers call it: beside the tables that Alembic made, as if migrations had made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connections, router

from doorward.stores import open_store
from tests.django import databases, project
from tests.scenarios.client import Answer, Pairs
from tests.scenarios.hosts.asgi import AsgiHost
from tests.scenarios.hosts.base import WANTS, InProcessHost
from tests.scenarios.hosts.flask import call_wsgi
from tests.stores.records import RECORDS

ALIAS = "scenario"
DJANGOS = ("contenttypes.ContentType", "auth.Permission", "auth.Group", "auth.User")


def started(database: str, options: dict[str, Any]) -> Any:
    """The `Auth` of this process, over this database."""
    open_store(database, records=RECORDS).close()
    databases.add(ALIAS, database)
    databases.create(ALIAS, *DJANGOS)
    connections[ALIAS].close()
    del options["passwords"]  # the project's hashers write, and the first of them is cheap
    auth = project.runtime.Auth(database=ALIAS, **options)
    project.runtime.use(auth)
    router.routers = [InTheScenario()]
    return auth


class InTheScenario:
    """Django's own tables are read where these users are: what a project says of its second database."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return ALIAS if model._meta.app_label in ("auth", "contenttypes") else None


def give(email: str, role: str, permissions: Sequence[str]) -> None:
    """In Django a role is a group."""
    group, _ = apps.get_model("auth.Group").objects.using(ALIAS).get_or_create(name=role)
    for permission in permissions:
        app, _, codename = permission.partition(".")
        kind, _ = apps.get_model("contenttypes.ContentType").objects.using(ALIAS).get_or_create(app_label=app)
        known = apps.get_model("auth.Permission").objects.using(ALIAS)
        group.permissions.add(known.get_or_create(content_type=kind, codename=codename)[0])
    get_user_model().objects.using(ALIAS).get(email=email).groups.add(group)
    connections[ALIAS].close()


def stopped(auth: Any) -> None:
    router.routers = []
    project.runtime.use(None)
    auth.close()
    databases.remove(ALIAS)


class DjangoWsgiHost(InProcessHost):
    def give(self, email: str, role: str, *permissions: str) -> None:
        give(email, role, permissions)

    def start(self, database: str, options: dict[str, Any]) -> None:
        self.auth = started(database, options)
        self.app = project.wsgi()

    def close(self) -> None:
        stopped(self.auth)

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        return call_wsgi(self.app, method, target, headers, body, peer)


class DjangoAsgiHost(AsgiHost):
    """The project's own routes are `async def` here."""

    elsewhere: ClassVar[dict[str, str]] = {path: f"/a{path[1:]}" for path in ("/who", "/closed", "/editors", *WANTS)}

    def give(self, email: str, role: str, *permissions: str) -> None:
        give(email, role, permissions)

    def start(self, database: str, options: dict[str, Any]) -> None:
        self.auth: Any = started(database, options)
        self.app = project.asgi()

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        return super().send(method, self.elsewhere.get(target, target), headers, body, peer)

    def close(self) -> None:
        stopped(self.auth)  # in this thread, whose connection it is
        super().close()

    async def _close(self) -> None:
        """Closed by now."""
