"""Where records are kept: open a store by the URL of its database."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from doorward.core.ports import Stores, Unavailable
from doorward.core.records import Record
from doorward.core.refusals import Misconfigured
from doorward.stores.memory import MemoryStores
from doorward.stores.revision import UNMIGRATED, is_behind

DATABASES = {
    "sqlite": ("doorward.stores.sqlite", "sql"),
    "postgresql": ("doorward.stores.postgres", "postgres"),
    "postgres": ("doorward.stores.postgres", "postgres"),
}


def open_store(url: str, *, records: Sequence[type[Record]], user_table: Any = None, **options: Any) -> Stores:
    """The stores behind a URL: `sqlite:///file.db`, `sqlite://` (in memory), `postgresql://…`, `memory:`.

    `user_table`: a `UserTable`, for users who are in a table of the host's. `options` are those of the database:
    `patience` (seconds), `pool_size`, `prepare` (PostgreSQL), `synchronous` (SQLite). A new SQLite database gets its
    tables at once. Raises `Misconfigured`: store.E1 where tables are missing, store.E2 where a package is.
    A server that can't be reached yet is no reason not to start: units of work raise `Unavailable` while it is away.
    """
    if url == "memory:":
        return MemoryStores(records)
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme not in DATABASES:
        raise Misconfigured("store.E4", "name the database as sqlite:///file.db or postgresql://user@host/name")
    name, extra = DATABASES[scheme]
    database = _module(name, extra)
    if unknown := options.keys() - database.OPTIONS:
        raise Misconfigured("store.E4", f"{scheme} has no option {', '.join(unknown)}; {', '.join(database.OPTIONS)}")
    stores: Stores = database.stores_for(url, records, user_table, **options)
    try:
        _check(database, stores)
    except Unavailable as unavailable:
        if scheme == "sqlite":
            raise Misconfigured("store.E3", f"{unavailable}; name a file in a folder this process may write") from None
    if user_table is not None and scheme == "sqlite":
        sqlite: Any = stores
        _module("doorward.stores.departed", "sql").follow_deletions(sqlite.statements.homes, sqlite.connect)
    return stores


def _check(database: Any, stores: Any) -> None:
    installed = database.installed(stores)
    if installed is None and database.CREATES:
        _module("doorward.stores.migrations", "sql").create(stores.connect)
    elif is_behind(installed):
        raise Misconfigured("store.E1", UNMIGRATED)


def _module(name: str, extra: str) -> Any:
    """The module of a database: only who uses it needs its packages."""
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        raise Misconfigured("store.E2", f"{missing.name} is missing; pip install 'doorward[{extra}]'") from None
