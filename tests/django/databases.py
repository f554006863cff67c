"""Databases for the tests, under aliases of their own."""

from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.core.management import call_command
from django.db import connections


def settings_of(url: str) -> dict[str, Any]:
    """What DATABASES holds for a URL."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        options = {"transaction_mode": "IMMEDIATE", "timeout": 20}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path.removeprefix("/"), "OPTIONS": options}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "USER": parts.username,
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname,
        "PORT": str(parts.port),
    }


def add(alias: str, url: str) -> None:
    """Make a database known to Django."""
    remove(alias)
    connections.settings[alias] = settings_of(url)
    connections.configure_settings(connections.settings)


def remove(alias: str) -> None:
    """Forget it, in this thread."""
    if alias in connections.settings:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


def migrate(alias: str = "default") -> None:
    """All tables."""
    call_command("migrate", database=alias, verbosity=0)


def create(alias: str, *models: str) -> None:
    """The tables of these models, beside those that are there; quicker than all migrations of Django's."""
    connection = connections[alias]
    present = set(connection.introspection.table_names())
    with connection.schema_editor() as editor:
        for model in map(apps.get_model, models):
            if model._meta.db_table not in present:
                editor.create_model(model)


def empty(alias: str = "default") -> None:
    """No rows: as `flush`, but quick."""
    connection = connections[alias]
    kept = {"django_migrations", "django_content_type", "auth_permission"}  # made by `migrate`, and cached
    tables = [name for name in connection.introspection.table_names() if name not in kept]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        return
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")
