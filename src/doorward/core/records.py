"""What is kept: frozen dataclasses, one table each, and the few words a store needs to know about their fields.

A field is `str`, `int`, `bool` or an aware `datetime`, each also `| None`. Stores build tables from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar, ParamSpec, TypeVar, cast, get_type_hints

P = ParamSpec("P")
T = TypeVar("T")


class Moves(Enum):
    """Whether the rows of a record class go along when a whole installation is exported."""

    ALWAYS = "always"
    WITH_SESSIONS = "with sessions"  # who is signed in: where that is asked for
    NEVER = "never"  # worth nothing in an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Something stored. `table` names its table; `uniques` are unique together beside each `column(unique=True)`.

    A record with a column `user_id` is about that user, and goes when the user is erased. `exported` names what of it
    its user is given in an export: nothing unless it says so, and never a secret or a digest. `moves`: whether it goes
    along when the installation moves to another database.
    """

    table: ClassVar[str]
    uniques: ClassVar[tuple[tuple[str, ...], ...]] = ()
    exported: ClassVar[tuple[str, ...]] = ()
    moves: ClassVar[Moves] = Moves.ALWAYS


def column(
    *,
    key: bool = False,
    unique: bool = False,
    index: bool = False,
    folded: bool = False,
    size: int = 255,
    default: Any = MISSING,
) -> Any:
    """A field of a record. `size` is the most code points kept (0: unbounded text).

    `folded` compares without regard to case: for the columns of a host's own user table, whose case we do not choose.
    """
    described = Column("", str, False, key, unique, index, folded, size)
    return field(default=default, metadata={"column": described})


@dataclass(frozen=True, slots=True)
class Column:
    """One field as a store sees it; `kind` is `str`, `int`, `bool` or `datetime`."""

    name: str
    kind: type
    nullable: bool
    key: bool = False
    unique: bool = False
    index: bool = False
    folded: bool = False
    size: int = 255


def cached(function: Callable[P, T]) -> Callable[P, T]:
    """`functools.cache` that keeps the signature; type checkers take a record class for unhashable without it."""
    return cast("Callable[P, T]", cache(function))


@cached
def columns(kind: type[Record]) -> tuple[Column, ...]:
    """The columns of a record class, in the order of its fields."""
    hints = get_type_hints(kind)
    return tuple(_column(f.name, hints[f.name], f.metadata.get("column")) for f in fields(kind))


def _column(name: str, hint: Any, described: Column | None) -> Column:
    options = getattr(hint, "__args__", (hint,))
    nullable = type(None) in options
    (plain,) = [option for option in options if option is not type(None)]
    if plain not in (str, int, bool, datetime):
        raise TypeError(f"{name}: {plain} is not a type that stores know")
    return replace(described or Column("", str, False), name=name, kind=plain, nullable=nullable)


@cached
def key_of(kind: type[Record]) -> str:
    """The name of the key column."""
    return next(c.name for c in columns(kind) if c.key)


def about_users(kinds: Iterable[type[Record]]) -> tuple[type[Record], ...]:
    """The record classes that are about one user, by their column `user_id`; the user's own row is none of them."""
    return tuple(kind for kind in kinds if kind is not User and any(c.name == "user_id" for c in columns(kind)))


@dataclass(frozen=True, slots=True)
class Plus:
    """As a value in `Store.change`: add `by` to what the row holds now."""

    by: int


PERSON, SERVICE = "person", "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """A person or program. The row is in the host's own table, or in ours; its key is a string on this side.

    `password` is the hash where the host's table has a column for it (Django's has); `None` says it has none,
    and the hash lives in the password `Authenticator`. `email` and `username` are as the user wrote them.
    """

    table: ClassVar[str] = "doorward_user"
    exported: ClassVar[tuple[str, ...]] = ("id", "email", "username", "name", "created_at")

    id: str = column(key=True, size=64)
    email: str | None = column(index=True, folded=True, default=None)
    username: str | None = column(index=True, folded=True, default=None)
    name: str = column(default="")
    active: bool = column(default=True)
    password: str | None = column(size=1024, default=None)
    created_at: datetime = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Record):
    """What Doorward knows of a user beside that table; one to one, made on first contact.

    `auth_epoch` is random and new after everything that must end sessions; `version` rises with every change of
    session, role, factor or state, and is the guard of rules that look at several rows (rules 19 and 44).
    `kind` is PERSON or SERVICE: a program that has API keys, and no way to sign in.
    `address_exempt`: existed before Doorward or was imported, so the address gate does not hold it back (rule 3).
    `closes_at`: its user has closed it, and until then may keep it; afterwards it is erased.
    `signed_up_as`: the id that its user had before it was made, where the host has given it another.
    """

    table: ClassVar[str] = "doorward_account"
    exported: ClassVar[tuple[str, ...]] = ("kind", "locale", "time_zone", "closes_at", "created_at")

    user_id: str = column(key=True, size=64)
    auth_epoch: str = column(size=64)
    version: int = column(default=1)
    kind: str = column(size=16, default=PERSON)
    username_key: str | None = column(unique=True, default=None)
    signed_up_as: str = column(size=64, default="")
    address_exempt: bool = column(default=False)
    locale: str = column(size=35, default="")
    time_zone: str = column(size=64, default="")
    closes_at: datetime | None = column(index=True, default=None)
    created_at: datetime = column()

    def is_over(self, now: datetime) -> bool:
        """It was closed, and the time in which it could be kept has passed."""
        return self.closes_at is not None and self.closes_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailAddress(Record):
    """An address of a user. `verified_key` is its canonical form where verified, else NULL: unique where verified."""

    table: ClassVar[str] = "doorward_email_address"
    exported: ClassVar[tuple[str, ...]] = ("id", "address", "is_primary", "verified_at", "created_at")

    id: str = column(key=True, size=64)
    user_id: str = column(index=True, size=64)
    address: str = column(size=320)
    canonical: str = column(index=True, size=320)
    canonical_version: int = column(default=1)
    verified_key: str | None = column(unique=True, size=320, default=None)
    verified_at: datetime | None = column(default=None)
    is_primary: bool = column(default=False)
    created_at: datetime = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber(Record):
    """A phone number of a user, in E.164. `verified_key` is the same where somebody vouches for it, else NULL."""

    table: ClassVar[str] = "doorward_phone_number"
    exported: ClassVar[tuple[str, ...]] = ("id", "number", "verified_at", "created_at")

    id: str = column(key=True, size=64)
    user_id: str = column(index=True, size=64)
    number: str = column(size=16)
    verified_key: str | None = column(unique=True, size=16, default=None)
    verified_at: datetime | None = column(default=None)
    created_at: datetime = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator(Record):
    """Something enrolled that can prove who one is (NIST SP 800-63B-4): password, TOTP secret, recovery code.

    `data` is sealed or a hash. `guard` is the last TOTP step or sign counter, moved by compare-and-set only.
    `failures` are those of strangers (80 at most), `known_failures` those from known devices (20): rule 12.
    """

    table: ClassVar[str] = "doorward_authenticator"
    exported: ClassVar[tuple[str, ...]] = ("id", "kind", "name", "disabled_at", "last_used_at", "created_at")

    id: str = column(key=True, size=64)
    user_id: str = column(index=True, size=64)
    kind: str = column(size=32)
    handle: str | None = column(unique=True, default=None)
    name: str = column(default="")
    data: str = column(size=0, default="")
    failures: int = column(default=0)
    known_failures: int = column(default=0)
    guard: int = column(default=0)
    disabled_at: datetime | None = column(default=None)
    last_used_at: datetime | None = column(default=None)
    created_at: datetime = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage(Record):
    """A letter or text message on its way: put in the transaction that causes it, sent after commit, with retries.

    `body` is sealed (it may hold a code or a link). Kind `nothing` is written where there is nobody to write to,
    so that known and unknown addresses commit the same number of rows (rule 14).
    """

    table: ClassVar[str] = "doorward_outbox"
    moves: ClassVar[Moves] = Moves.NEVER

    id: str = column(key=True, size=64)
    kind: str = column(size=32)
    body: str = column(size=0)
    tries: int = column(default=0)
    due_at: datetime = column(index=True)
    expires_at: datetime = column()
    created_at: datetime = column()


CORE_RECORDS: tuple[type[Record], ...] = (User, Account, EmailAddress, PhoneNumber, Authenticator, OutboxMessage)
