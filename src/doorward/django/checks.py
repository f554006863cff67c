"""What is wrong with a project's settings, each with the cure: part of `manage.py check`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from doorward.core.refusals import Misconfigured
from doorward.django import conf, middleware
from doorward.django.backend import Backend
from doorward.django.hashers import is_first
from doorward.django.runtime import auth

DJANGOS_MIDDLEWARE = "django.contrib.auth.middleware.AuthenticationMiddleware"


@register(Tags.security)
def check_middleware(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Our middleware stands in the place of Django's, behind sessions."""
    lines = list(settings.MIDDLEWARE)
    found: list[CheckMessage] = []
    if DJANGOS_MIDDLEWARE in lines:
        hint = f"In MIDDLEWARE put {conf.MIDDLEWARE!r} in the place of {DJANGOS_MIDDLEWARE!r}."
        found.append(Error("Django's middleware would let its own sessions in.", hint, id="doorward.E001"))
    elif not any(_is(line, middleware.AuthenticationMiddleware) for line in lines):
        hint = f"Add {conf.MIDDLEWARE!r} to MIDDLEWARE, behind SessionMiddleware."
        found.append(Error("Doorward's AuthenticationMiddleware is missing.", hint, id="doorward.E001"))
    return found


@register(Tags.security)
def check_backend(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Our backend checks passwords, and no other one does."""
    backends = settings.AUTHENTICATION_BACKENDS
    if not any(_is(path, Backend) for path in backends):
        hint = f"AUTHENTICATION_BACKENDS = [{conf.BACKEND!r}]"
        return [Error("Doorward's backend is not in AUTHENTICATION_BACKENDS.", hint, id="doorward.E002")]
    if "django.contrib.auth.backends.ModelBackend" in backends:
        hint = "Take ModelBackend out of AUTHENTICATION_BACKENDS: Doorward's has its permissions."
        return [Error("ModelBackend checks passwords without counting tries.", hint, id="doorward.E003")]
    return []


@register(Tags.security)
def check_hasher(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Ours is the hasher that writes."""
    if is_first():
        return []
    hint = f"PASSWORD_HASHERS = [{conf.HASHER!r}, …those you have]. Until then Doorward re-hashes nothing."
    return [Warning("Doorward's password hasher does not stand first.", hint, id="doorward.W001")]


@register(Tags.security)
def check_urls(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Our URLs are there, and people are sent to them."""
    try:
        reverse("doorward:home")
    except NoReverseMatch:
        hint = 'urlpatterns += [path("auth/", include("doorward.django.urls"))]'
        return [Error("Doorward's URLs are not included.", hint, id="doorward.E004")]
    if settings.LOGIN_URL != "doorward:sign_in" and str(settings.LOGIN_URL) != reverse("doorward:sign_in"):
        hint = 'LOGIN_URL = "doorward:sign_in"'
        return [Warning("login_required does not send people to Doorward's sign-in.", hint, id="doorward.W002")]
    return []


@register(Tags.database)
def check_database(app_configs: Any, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Times have a zone, and SQLite's transactions begin as writers."""
    found: list[CheckMessage] = []
    if not settings.USE_TZ:
        found.append(Error("Doorward's times have a zone.", "USE_TZ = True", id="doorward.E005"))
    alias = _alias()
    if alias is None:
        return found  # `check_settings` says why
    connection: Any = connections[alias]
    if connection.vendor not in ("sqlite", "postgresql"):
        hint = 'Use PostgreSQL or SQLite; DOORWARD["DATABASE"] names another alias.'
        found.append(Error(f"Doorward does not know {connection.display_name}.", hint, id="doorward.E006"))
    elif connection.vendor == "sqlite" and connection.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
        hint = f'DATABASES[{alias!r}]["OPTIONS"] = {{"transaction_mode": "IMMEDIATE"}}'
        found.append(Error("Two writers at once would get «database is locked».", hint, id="doorward.E007"))
    return found


@register(Tags.security)
def check_settings(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Everything else: what would keep Doorward from starting."""
    try:
        origin = auth().settings.origin
    except Misconfigured as wrong:
        return [Error(wrong.cure, id="doorward.E008")]
    if not origin.is_secure or (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        return []
    hint = "SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True"
    return [Warning("Django's own cookies also go out without TLS.", hint, id="doorward.W003")]


def _alias() -> str | None:
    try:
        alias = conf.alias()
    except Misconfigured:
        return None
    return alias if alias in connections else None


def _is(path: str, wanted: type) -> bool:
    try:
        found = import_string(path)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, wanted)
