"""The SQL of the seven verbs: built by SQLAlchemy once for each shape, then kept as text with its converters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from doorward.core.records import Record
from doorward.stores.builder import Builder, Shape, Statement
from doorward.stores.converters import Convert, key_reader, reader, to_compare
from doorward.stores.tables import Home, type_of
from doorward.stores.values import Unstorable, compared


class Statements:
    """All statements for one database. Nothing is built twice; nothing a client sends becomes part of a text."""

    def __init__(self, dialect: sa.Dialect, homes: Mapping[type[Record], Home]) -> None:
        self.homes = homes
        self.dialect = dialect
        self.readers = {kind: reader(home, dialect) for kind, home in homes.items()}
        self.keys = {kind: key_reader(home, dialect) for kind, home in homes.items()}
        self._kept: dict[tuple[Any, ...], Statement] = {}

    def shaped(self, kind: type[Record], where: Mapping[str, Any]) -> tuple[Shape, list[Any]]:
        """What a `where` looks like without its values, and its values in order."""
        shape: list[str] = []
        values: list[Any] = []
        for name, value in where.items():
            if value is None:
                shape.append(f"{name}=null")
            elif name.endswith("__in"):
                several = self._existing(kind, name, value)
                shape.append(f"{name}={len(several)}")
                values += several
            else:
                shape.append(name)
                values.append(value)
        return tuple(shape), values

    def _existing(self, kind: type[Record], name: str, values: Iterable[Any]) -> list[Any]:
        """Those that a row can hold: one that none can must not hide the others."""
        column, _ = compared(kind, name)
        target = self.homes[kind].columns[column.name]
        convert = to_compare(column, type_of(column) if target is None else target.type, self.dialect)
        return [value for value in values if value is not None and _is_findable(convert, value)]

    def get(self, kind: type[Record], shape: Shape) -> Statement:
        """SELECT of one row."""
        made = self._kept.get((kind, shape))
        return made or self._keep((kind, shape), lambda b: b.select(shape))

    def find(self, kind: type[Record], shape: Shape, order: str, after: bool) -> Statement:
        """SELECT of a page: the values of `where`, then the place of the last record, then the limit."""
        return self._keep((kind, shape, order, after), lambda b: b.page(shape, order, after))

    def count(self, kind: type[Record], shape: Shape) -> Statement:
        """SELECT count(*)."""
        return self._keep((kind, shape, "count"), lambda b: b.count(shape))

    def insert(self, kind: type[Record]) -> Statement:
        """INSERT … ON CONFLICT DO NOTHING: the values of all columns in order."""
        return self._keep((kind,), lambda b: b.insert())

    def change(self, kind: type[Record], shape: Shape, names: Shape, sums: frozenset[str]) -> Statement:
        """UPDATE: the new values, then those of `where`."""
        return self._keep((kind, shape, "change", names, sums), lambda b: b.update(shape, names, sums))

    def take(self, kind: type[Record], shape: Shape) -> Statement:
        """DELETE … RETURNING of one row."""
        return self._keep((kind, shape, "take"), lambda b: b.take(shape))

    def remove(self, kind: type[Record], shape: Shape, limited: bool) -> Statement:
        """DELETE: the values of `where`, then the limit if there is one; then it returns the keys."""
        return self._keep((kind, shape, "remove", limited), lambda b: b.remove(shape, limited))

    def _keep(self, key: tuple[Any, ...], build: Callable[[Builder], Any]) -> Statement:
        made = self._kept.get(key)
        if made is None:
            builder = Builder(self.homes[key[0]], self.dialect)
            made = self._kept[key] = builder.compiled(build(builder))
        return made


def _is_findable(convert: Convert, value: Any) -> bool:
    try:
        convert(value)
    except Unstorable:
        return False
    return True
