"""Roles: names that stand for permissions, given to users, and taken away at once everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from doorward.core.action import IdText, Needs, RoleText, action
from doorward.core.call import Call
from doorward.core.demands import forget_role
from doorward.core.feature import Feature
from doorward.core.ports import KnownRole, Permissions, Store
from doorward.core.records import Record, User, column
from doorward.core.refusals import Refused, invalid
from doorward.core.rights import (
    ADMIN,
    MANAGE_ROLES,
    TRIES,
    demand_administrator,
    grant,
    is_permission,
    is_role_name,
    raise_version,
    revoke,
)
from doorward.primitives import tokens

MOST_ROLES = 1000
MOST_PERMISSIONS = 200  # of one role
PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Record):
    """A role; `permissions` with spaces between. `version` rises with every change of it or of who has it: those wait
    for each other there (rule 44). The row `admin` has no permissions written down: it has all of them."""

    table: ClassVar[str] = "doorward_role"

    name: str = column(key=True, size=64)
    permissions: str = column(size=0, default="")
    version: int = column(default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRole(Record):
    """A user has a role. `id` is made of both, so that nobody has one twice."""

    table: ClassVar[str] = "doorward_user_role"
    exported: ClassVar[tuple[str, ...]] = ("role", "created_at")

    id: str = column(key=True, size=64)
    user_id: str = column(index=True, size=64)
    role: str = column(index=True, size=64)
    created_at: datetime = column()


@dataclass(frozen=True, slots=True)
class RoleShown:
    """A role and what it permits; `everything`: all that there is."""

    name: str
    permissions: tuple[str, ...]
    everything: bool


@dataclass(frozen=True, slots=True)
class RolesShown:
    items: tuple[RoleShown, ...]
    next: str | None = None


@action("roles.list", method="GET", needs=Needs.FRESH, permission=MANAGE_ROLES)
async def list_roles(call: Call) -> RolesShown:
    """All roles, and what they permit."""
    book = call.world.roles
    known = () if book is None else await book.known(call.store)
    return RolesShown(tuple(map(shown, known)))


@action("roles.grant", needs=Needs.FRESH, permission=MANAGE_ROLES, status=204)
async def give(call: Call, *, user_id: IdText, role: RoleText) -> None:
    """Give a user a role, none of whose permissions one lacks oneself."""
    await grant(call, await _named(call, user_id), role, by=call.signed_in.user)


@action("roles.revoke", needs=Needs.FRESH, permission=MANAGE_ROLES, status=204)
async def take_back(call: Call, *, user_id: IdText, role: RoleText) -> None:
    """Take a role away from a user. Somebody who can give roles is always left."""
    await revoke(call, await _named(call, user_id), role, by=call.signed_in.user)


async def _named(call: Call, user_id: str) -> User:
    user = await call.store.get(User, id=user_id)
    if user is None:
        raise Refused("not_found", "There is no such user.")
    return user


def shown(role: KnownRole) -> RoleShown:
    """A role as answers show it."""
    return RoleShown(role.name, tuple(sorted(role.permissions.names)), role.permissions.everything)


# What the operator does, at the command line


async def add_role(call: Call, name: str, permissions: Iterable[str] = ()) -> KnownRole:
    """Make a role. Raises `invalid_input`, or `state_changed` where there is one of this name."""
    if not is_role_name(name) or name == ADMIN:
        raise invalid("name", "not_valid", "1 to 64 of A-Z a-z 0-9 _ . -, the first a letter or digit; admin is there")
    if await call.store.count(Role) >= MOST_ROLES:
        raise invalid("name", "too_many", f"at most {MOST_ROLES} roles")
    role = Role(name=name, permissions=_written(permissions))
    if not await call.store.add(role):
        raise Refused("state_changed", "There is a role of this name already.")
    return _known(role)


async def permit(call: Call, name: str, *, more: Iterable[str] = (), fewer: Iterable[str] = ()) -> KnownRole:
    """Give a role more permissions, or fewer; it holds for all who have the role. Raises `not_found`, and
    `last_administrator` where nobody could give roles any more."""
    async with call.all_or_nothing():
        held = await _own(call, name)
        permissions = _written({*held.permissions.names, *more} - set(fewer))
        await call.store.change(Role, {"name": name}, permissions=permissions)
        await _raise_versions(call, name)
        if MANAGE_ROLES in held.permissions and await call.store.count(UserRole, role=name):
            await demand_administrator(call)
    return KnownRole(name, _read(permissions))


async def remove_role(call: Call, name: str) -> int:
    """Remove a role, also from all who have it; how many had it. Raises as `permit` does."""
    async with call.all_or_nothing():
        held = await _own(call, name)
        await _raise_versions(call, name)
        await forget_role(call, name)
        holders = await call.store.remove(UserRole, role=name)
        await call.store.remove(Role, name=name)
        if MANAGE_ROLES in held.permissions and holders:
            await demand_administrator(call)
    return holders


async def _own(call: Call, name: str) -> KnownRole:
    role = await BOOK.hold(call.store, name)
    if role is None:
        raise Refused("not_found", "There is no such role.")
    if name == ADMIN:
        raise invalid("name", "not_valid", "admin has all permissions, and stays")
    return role


async def _raise_versions(call: Call, name: str) -> None:
    """Of all who have the role; in one order, so that two changes never wait for each other."""
    holders: list[str] = []
    last = None
    while rows := await call.store.find(UserRole, role=name, limit=PAGE, after=last):
        holders += [row.user_id for row in rows]
        last = rows[-1]
    for user_id in sorted(holders):
        await raise_version(call, user_id)


def _written(permissions: Iterable[str]) -> str:
    names = sorted(set(permissions))
    for name in names:
        if not is_permission(name):
            raise invalid("permissions", "not_valid", f"{ascii(name)[:200]} is no permission such as orders.read")
    if len(names) > MOST_PERMISSIONS:
        raise invalid("permissions", "too_many", f"at most {MOST_PERMISSIONS} permissions")
    return " ".join(names)


def _read(permissions: str) -> Permissions:
    return Permissions(frozenset(permissions.split()))


def _known(role: Role) -> KnownRole:
    return KnownRole(role.name, Permissions(everything=True) if role.name == ADMIN else _read(role.permissions))


class StoredRoles:
    """The port `RoleBook` over our own two tables."""

    async def roles_of(self, store: Store, user: User) -> tuple[str, ...]:
        return tuple(sorted(row.role for row in await store.find(UserRole, user_id=user.id, limit=MOST_ROLES)))

    async def permissions_of(self, store: Store, user: User, roles: Sequence[str]) -> Permissions:
        if not roles or ADMIN in roles:
            return Permissions(everything=bool(roles))
        rows = await store.find(Role, name__in=list(roles), limit=MOST_ROLES)
        return Permissions(frozenset().union(*(_read(row.permissions).names for row in rows)))

    async def known(self, store: Store) -> Sequence[KnownRole]:
        rows = await store.find(Role, order="name", limit=MOST_ROLES + 1)
        admin = KnownRole(ADMIN, Permissions(everything=True))
        return (admin, *(_known(row) for row in rows if row.name != ADMIN))

    async def hold(self, store: Store, name: str) -> KnownRole | None:
        if name == ADMIN and await store.get(Role, name=ADMIN) is None:
            await store.add(Role(name=ADMIN))
        for _ in range(TRIES):
            role = await store.get(Role, name=name)
            if role is None:
                return None
            seen = {"name": name, "version": role.version}
            if await store.change(Role, seen, version=role.version + 1) == 1:
                known = _known(role)
                if name != ADMIN and MANAGE_ROLES in known.permissions:
                    await self.hold(store, ADMIN)  # so that of two last ones who can give roles one stays
                return known
        raise Refused("state_changed")

    async def give(self, store: Store, user: User, name: str, now: datetime) -> bool:
        return await store.add(UserRole(id=_id_of(user, name), user_id=user.id, role=name, created_at=now))

    async def take(self, store: Store, user: User, name: str) -> bool:
        return await store.take(UserRole, id=_id_of(user, name)) is not None

    async def holders(self, store: Store, permission: str) -> Sequence[User]:
        await self.hold(store, ADMIN)
        roles = [role.name for role in await self.known(store) if permission in role.permissions]
        found: dict[str, User] = {}
        last = None
        while rows := await store.find(UserRole, role__in=roles, limit=PAGE, after=last):
            users = await store.find(User, id__in=[row.user_id for row in rows], limit=PAGE)
            found |= {user.id: user for user in users if user.active}
            last = rows[-1]
        return tuple(found.values())


def _id_of(user: User, role: str) -> str:
    return tokens.digest(f"{user.id} {role}", purpose="user-role")


BOOK = StoredRoles()


class Roles(Feature):
    """Roles with permissions, given to users."""

    records = (Role, UserRole)
    actions = (list_roles, give, take_back)
    roles = BOOK
