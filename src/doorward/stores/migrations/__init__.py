"""Alembic migrations of Doorward's own tables: bring a database up to date, or say how it differs."""

from __future__ import annotations

import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.pool import NullPool

from doorward.core.ports import Unavailable
from doorward.core.records import Record
from doorward.stores.revision import TABLE, is_behind
from doorward.stores.sqlite import SqliteStores, path_of
from doorward.stores.tables import metadata_for

ONE_AT_A_TIME = threading.Lock()  # Alembic's `context` is one for the process, whatever the database
LOCK = 0x646F6F7277617264  # «doorward»: whoever migrates PostgreSQL holds this advisory lock


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to a revision. Safe to run from several places at once. Raises `Unavailable`."""
    with connected(url) as connection:
        _go(connection, revision)


def pending(url: str) -> bool:
    """Whether `migrate` has something to do. Raises `Unavailable`."""
    with connected(url) as connection:
        return is_behind(_installed(connection))


def revision_of(url: str) -> str | None:
    """The revision that a database is at; None for one without our tables. Raises `Unavailable`."""
    with connected(url) as connection:
        return _installed(connection)


def drift(url: str, records: Iterable[type[Record]]) -> list[str]:
    """Where the tables differ from what the records ask for, a line each. Other tables are not looked at."""
    metadata = metadata_for(records)

    def is_ours(name: str | None, kind: str, parents: Any) -> bool:
        return name in metadata.tables if kind == "table" else True

    with connected(url) as connection, warnings.catch_warnings():
        # SQLite can't show the indexes on expressions that it has; on PostgreSQL they are compared.
        warnings.filterwarnings("ignore", message=".*expression-based index")
        options = {"include_name": is_ours, "compare_type": True, "target_metadata": metadata}
        context = MigrationContext.configure(connection, opts=options)
        return [_told(difference) for difference in compare_metadata(context, metadata)]


def create(connect: Callable[[], sqlite3.Connection]) -> None:
    """Make the tables of a new SQLite database, through connections that the caller knows how to make."""
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=NullPool)
    with engine.connect() as connection:
        _go(connection, "head")


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """A connection to that database. Raises `Unavailable`."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        stores = SqliteStores(path_of(url), {})
        engine = sa.create_engine("sqlite://", creator=stores.connect, poolclass=NullPool)
    else:
        engine = sa.create_engine(parsed.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.OperationalError as error:
        raise Unavailable(f"{parsed.get_backend_name()}: {type(error.orig).__name__}") from error


def _go(connection: sa.Connection, revision: str) -> None:
    # One at a time, and all or nothing: both databases have DDL in transactions.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    installed = _installed(connection)
    if revision == "head" and not is_behind(installed):
        connection.rollback()
        return
    config = config_for(connection)
    with ONE_AT_A_TIME:
        if revision == "head" or (revision != "base" and (installed or "") < revision):
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)
    connection.commit()


def config_for(connection: sa.Connection) -> Config:
    """Alembic's configuration: our migrations, on that connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _installed(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": TABLE}).get_current_revision()


def _told(difference: Any) -> str:
    """One difference as Alembic finds it, in a line."""
    if isinstance(difference, list):  # what is altered in one column comes as a list
        return "; ".join(map(_told, difference))
    what, *about = difference
    names = [str(getattr(one, "name", None) or one) for one in about if one is not None and not isinstance(one, dict)]
    return " ".join([what.replace("_", " "), *names])
