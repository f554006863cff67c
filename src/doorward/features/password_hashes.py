"""What passwords are stored as: which schemes there are, and weak old hashes wrapped in argon2id all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from doorward.core.call import Call
from doorward.core.feature import Feature
from doorward.core.ports import Store
from doorward.core.records import Authenticator, User
from doorward.core.refusals import Refused
from doorward.features.password import METHOD, replace_hash, restamp
from doorward.primitives import foreign_hashes, hashing, wrapping

PAGE = 200  # users read at once
AT_ONCE = 8  # hashes made at once: the pool holds as many on one core

Tick = Callable[[int], None]  # told how many users are done


class Stored(NamedTuple):
    """One user's password, where it is: in the host's table, or in its authenticator."""

    user: User
    authenticator: Authenticator
    hash: str


@dataclass(slots=True)
class Wrapping:
    """What a run has done: users looked at; hashes wrapped, by scheme; those that somebody changed meanwhile; and those
    that are left, since no shell can be made of them or the host's column is too short."""

    users: int = 0
    wrapped: Counter[str] = field(default_factory=Counter)
    overtaken: int = 0
    left: int = 0


async def count_schemes(call: Call, tick: Tick = lambda _: None) -> Counter[str]:
    """How many passwords are stored by each scheme; `none` for users without one."""
    counts: Counter[str] = Counter()
    async for page in _pages(call):
        counts.update(scheme(stored.hash) for stored in page)
        tick(len(page))
    return counts


def scheme(hash: str) -> str:
    """The scheme in one word, without its costs: `argon2id`, `wrapped salted_md5`, `argon2id, pepper k1`."""
    if not hashing.is_usable(hash):
        return "none"
    parts = hashing.scheme_of(hash).split(":")
    name = f"wrapped {parts[2]}" if parts[0] == "wrapped" else parts[0]
    pepper = hashing.pepper_of(hash)
    return f"{name}, pepper {pepper}" if pepper else name


async def peppers_in(store: Store, *, most: int = 1000) -> Counter[str]:
    """How many of the newest passwords need which pepper, by its id."""
    users = await store.find(User, order="-created_at", limit=most)
    rows = await store.find(Authenticator, kind=METHOD.name, order="-created_at", limit=most)
    hashes = [user.password or "" for user in users] + [row.data for row in rows]
    return Counter(id for id in map(hashing.pepper_of, hashes) if id)


async def wrap_all(call: Call, *, dry_run: bool = False, tick: Tick = lambda _: None) -> Wrapping:
    """Wrap every weak hash. What is wrapped already is passed by, so a run that was killed is simply run again.

    Each hash is replaced in a transaction of its own, and only while it is what was wrapped: a sign-in or a change of
    the password meanwhile wins. Sessions stay, since the password is the same.
    """
    done = Wrapping()
    async for page in _pages(call):
        weak = [stored for stored in page if is_weak(stored.hash)]
        for at in range(0, len(weak), AT_ONCE):
            await _wrap(call, weak[at : at + AT_ONCE], done, dry_run=dry_run)
        done.users += len(page)
        tick(len(page))
    return done


def is_weak(hash: str) -> bool:
    """Whether a stored hash is one to wrap."""
    check = foreign_hashes.read(hash) if hashing.is_usable(hash) else None
    return check is not None and wrapping.is_weak(check)


async def _wrap(call: Call, weak: list[Stored], done: Wrapping, *, dry_run: bool) -> None:
    made: list[str | None]
    made = [stored.hash for stored in weak] if dry_run else await call.hash.wrap([stored.hash for stored in weak])
    for stored, new_hash in zip(weak, made, strict=True):
        try:
            replaced = dry_run or (new_hash is not None and await _replaced(call, stored, new_hash))
        except ValueError:  # longer than the column
            new_hash = None
        if new_hash is None:
            done.left += 1
        elif replaced:
            done.wrapped[scheme(stored.hash)] += 1
        else:
            done.overtaken += 1


async def _replaced(call: Call, stored: Stored, new_hash: str) -> bool:
    try:
        async with call.store.transaction():
            await replace_hash(call, stored.user, stored.authenticator, new_hash)
            await restamp(call, stored.user)
    except Refused:
        return False
    return True


async def _pages(call: Call) -> AsyncIterator[list[Stored]]:
    """All users, by key; nothing is made for those who have not been here yet."""
    last: User | None = None
    while users := await call.store.find(User, limit=PAGE, after=last):
        handles = [f"password:{user.id}" for user in users]
        rows = await call.store.find(Authenticator, limit=PAGE, handle__in=handles)
        found = {row.handle: row for row in rows}
        yield [_stored(call, user, found.get(f"password:{user.id}")) for user in users]
        last = users[-1]


def _stored(call: Call, user: User, row: Authenticator | None) -> Stored:
    row = row or Authenticator(id="", user_id=user.id, kind=METHOD.name, created_at=call.now)
    return Stored(user, row, row.data if user.password is None else user.password)


class PasswordHashes(Feature):
    """What passwords are stored as. It is in operators' hands: no request reaches it."""
