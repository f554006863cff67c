"""What somebody may do: the roles that a user has, read in this one place, and how they are given and taken."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from doorward.core.accounts import account_of
from doorward.core.call import Call
from doorward.core.events import RoleGranted, RoleRevoked
from doorward.core.ports import KnownRole, Permissions, RoleBook
from doorward.core.records import PERSON, Account, User
from doorward.core.refusals import Misconfigured, Refused

# Who may give roles to others, and who may invite people. An administrator may do everything.
MANAGE_ROLES = "doorward.roles"
INVITE = "doorward.invite"
# Who may hand others a link by which they set up anew what they lost.
RECOVER_USERS = "doorward.recover"
ADMIN = "admin"

TRIES = 3  # rule 44


@dataclass(frozen=True, slots=True)
class Verified:
    """Who made a request, as a proxy in front of another application is told. An API key has no session, and no role:
    it does what its scopes say, and a role stands for more."""

    user: User
    roles: tuple[str, ...]
    session: str
    aal: int


_ROLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PERMISSION = re.compile(r"(?=.{1,150}\Z)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


def is_role_name(text: str) -> bool:
    """ASCII letters, digits, `_`, `.` and `-`; 64 at most."""
    return _ROLE.fullmatch(text) is not None


def is_permission(text: str) -> bool:
    """`orders.read`, `app.codename`: ASCII words with dots between; 150 characters at most."""
    return _PERMISSION.fullmatch(text) is not None


async def roles_of(call: Call, user: User) -> tuple[str, ...]:
    """The names of a user's roles. For who makes the request they are read once, and no sooner than asked for."""
    book = call.world.roles
    if book is None:
        return ()
    caller = call.caller
    if caller is None or caller.user is not user:
        return await book.roles_of(call.store, user)
    if "roles" not in caller.shapes:
        caller.shapes["roles"] = await book.roles_of(call.store, user)
    roles: tuple[str, ...] = caller.shapes["roles"]
    return roles


async def permissions_of(call: Call, user: User) -> Permissions:
    """What a user may do by all roles together; read once, as `roles_of`."""
    book = call.world.roles
    if book is None:
        return Permissions()
    roles, caller = await roles_of(call, user), call.caller
    if caller is None or caller.user is not user:
        return await book.permissions_of(call.store, user, roles)
    if "permissions" not in caller.shapes:
        caller.shapes["permissions"] = await book.permissions_of(call.store, user, roles)
    permissions: Permissions = caller.shapes["permissions"]
    return permissions


async def grant(call: Call, user: User, name: str, *, by: User | None) -> None:
    """Give a role. `by` is who gives it, who must have all of its permissions; None: the operator, who has all.

    Raises `not_found` for no such role. Who has it already keeps it.
    """
    async with _changing(call, user, name, by) as (book, _):
        if await book.give(call.store, user, name, call.now):
            await call.emit(RoleGranted(at=call.now, user_id=user.id, role=name, by=by.id if by else ""))


async def revoke(call: Call, user: User, name: str, *, by: User | None) -> None:
    """Take a role away. Raises `not_found` where the user has it not, `last_administrator` where nobody could give
    roles any more."""
    async with _changing(call, user, name, by) as (book, role):
        if not await book.take(call.store, user, name):
            raise Refused("not_found")
        if MANAGE_ROLES in role.permissions:
            await demand_administrator(call)
        await call.emit(RoleRevoked(at=call.now, user_id=user.id, role=name, by=by.id if by else ""))


@asynccontextmanager
async def _changing(call: Call, user: User, name: str, by: User | None) -> AsyncIterator[tuple[RoleBook, KnownRole]]:
    """A change of who has a role: all or nothing, and the role, the user and the giver stay as they are meanwhile."""
    book = call.world.roles
    if book is None:
        raise Misconfigured("roles.E1", "roles are not switched on; add Roles() to Auth(…)")
    for one in (user, by):
        if one is not None:
            await account_of(call, one)
    async with call.all_or_nothing():
        role = await book.hold(call.store, name)
        if role is None:
            raise Refused("not_found", "There is no such role.")
        # In one order, so that two changes never wait for each other.
        for user_id in sorted({user.id, by.id if by else user.id}):
            await raise_version(call, user_id)
        if by is not None and not await _may_give(call, book, by, role):
            raise _lacking()
        yield book, role


async def check_may_give(call: Call, name: str, *, by: User | None) -> None:
    """Raise what `grant` would raise now: for what is given later. It asks once more then."""
    book = call.world.roles
    role = None if book is None else next((one for one in await book.known(call.store) if one.name == name), None)
    if book is None or role is None:
        raise Refused("not_found", "There is no such role.")
    if by is not None and not await _may_give(call, book, by, role):
        raise _lacking()


def _lacking() -> Refused:
    return Refused("not_permitted", "Nobody gives or takes a role with a permission that they lack.")


async def _may_give(call: Call, book: RoleBook, giver: User, role: KnownRole) -> bool:
    """Read anew, behind the giver's version: a role that is being taken from them counts no more."""
    roles = await book.roles_of(call.store, giver)
    return (await book.permissions_of(call.store, giver, roles)).cover(role.permissions)


async def let_go(call: Call, user: User) -> None:
    """First in the transaction of what closes an account to its user, by whatever way. Their roles stay as they are
    meanwhile (rule 44). Raises `last_administrator` where nobody else could give roles."""
    for _ in range(TRIES):
        account = await account_of(call, user)
        if user.active and _is_open(account) and await _gives_roles(call, user):
            await demand_administrator(call, but=user.id)
        seen = {"user_id": user.id, "version": account.version}
        if await call.store.change(Account, seen, version=account.version + 1) == 1:
            return
    raise Refused("state_changed")


async def _gives_roles(call: Call, user: User) -> bool:
    """Read anew: what was read for the request may have been taken since."""
    book = call.world.roles
    if book is None:
        return False
    return MANAGE_ROLES in await book.permissions_of(call.store, user, await book.roles_of(call.store, user))


async def demand_administrator(call: Call, *, but: str = "") -> None:
    """Raise `last_administrator` unless somebody, `but` one, can give roles and come in to do it."""
    book = call.world.roles
    for user in () if book is None else await book.holders(call.store, MANAGE_ROLES):
        account = await call.store.get(Account, user_id=user.id)
        if user.id != but and (account is None or _is_open(account)):
            return
    raise Refused("last_administrator")


def _is_open(account: Account) -> bool:
    """Programs come in by keys, which give no roles; who has closed an account may be gone tomorrow."""
    return account.kind == PERSON and account.closes_at is None


async def raise_version(call: Call, user_id: str) -> None:
    """A user's account is another one than it was; first in the transaction of what changes it (rule 44)."""
    for _ in range(TRIES):
        account = await call.store.get(Account, user_id=user_id)
        if account is None:
            return
        seen = {"user_id": user_id, "version": account.version}
        if await call.store.change(Account, seen, version=account.version + 1) == 1:
            return
    raise Refused("state_changed")
