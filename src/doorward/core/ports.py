"""What the core asks of the world. Every port says which colour it has: `sync` ones never suspend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from doorward.core.records import OutboxMessage, Record, User

Colour = Literal["sync", "async"]
R = TypeVar("R", bound=Record)


class Store(Protocol):
    """One unit of work: at most one connection, taken at first use.

    Comparisons in `where`: `name=value` (`None` is NULL), `name__lt`, `name__gt`, `name__in`. Single use is `take`;
    compare-and-set is `change` with the guard in `where`; no write depends on a read that its `where` does not guard.
    """

    async def add(self, *records: Record) -> bool:
        """Insert all or nothing. False if a unique value is taken; the transaction stays usable."""

    async def get(self, kind: type[R], /, **where: Any) -> R | None:
        """The one row that matches, or None."""

    async def find(
        self, kind: type[R], /, *, order: str = "", limit: int = 100, after: R | None = None, **where: Any
    ) -> list[R]:
        """Rows that match, at most `limit`. `order` names one non-null column, `-` before it turns it round, the key
        is its second part; `after` is the last record of the page before."""

    async def change(self, kind: type[Record], where: dict[str, Any], /, **values: Any) -> int:
        """UPDATE … WHERE; the number of rows. `Plus(n)` as a value adds. 0 too, and nothing changed, if one of the
        values must be unique and is taken; the transaction stays usable."""

    async def take(self, kind: type[R], /, **where: Any) -> R | None:
        """Delete one row and return it: at most one caller gets it."""

    async def remove(self, kind: type[Record], /, *, limit: int | None = None, **where: Any) -> int:
        """DELETE … WHERE; the number of rows."""

    async def count(self, kind: type[Record], /, **where: Any) -> int:
        """The number of rows that match."""

    async def add_user(self, user: User) -> User | None:
        """Make a row in the user table, the host's or ours. Returned as it is stored, with the key and the columns
        that the table gave it (`password` is None where it has none); None if a unique value is taken."""

    def overlong(self, **values: str) -> Mapping[str, int]:
        """Which of these the user table, the host's or ours, can't keep whole, and how many code points it can."""

    async def erase_user(self, id: str) -> bool:
        """Remove a row of our user table. A host's own rows may refer to its users: there the row stays, without what
        says who it was (`erased_user` of stores/values). False if there is none."""

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """All or nothing; inside another one it joins that. `Refused` commits and leaves; all else rolls back."""

    @property
    def in_transaction(self) -> bool:
        """A transaction is open, be it ours or one that the host opened around us."""


class Stores(Protocol):
    """Where units of work come from: one for the process, thread-safe."""

    colours: frozenset[Colour]

    def unit(self, colour: Colour) -> AbstractAsyncContextManager[Store]:
        """A unit of work of that colour; leaving it gives its connection back."""

    def close(self) -> None:
        """Let all connections go."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What somebody may do: `names` such as `orders.read`, or with `everything` all that there are and will be."""

    names: frozenset[str] = frozenset()
    everything: bool = False

    def __contains__(self, name: object) -> bool:
        return self.everything or name in self.names

    def cover(self, others: Permissions) -> bool:
        """Whether these hold all of the others."""
        return self.everything or (not others.everything and others.names <= self.names)


@dataclass(frozen=True, slots=True)
class KnownRole:
    """A role that there is, and what it permits."""

    name: str
    permissions: Permissions


class RoleBook(Protocol):
    """Which roles there are, what they permit, and who has them: rows of ours, or a host's own groups.

    All of it happens in the unit of work, and the transaction, of who calls.
    """

    async def roles_of(self, store: Store, user: User) -> tuple[str, ...]:
        """The names of the roles that a user has, sorted."""

    async def permissions_of(self, store: Store, user: User, roles: Sequence[str]) -> Permissions:
        """What a user who has these roles may do."""

    async def known(self, store: Store) -> Sequence[KnownRole]:
        """All roles, by name."""

    async def hold(self, store: Store, name: str) -> KnownRole | None:
        """The role, which stays as it is until the present transaction ends; None where there is none. Roles by which
        roles can be given are held together, so that of two last ones one stays."""

    async def give(self, store: Store, user: User, name: str, now: datetime) -> bool:
        """False if the user has it."""

    async def take(self, store: Store, user: User, name: str) -> bool:
        """False if the user has it not."""

    async def holders(self, store: Store, permission: str) -> Sequence[User]:
        """The active users who may do this. They stay so until the present transaction ends: of two who go at the same
        moment, the second one sees that the first is gone."""


class Limits(Protocol):
    """Fast counters that may be lost; what must not be lost is counted in the store."""

    async def hit(self, key: str, *, most: int, seconds: int) -> int:
        """Count one. 0 if it is within `most` in `seconds`, else the whole seconds until the next one may come."""

    async def once(self, key: str, *, seconds: int) -> bool:
        """True for the first caller within `seconds`."""

    async def forget(self, key: str) -> None:
        """Start from nothing."""


class Hash(Protocol):
    """Password hashing, bounded and away from request threads. Every method may raise `Busy`."""

    async def hash(self, password: str) -> str:
        """A new hash by the preferred scheme, with a salt of its own."""

    async def verify(self, *, password: str, hash: str) -> bool:
        """Whether the password is the hash's. Never raises for a malformed or too costly hash: False."""

    async def work_of(self, scheme: str, password: str) -> None:
        """The work of a failed verification by that scheme, for nobody."""

    async def derive(self, text: str, *, salt: bytes) -> str:
        """Argon2id of a random code with the salt of its set, as text: for look-up by equality (rule 15)."""

    async def wrap(self, hashes: Sequence[str]) -> list[str | None]:
        """Each weak old hash under argon2id, without its password, on as many cores as there are; None for others."""

    def needs_rehash(self, hash: str) -> bool:
        """Whether a hash made today would look otherwise."""


class BreachSearch(Protocol):
    """A service that knows breached passwords, asked by k-anonymity: five digits of a digest leave this machine."""

    async def knows(self, password: str) -> bool | None:
        """Whether it was in a breach; None where no answer came in time. Never raises, never inside a transaction."""


class Busy(Exception):
    """No place to hash in now; `retry_after` in whole seconds."""

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__(f"no place to hash in, try again in {retry_after} s")
        self.retry_after = retry_after


class Unavailable(Exception):
    """The world can't be reached (store down, connection lost): 503, cookies untouched, never a stale yes."""


class Clock(Protocol):
    """The time, in UTC, aware."""

    def __call__(self) -> datetime: ...


class Randomness(Protocol):
    """`count` unpredictable bytes."""

    def __call__(self, count: int, /) -> bytes: ...


class Post(Protocol):
    """Told after commit that messages wait in the outbox; returns at once."""

    def __call__(self, messages: tuple[OutboxMessage, ...], /) -> None: ...
