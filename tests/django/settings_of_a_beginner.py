"""The test project with SQLite as `startproject` leaves it."""

from tests.django.settings import *  # noqa: F403

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
