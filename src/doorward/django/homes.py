"""Where the rows of a record class are: in a model of ours, found by the name of its table, or in AUTH_USER_MODEL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import CharField, EmailField, F, Field, Manager, Model, Q, QuerySet, TextField
from django.db.models.lookups import In

from doorward.core.records import Plus, Record, User, columns, key_of
from doorward.core.refusals import Misconfigured
from doorward.django.functions import AsciiLower
from doorward.stores.values import (
    Comparison,
    Unstorable,
    column_of,
    comparisons,
    findable,
    folded,
    keepable,
    kept,
    overlong,
)

LOOKUPS = {"eq": "", "null": "__isnull", "lt": "__lt", "gt": "__gt", "in": "__in"}
Found = list[tuple[Any, Model | None]]
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # `User.created_at` where the project's model does not say
NOTHING = Q(pk__in=())


def homes_for(records: Iterable[type[Record]]) -> Mapping[type[Record], Home]:
    """The home of each record class. Raises `Misconfigured` for one whose table no model has."""
    models = {model._meta.db_table: model for model in apps.get_models()}
    homes: dict[type[Record], Home] = {}
    for kind in records:
        if kind is User:
            homes[kind] = UserHome(get_user_model())
        elif kind.table in models:
            homes[kind] = Home(kind, models[kind.table])
        else:
            raise Misconfigured("django.E1", f"{kind.__name__} needs a Django model with db_table = {kind.table!r}")
    return homes


class Home:
    """A model of ours: its fields are the record's."""

    def __init__(self, kind: type[Record], model: type[Model]) -> None:
        self.kind, self.model = kind, model
        self.names = tuple(column.name for column in columns(kind))
        self.moments = tuple(column.name for column in columns(kind) if column.kind is datetime)
        self.flags = tuple(column.name for column in columns(kind) if column.kind is bool)
        self._selects: dict[tuple[str, ...], Any] = {}

    def rows(self, alias: str, where: Mapping[str, Any]) -> QuerySet[Any]:
        """The rows that match. Raises `Unstorable` where no row can, TypeError for what does not exist."""
        conditions = [self.condition(comparison) for comparison in comparisons(self.kind, where)]
        return self.model._default_manager.using(alias).filter(*conditions)

    def condition(self, comparison: Comparison) -> Q:
        column, operator, value = comparison
        return Q(**{column.name + LOOKUPS[operator]: True if operator == "null" else value})

    def field(self, name: str) -> str:
        """The model's name of a column."""
        return column_of(self.kind, name).name

    def read(self, rows: QuerySet[Any]) -> Found:
        """The records, each with the instance it was made of where that is of use to anybody."""
        return [(self.kind(**dict(zip(self.names, row, strict=True))), None) for row in rows.values_list(*self.names)]

    def is_plain(self, where: Mapping[str, Any]) -> bool:
        """Whether this asks for text that is equal: by session, token, user or key, as every request does."""
        return all(type(value) is str and name in self.names for name, value in where.items())

    def fetch(self, connection: Any, where: Mapping[str, Any], *, order: str = "", limit: int = 1) -> Found:
        """The rows of a plain question, as `read` gives them; `order` is `ORDER BY` in the model's words. Django takes
        ten times as long to make the SELECT as the database to answer it."""
        statement = self._selects.get(key := (connection.vendor, order, *where))
        if statement is None:
            statement = self._selects[key] = self._select(connection.ops.quote_name, where, order)
        values = [findable(column_of(self.kind, name), value) for name, value in where.items()]
        with connection.cursor() as cursor:
            cursor.execute(statement, [*values, limit])
            rows = cursor.fetchall()
        return [(self.kind(**self._values(connection, row)), None) for row in rows]

    def _select(self, quote: Callable[[str], str], where: Iterable[str], order: str) -> str:
        wanted = " AND ".join(f"{quote(name)} = %s" for name in where) or "1 = 1"
        statement = f"SELECT {', '.join(map(quote, self.names))} FROM {quote(self.kind.table)} WHERE {wanted}"  # noqa: S608
        if order:
            name, way = order.lstrip("-"), "DESC" if order.startswith("-") else "ASC"
            statement += f" ORDER BY {quote(name)} {way}, {quote(key_of(self.kind))} {way}"
        return f"{statement} LIMIT %s"

    def _values(self, connection: Any, row: Any) -> dict[str, Any]:
        values = dict(zip(self.names, row, strict=True))
        for name in self.moments:
            moment = values[name]
            if moment is not None and moment.tzinfo is None:  # SQLite's driver gives no zone, and 0 or 1
                moment = moment.replace(tzinfo=connection.timezone)
            values[name] = moment and moment.astimezone(UTC)
        for name in self.flags:
            values[name] = bool(values[name])
        return values

    def instance(self, record: Any) -> Model:
        """A row to insert. Raises ValueError for a value that can't be kept."""
        record = kept(record)
        return self.model(**{name: getattr(record, name) for name in self.names})

    def changes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What UPDATE sets."""
        return {
            name: F(name) + value.by if isinstance(value, Plus) else keepable(column_of(self.kind, name), value)
            for name, value in values.items()
        }


class UserHome(Home):
    """The project's own users. Their key has its own type here and is text outside; a missing field reads as if it
    said nothing. Only those that the default manager shows exist."""

    def __init__(self, model: Any) -> None:
        super().__init__(User, model)
        login = _field(model, model.USERNAME_FIELD)
        email = _field(model, getattr(model, "EMAIL_FIELD", None) or "email")
        if email is None and isinstance(login, EmailField):
            email = login
        self.fields: dict[str, Field[Any, Any] | None] = {
            "id": model._meta.pk,
            "email": email,
            "username": None if login is None or login is email or isinstance(login, EmailField) else login,
            "active": _field(model, "is_active"),
            "password": _field(model, "password"),
            "created_at": _field(model, "date_joined"),
        }
        manager = model._default_manager
        self._shows_all = type(manager).get_queryset is Manager.get_queryset and manager._queryset_class is QuerySet
        self.called = [name for name in ("name", "full_name") if _field(model, name)][:1] or [
            name for name in ("first_name", "last_name") if _field(model, name)
        ]

    def is_plain(self, where: Mapping[str, Any]) -> bool:
        """By key, where the default manager is as Django made it: another may add to a question, each time anew."""
        return self._shows_all and tuple(where) == ("id",) and type(where["id"]) is str

    def fetch(self, connection: Any, where: Mapping[str, Any], *, order: str = "", limit: int = 1) -> Found:
        value = self._own_key(where["id"])
        if isinstance(value, int) and not _fits(self.model._meta.pk, value, connection):
            return []
        by_key = self._selects.get(key := (connection.vendor, connection.alias))
        if by_key is None:
            by_key = self._selects[key] = ByKey(self.model, connection, value)
        user = by_key.fetch(connection, value)
        return [] if user is None else [(self.record(user), user)]

    def condition(self, comparison: Comparison) -> Q:
        column, operator, value = comparison
        field = self._comparable(column.name)
        if field is None:
            return self._absent(comparison)
        values: list[Any] = list(value) if operator == "in" else [] if value is None else [value]
        if column.name == "id":
            values = [self._own_key(one) for one in values]
        elif column.folded:
            return _folded(field, operator, values)
        given = True if operator == "null" else values if operator == "in" else values[0]
        return Q(**{field.attname + LOOKUPS[operator]: given})

    def field(self, name: str) -> str:
        found = self._comparable(name)
        if found is None:
            raise TypeError(f"User: {name} is no column of {self.model.__name__}")
        return found.attname

    def read(self, rows: QuerySet[Any]) -> Found:
        return [(self.record(user), user) for user in rows]

    def record(self, user: Any) -> User:
        """A user of the project's as ours."""

        def value(name: str) -> Any:
            field = self.fields[name]
            return None if field is None else getattr(user, field.attname)

        username = value("username")
        return User(
            id=str(user.pk),
            email=value("email") or None,
            username=None if username in (None, "") else str(username),
            name=" ".join(filter(None, (getattr(user, name) for name in self.called))),
            active=bool(getattr(user, "is_active", True)),
            password=value("password"),
            created_at=value("created_at") or LONG_AGO,
        )

    def instance(self, record: Any) -> Model:
        record = kept(record)
        values = {name: getattr(record, name) for name in ("email", "active", "password", "created_at")}
        if self.fields["username"] is not None:
            # Every user of most projects must have a name of their own. Who chose none gets one that says nothing.
            longest = getattr(self.fields["username"], "max_length", None)
            values["username"] = record.username or f"user-{record.id}"[:longest]
        key: Any = self.fields["id"]
        if isinstance(key, CharField) and not key.has_default():
            values["id"] = record.id
        made = self.model(**self.changes({**values, "name": record.name}))
        if record.password is None and hasattr(made, "set_unusable_password"):
            made.set_unusable_password()
        return made

    def changes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for name, value in values.items():
            kept_value = keepable(column_of(User, name), value)
            field = None if name == "name" else self.fields[name]
            if name == "name":
                changes.update(zip(self.called, _split(kept_value, len(self.called)), strict=True))
            elif field is not None:
                blank = "" if not field.null and field.get_internal_type() in _TEXTS else None
                changes[field.attname] = blank if kept_value is None else kept_value
        if too_long := self._too_long(changes):
            raise ValueError(f"{self.model.__name__}: longer than its fields keep: {too_long}")
        return changes

    def overlong(self, values: Mapping[str, str]) -> dict[str, int]:
        """`Store.overlong`: a name may be split among several fields."""
        found = overlong(values, lambda name: column_of(User, name).size)
        for name, value in values.items():
            if name == "name":
                fields = dict(zip(self.called, _split(value, len(self.called)), strict=True))
            else:
                fields = {field.attname: value} if (field := self.fields[name]) is not None else {}
            if too_long := self._too_long(fields):
                found[name] = min(too_long.values())
        return found

    def _too_long(self, values: Mapping[str, Any]) -> dict[str, int]:
        """Which fields of the model these values are too long for, and how much those keep."""
        longest: dict[str, Any] = {
            name: getattr(self.model._meta.get_field(name), "max_length", None) for name in values
        }
        return {
            name: longest[name]
            for name, value in values.items()
            if isinstance(value, str) and longest[name] is not None and len(value) > longest[name]
        }

    def _comparable(self, name: str) -> Field[Any, Any] | None:
        if name not in self.fields:
            raise TypeError(f"User: {name} can't be compared in {self.model.__name__}")
        return self.fields[name]

    def _absent(self, comparison: Comparison) -> Q:
        """A column that the project's model has not reads the same in every row."""
        reads = {"active": True, "created_at": LONG_AGO}.get(comparison.column.name)
        holds: dict[str, Callable[[Any], bool]] = {
            "null": lambda _: reads is None,
            "eq": lambda value: reads == value,
            "in": lambda values: reads in values,
        }
        return Q() if holds[comparison.operator](comparison.value) else NOTHING

    def _own_key(self, text: str) -> Any:
        """The key as its own type. `007` is no other spelling of `7`: it is nobody's."""
        key: Any = self.fields["id"]
        try:
            value = key.to_python(text)
        except (ValidationError, ValueError, OverflowError):
            value = None
        if value is None or str(value) != text:
            raise Unstorable("no user has this key")
        return value


class ByKey:
    """The SELECT of one row of a project's model by its key, made once; and the row as an instance, as Django does it
    (`django.db.models.query.ModelIterable`)."""

    def __init__(self, model: type[Model], connection: Any, value: Any) -> None:
        rows = model._default_manager.using(connection.alias).filter(pk=value).order_by()
        compiler = rows.query.get_compiler(connection=connection)
        self.statement, parameters = compiler.as_sql()
        assert len(parameters) == 1  # noqa: S101  # the manager adds nothing
        expressions = [expression for expression, *_ in compiler.select]
        self.model, self.names = model, [expression.target.attname for expression in expressions]
        self.converters = compiler.get_converters(expressions)

    def fetch(self, connection: Any, value: Any) -> Model | None:
        key: Any = self.model._meta.pk
        with connection.cursor() as cursor:
            cursor.execute(self.statement, [key.get_db_prep_value(value, connection, prepared=False)])
            row = cursor.fetchone()
        if row is None:
            return None
        values = list(row)
        for place, (convert, expression) in self.converters.items():
            for one in convert:
                values[place] = one(values[place], expression, connection)
        return self.model.from_db(connection.alias, self.names, values)


_TEXTS = {"CharField", "EmailField", "TextField"}


def _field(model: type[Model], name: str) -> Field[Any, Any] | None:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) and field.concrete else None


def _plain(field: Any) -> Any:
    """The field that a key of an inherited model refers to."""
    return _plain(field.target_field) if field.is_relation else field


def _fits(field: Any, number: int, connection: Any) -> bool:
    """Whether the database's column can hold it; a driver would raise for one that it can't."""
    low, high = connection.ops.integer_field_range(_plain(field).get_internal_type())
    return bool((low is None or low <= number) and (high is None or number <= high))


def _folded(field: Field[Any, Any], operator: str, values: list[str]) -> Q:
    if operator == "null":
        return Q(**{f"{field.attname}__isnull": True})
    if not isinstance(field, CharField | TextField):
        return Q(**{f"{field.attname}__in": [one for value in values for one in _as_own(field, value)]})
    if operator not in ("eq", "in"):
        raise TypeError(f"User: {field.name} compares by equality")
    return Q(In(AsciiLower(F(field.attname)), [folded(value) for value in values]))


def _as_own(field: Field[Any, Any], value: str) -> tuple[Any, ...]:
    try:
        return (field.to_python(value),)
    except ValidationError:
        return ()


def _split(name: str, parts: int) -> list[str]:
    """One name for as many fields as there are: all but the first word is the last one's."""
    return [] if not parts else [name] if parts == 1 else [*name.partition(" ")[::2]]
