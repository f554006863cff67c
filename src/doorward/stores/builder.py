"""One SQL statement out of a record class and the shape of what is asked, by SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from doorward.stores.converters import Convert, to_compare, to_driver, to_write
from doorward.stores.tables import Home, type_of
from doorward.stores.values import column_of, compared, ordering, uniques_of

Shape = tuple[str, ...]  # `user_id`, `failures__lt`, `disabled_at=null`, `id__in=3`


class Statement(NamedTuple):
    """Text for the driver. A placeholder takes the value at its index, converted; at -1 it makes its own."""

    text: str
    placeholders: tuple[tuple[int, Convert], ...]

    def parameters(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """What the driver is given. Raises `Unstorable` where no row can hold a value that is compared with."""
        return tuple([convert(values[index] if index >= 0 else None) for index, convert in self.placeholders])


class Builder:
    """Builds one statement. Its n-th `bind` is for the n-th value that the statement will be given."""

    def __init__(self, home: Home, dialect: sa.Dialect) -> None:
        self.home, self.dialect = home, dialect
        self.table, self.kind = home.table, home.kind
        self.placeholders: dict[str, tuple[int, Convert]] = {}
        self.present = [column for column in home.columns.values() if column is not None]

    def select(self, shape: Shape) -> Any:
        statement = sa.select(*self.present).where(*self.conditions(shape))
        return statement if self._is_single(shape) else statement.limit(1)

    def page(self, shape: Shape, order: str, after: bool) -> Any:
        name, backwards = ordering(self.kind, order)
        place = [self._expression(name), self.home.key]
        statement = sa.select(*self.present).where(*self.conditions(shape))
        if after:
            last = sa.tuple_(self._for_column(name), self._for_column(self._key_name))
            statement = statement.where(sa.tuple_(*place) < last if backwards else sa.tuple_(*place) > last)
        statement = statement.order_by(*(column.desc() if backwards else column for column in place))
        return statement.limit(self._bind(sa.BigInteger(), int))

    def count(self, shape: Shape) -> Any:
        return sa.select(sa.func.count()).select_from(self.table).where(*self.conditions(shape))

    def insert(self) -> Any:
        into: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[self.dialect.name](self.table)
        values: dict[Any, Any] = {}
        for name, column in self.home.columns.items():
            placeholder = self._for_new(name, column)  # made for the absent ones too: values come for all columns
            if column is not None and not (column is self.home.key and self.home.chooses_key):
                values[column] = placeholder
        for key, make in self.home.defaults.items():
            values[self.table.c[key]] = self._made(self.table.c[key], make)
        statement = into.values(values).on_conflict_do_nothing().inline()
        return statement.returning(self.home.key) if self.home.chooses_key else statement

    def update(self, shape: Shape, names: Shape, sums: frozenset[str]) -> Any:
        values: dict[Any, Any] = {}
        for name in names:
            column = self.home.columns[column_of(self.kind, name).name]
            if name in sums:
                placeholder = self._bind(sa.BigInteger(), int)
                values[column] = None if column is None else column + placeholder
            else:
                values[column] = self._for_new(name, column)
        values.pop(None, None)
        for key, make in self.home.updates.items():
            values.setdefault(self.table.c[key], self._made(self.table.c[key], make))
        return sa.update(self.table).values(values).where(*self.conditions(shape)).inline()

    def take(self, shape: Shape) -> Any:
        statement = sa.delete(self.table).returning(*self.present)
        conditions = self.conditions(shape)
        if not self._is_single(shape):
            conditions.append(self._among(conditions, 1))
        return statement.where(*conditions)

    def remove(self, shape: Shape, limited: bool) -> Any:
        conditions = self.conditions(shape)
        if not limited:
            return sa.delete(self.table).where(*conditions)
        conditions.append(self._among(conditions, self._bind(sa.BigInteger(), int)))
        return sa.delete(self.table).where(*conditions).returning(self.home.key)

    def _among(self, conditions: list[Any], limit: Any) -> Any:
        """At most `limit` rows. Rivals each choose other rows, instead of one that is gone when its lock is free."""
        key = self.home.key
        some = sa.select(key).where(*conditions).limit(limit).with_for_update(skip_locked=True).correlate(None)
        return key.in_(sa.select(some.cte("some").c[0]))

    def conditions(self, shape: Shape) -> list[Any]:
        return [self._condition(part) for part in shape]

    def _condition(self, part: str) -> Any:
        name, _, mark = part.partition("=")
        column, operator = compared(self.kind, name)
        own = self._expression(column.name)
        if mark == "null":
            if operator:
                raise TypeError(f"{self.kind.__name__}: {name} can't be None")
            return own.is_(None)
        folded: Callable[[Any], Any] = sa.func.lower if column.folded else lambda value: value
        if operator == "in":
            several = [folded(self._for_column(column.name)) for _ in range(int(mark))]
            return folded(own).in_(several) if several else sa.false()
        other = folded(self._for_column(column.name))
        return {"": folded(own) == other, "lt": folded(own) < other, "gt": folded(own) > other}[operator]

    def _expression(self, name: str) -> Any:
        """The column; what stands for it where the table has none."""
        column = self.home.columns[name]
        return sa.literal(self.home.missing[name], type_of(column_of(self.kind, name))) if column is None else column

    def _is_single(self, shape: Shape) -> bool:
        """Whether at most one row can match: a unique set of columns is compared for equality."""
        return any(set(names) <= set(shape) for names in uniques_of(self.kind))

    @property
    def _key_name(self) -> str:
        return next(name for name, column in self.home.columns.items() if column is self.home.key)

    def _for_column(self, name: str) -> Any:
        """A placeholder for a value to compare the column with."""
        target = self._expression(name)
        return self._bind(target.type, to_compare(column_of(self.kind, name), target.type, self.dialect))

    def _for_new(self, name: str, target: sa.Column[Any] | None) -> Any:
        """A placeholder for a value to write."""
        column = column_of(self.kind, name)
        type_ = type_of(column) if target is None else target.type
        return self._bind(type_, to_write(column, type_, self.dialect))

    def _bind(self, type_: sa.types.TypeEngine[Any], convert: Convert) -> Any:
        return self._placeholder(type_, sum(index >= 0 for index, _ in self.placeholders.values()), convert)

    def _made(self, column: sa.Column[Any], make: Callable[[], Any]) -> Any:
        process = to_driver(column.type, self.dialect)
        return self._placeholder(column.type, -1, lambda _: process(make()))

    def _placeholder(self, type_: sa.types.TypeEngine[Any], index: int, convert: Convert) -> Any:
        name = f"doorward_{len(self.placeholders)}"
        self.placeholders[name] = (index, convert)
        return sa.bindparam(name, type_=type_)

    def compiled(self, statement: Any) -> Statement:
        """The statement as text. Placeholders that are not ours are constants of SQLAlchemy's or of `missing`."""
        compiled = statement.compile(dialect=self.dialect)
        for name in set(compiled.positiontup) - self.placeholders.keys():
            constant = compiled.binds[name]
            value = to_driver(constant.type, self.dialect)(constant.effective_value)
            self.placeholders[name] = (-1, _always(value))
        return Statement(compiled.string, tuple(self.placeholders[name] for name in compiled.positiontup))


def _always(value: Any) -> Convert:
    return lambda _: value
