"""Values on their way to the driver and back: what a field holds, as its column's own type wants it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from doorward.core.records import Column, Record, key_of
from doorward.stores.tables import Home
from doorward.stores.values import INTEGERS, Unstorable, column_of, findable, keepable

Convert = Callable[[Any], Any]


def to_compare(column: Column, type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert:
    """A field's value, to compare a column of that type with. Raises `Unstorable` where no row can hold it."""
    if column.key and not isinstance(type_, sa.String):
        return _chain(lambda value: _own_key(column, type_, value), type_, dialect)
    if column.kind is str:
        return _chain(lambda value: _text(column, value), type_, dialect)
    return _chain(lambda value: _zone(type_, findable(column, value)), type_, dialect)


def to_write(column: Column, type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert:
    """A field's value, to write to a column of that type. Raises ValueError where it can't be kept."""
    return _chain(lambda value: _zone(type_, keepable(column, value)), type_, dialect)


def to_driver(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert:
    """A Python value of the column's type as the driver takes it."""
    return type_.dialect_impl(dialect).bind_processor(dialect) or _same


def reader(home: Home, dialect: sa.Dialect) -> Callable[[Sequence[Any]], Any]:
    """The function that makes a record of a row: of the columns that its home has, in order."""
    present = {name: target for name, target in home.columns.items() if target is not None}
    names, kind, missing = tuple(present), home.kind, home.missing
    converters = [
        (index, convert)
        for index, (name, target) in enumerate(present.items())
        if (convert := _from_driver(column_of(kind, name), target, dialect)) is not _same
    ]

    def read(row: Sequence[Any]) -> Record:
        values = [*row]
        for index, convert in converters:
            values[index] = convert(values[index])
        return kind(**dict(zip(names, values, strict=True)), **missing)

    return read


def key_reader(home: Home, dialect: sa.Dialect) -> Convert:
    """The function that makes a record's key of what the table's key column holds."""
    return _from_driver(column_of(home.kind, key_of(home.kind)), home.key, dialect)


def _chain(convert: Convert, type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert:
    process = to_driver(type_, dialect)
    return convert if process is _same else lambda value: process(convert(value))


def _text(column: Column, value: Any) -> Any:
    # The path of every session check: nothing more to ask of plain ASCII.
    if type(value) is str and value.isascii() and "\0" not in value:
        return value
    return findable(column, value)


def _own_key(column: Column, type_: sa.types.TypeEngine[Any], value: Any) -> Any:
    """A key as the host's table keeps it. One spelling only, so that one user has one `user_id`."""
    text = findable(column, value)
    try:
        key = type_.python_type(text)
    except ValueError:
        raise Unstorable(f"{column.name}: not a key of that table") from None
    if str(key) != text or (isinstance(key, int) and key not in INTEGERS):
        raise Unstorable(f"{column.name}: not a key of that table")
    return key


def _zone(type_: sa.types.TypeEngine[Any], value: Any) -> Any:
    """A time for a host's column without a zone is UTC without one."""
    if isinstance(value, datetime) and isinstance(type_, sa.DateTime) and not type_.timezone:
        return value.replace(tzinfo=None)
    return value


def _from_driver(column: Column, target: sa.Column[Any], dialect: sa.Dialect) -> Convert:
    process = target.type.dialect_impl(dialect).result_processor(dialect, None) or _same
    if column.kind is datetime and dialect.name == "sqlite" and type(target.type) is sa.DateTime:
        return _from_text  # the session check reads three of them, and this is three times as fast
    if column.kind is datetime:
        return lambda value: _utc(process(value))
    if column.key and not isinstance(target.type, sa.String):
        return lambda value: str(process(value))
    if target.nullable and not column.nullable:  # a host's column, laxer than ours
        return lambda value: column.kind() if value is None else process(value)
    return process


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _same(value: Any) -> Any:
    return value
