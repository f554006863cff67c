"""SQLAlchemy tables made of record classes, and a host's own user table in the place of ours."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from doorward.core.records import Column, Record, User, columns, key_of
from doorward.core.refusals import Misconfigured
from doorward.stores.values import column_of

NAMES = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # `User.created_at` where the host's table does not say


def text(size: int = 0) -> sa.types.TypeEngine[str]:
    """Text of at most `size` code points; 0: as long as it is.

    On PostgreSQL it sorts by code point, as SQLite and Python do: pages come in one order everywhere, and an upgrade
    of the system's collations can't corrupt a unique index.
    """
    plain: sa.String = sa.String(size) if size else sa.Text()
    sorted_by_code_point: sa.String = sa.String(size, collation="C") if size else sa.Text(collation="C")
    return plain.with_variant(sorted_by_code_point, "postgresql")


def moment() -> sa.types.TypeEngine[datetime]:
    """A time in UTC with microseconds; on SQLite text of one length, so that it compares and sorts."""
    return sa.DateTime(timezone=True)


def metadata_for(records: Iterable[type[Record]]) -> sa.MetaData:
    """A table for each record class.

    No table refers to the user table by a foreign key: that table may be the host's, with a key of its own type, in
    a schema or under migrations that are not ours. `user_id` is the key as a string.
    """
    metadata = sa.MetaData(naming_convention=NAMES)
    for kind in records:
        _table(kind, metadata)
    return metadata


def _table(kind: type[Record], metadata: sa.MetaData) -> sa.Table:
    made = [sa.Column(c.name, type_of(c), primary_key=c.key, nullable=c.nullable) for c in columns(kind)]
    table = sa.Table(kind.table, metadata, *made)
    for names in [(c.name,) for c in columns(kind) if c.unique] + list(kind.uniques):
        table.append_constraint(sa.UniqueConstraint(*names))
    for column in columns(kind):
        if column.index and column.folded:
            sa.Index(f"ix_{kind.table}_{column.name}", sa.func.lower(table.c[column.name]))
        elif column.index:
            sa.Index(None, table.c[column.name])
    return table


def type_of(column: Column) -> sa.types.TypeEngine[Any]:
    """The SQL type of a field."""
    made: dict[type, Callable[[], sa.types.TypeEngine[Any]]] = {
        str: lambda: text(column.size),
        int: sa.BigInteger,
        bool: sa.Boolean,
        datetime: moment,
    }
    return made[column.kind]()


@dataclass(frozen=True, eq=False)
class Home:
    """Where the rows of a record class are: our table, or the host's for `User`.

    `columns` has None where the table has no such column: it reads as `missing` says, and is ignored on write.
    `defaults` are made in Python for columns that no record knows.
    """

    kind: type[Record]
    table: sa.Table
    columns: dict[str, sa.Column[Any] | None]
    missing: dict[str, Any]
    defaults: dict[str, Callable[[], Any]]
    updates: dict[str, Callable[[], Any]]
    chooses_key: bool = False
    is_hosts: bool = False

    def longest(self, name: str) -> int:
        """The code points that a column keeps; 0: all, as where the table has none and nothing is kept."""
        target = self.columns[name]
        if target is None:
            return 0
        sizes = column_of(self.kind, name).size, getattr(target.type, "length", None) or 0
        return min(filter(None, sizes), default=0)

    @property
    def key(self) -> sa.Column[Any]:
        """The key column."""
        found = self.columns[key_of(self.kind)]
        assert found is not None  # noqa: S101 (UserTable demands it)
        return found


def own_home(kind: type[Record], metadata: sa.MetaData) -> Home:
    """The home of a record class in a table of ours."""
    table = metadata.tables[kind.table]
    return Home(kind, table, {c.name: table.c[c.name] for c in columns(kind)}, {}, {}, {})


def homes_for(records: Iterable[type[Record]], user_table: UserTable | None = None) -> dict[type[Record], Home]:
    """The home of each record class; users are in the host's table if there is one."""
    metadata = metadata_for(kinds := tuple(records))
    homes = {kind: own_home(kind, metadata) for kind in kinds}
    return homes if user_table is None else homes | {User: user_table.home}


class UserTable:
    """The host's own user table in the place of ours: `UserTable(User, email="email", active="is_active")`.

    `model` is a SQLAlchemy declarative class or a Table. The other arguments name its attributes; None says that it
    has none. The key keeps its own type in the table (number, UUID, text) and is a string on our side.
    """

    def __init__(
        self,
        model: Any,
        *,
        id: str = "id",
        email: str | None = "email",
        username: str | None = None,
        name: str | None = None,
        active: str | None = None,
        password: str | None = None,
        created_at: str | None = None,
    ) -> None:
        names = {
            "id": id,
            "email": email,
            "username": username,
            "name": name,
            "active": active,
            "password": password,
            "created_at": created_at,
        }
        own: dict[str, sa.Column[Any]] = _own_columns(model)
        if unknown := [given for given in names.values() if given is not None and given not in own]:
            raise Misconfigured("store.E5", f"UserTable: {model!r} has no {', '.join(unknown)}; name its attributes")
        mapped = {ours: own[theirs] if theirs else None for ours, theirs in names.items()}
        self.model = model
        self.home = _host_home(own[id].table, mapped)


def _own_columns(model: Any) -> dict[str, sa.Column[Any]]:
    if isinstance(model, sa.Table):
        return dict(model.columns.items())
    return dict(sa.inspect(model).columns.items())


def _host_home(table: Any, mapped: dict[str, sa.Column[Any] | None]) -> Home:
    key = mapped["id"]
    assert key is not None  # noqa: S101 (`id` is no optional argument)
    ours = {column.key for column in mapped.values() if column is not None} - {key.key}
    others = [column for column in table.columns if column.key not in ours]
    defaults = {column.key: made for column in others if (made := _in_python(column.default)) is not None}
    chooses = key.default is not None or key.server_default is not None or key is table.autoincrement_column
    if key.type.python_type is uuid.UUID and not chooses:
        defaults[key.key], chooses = uuid.uuid4, True
    return Home(
        kind=User,
        table=table,
        columns=mapped,
        missing={name: _missing(name) for name, column in mapped.items() if column is None},
        defaults=defaults,
        updates={column.key: made for column in others if (made := _in_python(column.onupdate)) is not None},
        chooses_key=chooses,
        is_hosts=True,
    )


def _in_python(default: Any) -> Callable[[], Any] | None:
    """A default that SQLAlchemy would make in Python, as a function; None for those that the database makes."""
    if default is not None and default.is_scalar:
        return lambda: default.arg
    if default is not None and default.is_callable:
        return lambda: default.arg(None)
    return None


def _missing(name: str) -> Any:
    default = next(f.default for f in fields(User) if f.name == name)
    return LONG_AGO if default is MISSING else default
