"""The port `Store` over Django's own connection, so that a project's rows and ours are in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from types import TracebackType
from typing import Any, TypeVar, cast

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connections
from django.db.models import Model, Q, QuerySet
from django.db.transaction import Atomic, atomic

from doorward.core.finish import finish
from doorward.core.ports import Colour, Store, Unavailable
from doorward.core.records import Record, User, key_of
from doorward.core.refusals import Misconfigured, Refused
from doorward.django.homes import Found, Home, UserHome, homes_for
from doorward.stores.values import Unstorable, erased_user, ordering, uniques_of

R = TypeVar("R", bound=Record)

# SQLSTATEs (PostgreSQL, appendix A): unique_violation; undefined_table, undefined_column.
CLASH, ABSENT = "23505", ("42P01", "42703")
SQLITE_CLASHES = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID")
RIVALS = 100  # rows that may be gone by the time one is taken; each time somebody else got one
UNMIGRATED = "the database lacks tables or columns of Doorward; run `manage.py migrate`"


class Taken(Exception):
    """A unique value is taken."""


class DjangoStores:
    """Units of work on the connection `alias` of the running thread, which stays Django's to open and to close; but
    `closing`, for threads that Django knows nothing of."""

    colours: frozenset[Colour] = frozenset({"sync"})

    def __init__(self, records: Iterable[type[Record]], alias: str = "default", *, closing: bool = False) -> None:
        self.alias, self._closing = alias, closing
        self.homes = homes_for(records)

    def unit(self, colour: Colour) -> AbstractAsyncContextManager[Store]:
        if colour not in self.colours:
            raise ValueError("Django's connections have one colour, sync")
        return DjangoStore(self.alias, self.homes, closing=self._closing)

    def close(self) -> None:
        """Nothing here is ours to close."""


class DjangoStore:
    """One unit of work. Outside a transaction every statement stands alone, whatever ATOMIC_REQUESTS says.

    `people` are the users that were read, as instances of the project's model, by our id.
    """

    __slots__ = ("_alias", "_atomic", "_broken", "_closing", "_depth", "_homes", "people")

    def __init__(self, alias: str, homes: Mapping[type[Record], Home], *, closing: bool = False) -> None:
        self._alias, self._homes, self._closing = alias, homes, closing
        self._atomic: Atomic | None = None
        self._depth = 0
        self._broken = False
        self.people: dict[str, Any] = {}

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._closing and not connections[self._alias].in_atomic_block:
            connections[self._alias].close()

    async def add(self, *records: Record) -> bool:
        rows = [self._homes[type(record)].instance(record) for record in records]
        try:
            self._insert(*rows)
        except Taken:
            return False
        return True

    async def add_user(self, user: User) -> User | None:
        home = cast("UserHome", self._homes[User])
        made: Any = home.instance(user)
        try:
            with self.translating(), atomic(self._alias):
                made.save(using=self._alias, force_insert=True)  # a project's receivers of post_save make its profiles
        except Taken:
            return None
        return await self.get(User, id=str(made.pk))

    def overlong(self, **values: str) -> Mapping[str, int]:
        return cast("UserHome", self._homes[User]).overlong(values)

    async def erase_user(self, id: str) -> bool:
        return await self.change(User, {"id": id}, **erased_user(id)) == 1

    async def get(self, kind: type[R], /, **where: Any) -> R | None:
        home = self._homes[kind]
        rows = self._fetched(home, where) if home.is_plain(where) else self._read(home, self._rows(kind, where)[:1])
        return rows[0] if rows else None

    async def find(
        self, kind: type[R], /, *, order: str = "", limit: int = 100, after: R | None = None, **where: Any
    ) -> list[R]:
        name, backwards = ordering(kind, order)
        home = self._homes[kind]
        field, sign = home.field(name), "-" if backwards else ""
        if after is None and home.is_plain(where):
            return self._fetched(home, where, order=f"{sign}{field}", limit=limit)
        rows = self._rows(kind, where).order_by(f"{sign}{field}", f"{sign}pk")
        if after is not None:
            beyond = "lt" if backwards else "gt"
            place, key = getattr(after, name), getattr(after, key_of(kind))
            rows = rows.filter(Q(**{f"{field}__{beyond}": place}) | Q(**{field: place, f"pk__{beyond}": key}))
        return self._read(home, rows[:limit])

    async def count(self, kind: type[Record], /, **where: Any) -> int:
        with self.translating():
            return self._rows(kind, where).count()

    async def change(self, kind: type[Record], where: dict[str, Any], /, **values: Any) -> int:
        changes = self._homes[kind].changes(values)
        rows = self._rows(kind, where)
        if not changes:  # the project's users have none of these columns: nothing to write
            return await self.count(kind, **where)
        may_clash = any(values.keys() & set(names) for names in uniques_of(kind)) or kind is User
        try:
            with self._apart(needed=may_clash):
                return rows.update(**changes)
        except Taken:
            return 0

    async def take(self, kind: type[R], /, **where: Any) -> R | None:
        for _ in range(RIVALS):
            row = await self.get(kind, **where)
            if row is None:
                return None
            key = key_of(kind)
            # The whole of `where` again: the row may have changed since it was read. The count decides who got it.
            if self._delete(kind, {**where, f"{key}__in": [getattr(row, key)]}):
                return row
        return None

    async def remove(self, kind: type[Record], /, *, limit: int | None = None, **where: Any) -> int:
        if limit is None:
            return self._delete(kind, where)
        key = key_of(kind)
        some = self._read(self._homes[kind], self._rows(kind, where)[:limit])
        return self._delete(kind, {**where, f"{key}__in": [getattr(row, key) for row in some]}) if some else 0

    def transaction(self) -> AbstractAsyncContextManager[None]:
        return _Transaction(self)

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0 or is_in_host_transaction(self._alias)

    def person(self, user_id: str) -> Any:
        """A user as an instance of the project's model."""
        if user_id not in self.people:
            finish(self.get(User, id=user_id))
        return self.people[user_id]

    def _rows(self, kind: type[Record], where: Mapping[str, Any]) -> QuerySet[Any]:
        home = self._homes[kind]
        try:
            return home.rows(self._alias, where)
        except Unstorable:
            return home.model._default_manager.using(self._alias).none()

    def _fetched(self, home: Home, where: Mapping[str, Any], **how: Any) -> list[Any]:
        try:
            with self.translating():
                return self._known(home.fetch(connections[self._alias], where, **how))
        except Unstorable:
            return []

    def _read(self, home: Home, rows: QuerySet[Any]) -> list[Any]:
        with self.translating():
            return self._known(home.read(rows))

    def _known(self, found: Found) -> list[Any]:
        self.people.update({record.id: user for record, user in found if user is not None})
        return [record for record, _ in found]

    def _insert(self, *rows: Model) -> None:
        # `atomic` is a transaction here, and inside of another one a savepoint: what is there stays usable.
        with self.translating(), atomic(self._alias):
            for row in rows:
                type(row)._default_manager.using(self._alias).bulk_create([row])

    def _delete(self, kind: type[Record], where: Mapping[str, Any]) -> int:
        model = self._homes[kind].model
        with self.translating():
            _, deleted = self._rows(kind, where).delete()
        return deleted.get(model._meta.label, 0)

    @contextmanager
    def _apart(self, *, needed: bool) -> Iterator[None]:
        """Inside a transaction, a savepoint where a unique value may be taken: PostgreSQL spoils all of it else."""
        with self.translating():
            if needed and connections[self._alias].in_atomic_block:
                with atomic(self._alias):
                    yield
            else:
                yield

    @contextmanager
    def translating(self) -> Iterator[None]:
        """What Django's ORM raises inside, in our words."""
        try:
            yield
        except IntegrityError as error:
            raise translated(error) from None
        except DatabaseError as error:
            raise translated(error) from error
        except InterfaceError as error:
            raise Unavailable(f"the database {self._alias}: {type(error).__name__}") from error

    def enter(self) -> None:
        """Begin a transaction, or join the one that is open."""
        if self._depth == 0:
            # Durable: what we commit is committed, and by nobody else. Inside the host's it is a savepoint.
            began = atomic(self._alias, durable=not is_in_host_transaction(self._alias))
            with self.translating():
                began.__enter__()
            self._atomic = began
        self._depth += 1

    def leave(self, *, well: bool) -> None:
        """End what `enter` began. The outermost one commits, unless something went wrong inside."""
        self._depth -= 1
        self._broken = self._broken or not well
        if self._depth or self._atomic is None:
            return
        broken, began = self._broken, self._atomic
        self._broken, self._atomic = False, None
        failure = RuntimeError("a part of this transaction failed, so nothing of it is kept")
        with self.translating():
            began.__exit__(RuntimeError if broken else None, failure if broken else None, None)
        if broken and well:
            raise failure


class _Transaction:
    __slots__ = ("_store",)

    def __init__(self, store: DjangoStore) -> None:
        self._store = store

    async def __aenter__(self) -> None:
        self._store.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._store.leave(well=exception is None or isinstance(exception, Refused))


def is_in_host_transaction(alias: str) -> bool:
    """Whether the project has opened a transaction around us, be it ATOMIC_REQUESTS.

    Those in which `django.test.TestCase` wraps every test are none: they stand for the empty database.
    """
    connection = connections[alias]
    blocks: list[Any] = connection.atomic_blocks
    if blocks:
        return any(not getattr(block, "_from_testcase", False) for block in blocks)
    return connection.connection is not None and not connection.get_autocommit()


def translated(error: DatabaseError) -> Exception:
    """Django's error in our words; the error itself where it is a mistake of ours."""
    cause: Any = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)  # psycopg 3, psycopg2
    name = getattr(cause, "sqlite_errorname", "")
    if isinstance(error, IntegrityError) and (state == CLASH or name in SQLITE_CLASHES):
        return Taken(str(error))
    if isinstance(error, IntegrityError):
        # PostgreSQL's own text holds the whole row, a password's hash among it.
        where = str(error) if name else " ".join(filter(None, (_said(cause, "column"), _said(cause, "constraint"))))
        return Misconfigured("django.E2", f"AUTH_USER_MODEL refuses a row that we make ({where}): give it defaults")
    if state in ABSENT or (name == "SQLITE_ERROR" and "no such" in str(error)):
        return Misconfigured("django.E3", UNMIGRATED)
    return Unavailable(f"the database: {type(cause).__name__}") if isinstance(error, OperationalError) else error


def _said(cause: Any, what: str) -> str:
    return getattr(getattr(cause, "diag", None), f"{what}_name", None) or ""
