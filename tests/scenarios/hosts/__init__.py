"""The hosts that the scenarios run on: to add one, write a class like those here and name it in `HOSTS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.scenarios.hosts.asgi import FastApiHost, PlainAsgiHost, StarletteHost
from tests.scenarios.hosts.base import InProcessHost
from tests.scenarios.hosts.flask import FlaskHost

HOSTS: dict[str, Callable[..., InProcessHost]] = {
    "flask": FlaskHost,
    "asgi": PlainAsgiHost,
    "starlette": StarletteHost,
    "fastapi": FastApiHost,
}

__all__ = ["HOSTS", "Any", "InProcessHost"]
