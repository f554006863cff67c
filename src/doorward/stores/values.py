"""What all stores agree on: which values can be kept, and how a `where` is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from doorward.core.records import Column, Record, cached, columns, key_of

R = TypeVar("R", bound=Record)

INTEGERS = range(-(2**63), 2**63)  # what a BIGINT of both databases holds
OPERATORS = ("", "lt", "gt", "in")


class Unstorable(ValueError):
    """A value that no row can hold: asking for it finds nothing."""


class Comparison(NamedTuple):
    """One condition of a `where`; `operator` is `eq`, `null`, `lt`, `gt` or `in`."""

    column: Column
    operator: str
    value: Any


def comparisons(kind: type[Record], where: Mapping[str, Any]) -> list[Comparison]:
    """The conditions of a `where`. Raises TypeError for a column or operator that does not exist."""
    return [_comparison(*compared(kind, name), value) for name, value in where.items()]


def _comparison(column: Column, operator: str, value: Any) -> Comparison:
    if operator == "in":
        return Comparison(column, "in", [one for given in value for one in existing(column, given)])
    if value is None and not operator:
        return Comparison(column, "null", None)
    return Comparison(column, operator or "eq", findable(column, value))


@cached
def compared(kind: type[Record], name: str) -> tuple[Column, str]:
    """`failures__lt` → the column `failures` and `lt`; a bare name has the operator ``."""
    plain, _, operator = name.partition("__")
    if operator not in OPERATORS or name != plain + ("__" + operator if operator else ""):
        raise TypeError(f"{kind.__name__}: {name} is no comparison; there are {', '.join(OPERATORS[1:])}")
    return column_of(kind, plain), operator


@cached
def column_of(kind: type[Record], name: str) -> Column:
    """One column by its name."""
    for column in columns(kind):
        if column.name == name:
            return column
    raise TypeError(f"{kind.__name__} has no column {name}")


def ordering(kind: type[Record], order: str) -> tuple[str, bool]:
    """`-created_at` → the column and whether it runs backwards; `` is the key."""
    name = order.removeprefix("-") or key_of(kind)
    if column_of(kind, name).nullable:
        raise TypeError(f"{kind.__name__}: {name} may be NULL, and NULL has no place in an order")
    return name, order.startswith("-")


def findable(column: Column, value: Any) -> Any:
    """A value to compare a column with. Raises Unstorable where no row can hold it, TypeError for a wrong type."""
    value = _typed(column, value)
    if isinstance(value, str) and not is_storable(value):
        raise Unstorable(f"{column.name}: NUL and lone surrogates are in no row")
    if column.kind is int and value not in INTEGERS:
        raise Unstorable(f"{column.name}: no row holds a number of more than 64 bits")
    return value


def existing(column: Column, value: Any) -> tuple[Any, ...]:
    """The value if a row can hold it, else nothing: for the values of an `in`."""
    try:
        return () if value is None else (findable(column, value),)
    except Unstorable:
        return ()


def keepable(column: Column, value: Any) -> Any:
    """A value as it is kept. Raises ValueError where it can't be; never with the value in the message."""
    if value is None:
        if column.nullable:
            return None
        raise ValueError(f"{column.name}: None where a value must be")
    try:
        value = findable(column, value)
    except Unstorable as unstorable:
        raise ValueError(str(unstorable)) from None
    if isinstance(value, str) and len(value) > column.size > 0:
        raise ValueError(f"{column.name}: longer than {column.size} code points")
    return value


def kept(record: R) -> R:
    """The record with every value as it is kept."""
    kind = type(record)
    return kind(**{column.name: keepable(column, getattr(record, column.name)) for column in columns(kind)})


def erased_user(id: str) -> dict[str, Any]:
    """What stands in a host's row of a user who was erased: nobody, who can't sign in and whose name nobody takes."""
    # RFC 2606 §2: `.invalid` is nobody's, so no letter to it arrives and nobody can prove it.
    gone = {"email": f"erased-{id}@erased.invalid", "username": f"erased-{id}", "name": ""}
    return {**gone, "password": "!", "active": False}


def folded(text: str) -> str:
    """Without regard to case, as the databases' own `lower` does it: ASCII letters only."""
    return text.encode().lower().decode()


def is_storable(text: str) -> bool:
    """Whether both databases can hold the text: no NUL, no lone surrogate."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def overlong(values: Mapping[str, str], longest: Callable[[str], int]) -> dict[str, int]:
    """`Store.overlong`, by what a column of `User` keeps (0: all)."""
    return {name: most for name, value in values.items() if 0 < (most := longest(name)) < len(value)}


def uniques_of(kind: type[Record]) -> list[tuple[str, ...]]:
    """Every set of columns that is unique, the key's first."""
    return [(key_of(kind),), *_unique_columns(columns(kind)), *kind.uniques]


def _unique_columns(all_columns: Iterable[Column]) -> list[tuple[str, ...]]:
    return [(column.name,) for column in all_columns if column.unique]


def _typed(column: Column, value: Any) -> Any:
    if not isinstance(value, column.kind) or (column.kind is int and isinstance(value, bool)):
        raise TypeError(f"{column.name}: {type(value).__name__} where {column.kind.__name__} must be")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"{column.name}: a time without a zone")
        return value.astimezone(UTC)
    return value
