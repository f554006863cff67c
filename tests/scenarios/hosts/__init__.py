"""The hosts that the scenarios run on: to add one, write a class like those here and name it in `HOSTS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.scenarios.hosts.asgi import FastApiHost, PlainAsgiHost, StarletteHost
from tests.scenarios.hosts.base import InProcessHost
from tests.scenarios.hosts.django import DjangoAsgiHost, DjangoWsgiHost
from tests.scenarios.hosts.flask import FlaskHost
from tests.scenarios.hosts.server import ServerHost

HOSTS: dict[str, Callable[..., InProcessHost]] = {
    "flask": FlaskHost,
    "django": DjangoWsgiHost,
    "django-asgi": DjangoAsgiHost,
    "asgi": PlainAsgiHost,
    "starlette": StarletteHost,
    "fastapi": FastApiHost,
    "server": ServerHost,
}

__all__ = ["HOSTS", "Any", "InProcessHost"]
