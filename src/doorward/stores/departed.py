"""SQLite gives the key of a deleted user to the next one: with the user's row goes what we know of that user.

A trigger, so that it holds however the host deletes. PostgreSQL never gives a number of a sequence again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from doorward.core.records import Record, User, about_users
from doorward.stores.tables import Home

TRIGGER = "doorward_user_departed"


def follow_deletions(homes: Mapping[type[Record], Home], connect: Callable[[], sqlite3.Connection]) -> None:
    """Watch the host's user table in this database: at once where it is there, else when SQLAlchemy makes it."""
    users = homes[User]
    if users.key.type.python_type is not int:
        return

    def made(table: Any, connection: sa.Connection, **_: Any) -> None:
        if connection.dialect.name == "sqlite":
            _watch(connection, homes)

    sa.event.listen(users.table, "after_create", made)
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=NullPool)
    with engine.begin() as connection:
        _watch(connection, homes)


def _watch(connection: sa.Connection, homes: Mapping[type[Record], Home]) -> None:
    known = [homes[kind].table.name for kind in about_users(homes)]
    table = homes[User].table.name
    if not {table, *known} <= set(sa.inspect(connection).get_table_names()):
        return
    quote = connection.dialect.identifier_preparer.quote
    key = quote(homes[User].key.name)
    # Names of tables and columns alone, quoted; they come from the code of the host and ours.
    gone = " ".join(f"DELETE FROM {quote(name)} WHERE user_id = CAST(OLD.{key} AS TEXT);" for name in known)  # noqa: S608
    rest = f"{TRIGGER} AFTER DELETE ON {quote(table)} BEGIN {gone} END"
    question = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"
    now = connection.exec_driver_sql(question, (TRIGGER,)).scalar()
    if now != f"CREATE TRIGGER {rest}":  # none yet, or of a release that knew other tables
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {TRIGGER}")
        connection.exec_driver_sql(f"CREATE TRIGGER IF NOT EXISTS {rest}")
