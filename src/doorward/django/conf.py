"""What the project sets: the dictionary DOORWARD in its settings, and what Django knows already."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from doorward import presets
from doorward.core.feature import Feature
from doorward.core.refusals import Misconfigured
from doorward.primitives.keyring import weakness
from doorward.surroundings import Surroundings

log = logging.getLogger("doorward")

BACKEND = "doorward.django.backend.Backend"
MIDDLEWARE = "doorward.django.middleware.AuthenticationMiddleware"
HASHER = "doorward.django.hashers.Argon2id"

# Those that are Django's own, with where they stand there.
ELSEWHERE = {"database_url": "DATABASES", "password_hash": "PASSWORD_HASHERS", "debug": "DEBUG"}
EXTRA = ("features", "database")


def given() -> dict[str, Any]:
    """The settings of Doorward, by their names in lower case."""
    found: Any = getattr(settings, "DOORWARD", {})
    if not isinstance(found, Mapping):
        raise Misconfigured("django.E4", 'DOORWARD is a dictionary: DOORWARD = {"ORIGIN": "https://app.example.com"}')
    options = {str(name).lower(): value for name, value in found.items()}
    for name in ELSEWHERE.keys() & options.keys():
        raise Misconfigured("django.E5", f"DOORWARD has {name.upper()}: in Django that is {ELSEWHERE[name]}")
    return options


def options() -> dict[str, Any]:
    """What is for `Auth`, without what only this adapter knows."""
    return {name: value for name, value in given().items() if name not in EXTRA}


def alias() -> str:
    """The database of Doorward's tables and of AUTH_USER_MODEL: DOORWARD["DATABASE"], else `default`."""
    return str(given().get("database", "default"))


def features() -> Sequence[Feature]:
    """DOORWARD["FEATURES"]: a sequence, or the dotted path of one or of a function that returns it."""
    found: Any = given().get("features", presets.standard)
    if isinstance(found, str):
        found = import_string(found)
    return tuple(found() if callable(found) else found)


def surroundings() -> Surroundings:
    """Keys come from SECRET_KEY and its fallbacks."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    secrets = [key.decode("latin-1") if isinstance(key, bytes) else key for key in keys]
    if settings.DEBUG and weakness(secrets[0]) is not None:
        # `django-insecure-…`, as startproject writes it: good enough to begin with, refused without DEBUG.
        log.warning("SECRET_KEY is not fit for production: without DEBUG, Doorward will not start with it")
        secrets = [hashlib.sha256(secret.encode()).hexdigest() for secret in secrets]
    return Surroundings(secrets=secrets, secret_name="SECRET_KEY", debug=settings.DEBUG)
