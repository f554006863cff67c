"""The Django project of the tests, set up: settings can be said once in a process, so all tests share these."""

import os
from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django.settings")
django.setup()

from doorward.django import runtime  # noqa: E402  # needs the project's models

__all__ = ["asgi", "runtime", "wsgi"]


def wsgi() -> Any:
    return WSGIHandler()


def asgi() -> Any:
    return ASGIHandler()
