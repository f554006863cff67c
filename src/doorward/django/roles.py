"""Roles of a Django project are its groups, and what they permit are Django's own permissions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, QuerySet

from doorward.core.ports import KnownRole, Permissions, Store
from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.core.rights import MANAGE_ROLES


class DjangoRoles:
    """The port `RoleBook`: `user.groups` and `user.has_perm`. Superusers may do everything; a group called `admin` is a
    group like any other. A user model without PermissionsMixin has no roles."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    async def roles_of(self, store: Store, user: User) -> tuple[str, ...]:
        here: Any = store
        groups = getattr(here.person(user.id), "groups", None)
        with here.translating():
            return () if groups is None else tuple(sorted(groups.values_list("name", flat=True)))

    async def permissions_of(self, store: Store, user: User, roles: Sequence[str]) -> Permissions:
        here: Any = store
        if not hasattr(here.person(user.id), "get_all_permissions"):
            return Permissions()
        with here.translating():
            person: Any = self._users.get(pk=here.person(user.id).pk)  # anew: Django keeps what one of them may do
            everything = person.is_superuser and person.is_active
            return Permissions(frozenset() if everything else frozenset(person.get_all_permissions()), everything)

    async def known(self, store: Store) -> Sequence[KnownRole]:
        here: Any = store
        with here.translating():
            return [_known(group) for group in self._groups.order_by("name")]

    async def hold(self, store: Store, name: str) -> KnownRole | None:
        here: Any = store
        with here.translating():
            group = self._groups.select_for_update().filter(name=name).first()
            if group is None:
                return None
            known = _known(group)
            if MANAGE_ROLES in known.permissions:
                list(self._groups.select_for_update().filter(_permits("", MANAGE_ROLES)).order_by("pk"))
                list(self._holding(MANAGE_ROLES))
            return known

    async def give(self, store: Store, user: User, name: str, now: datetime) -> bool:
        here: Any = store
        person = here.person(user.id)
        if not hasattr(person, "groups"):
            raise Refused("not_found", "The users of this project have no groups.")
        with here.translating():
            group = self._groups.filter(name=name).exclude(pk__in=person.groups.values("pk")).first()
            if group is not None:
                person.groups.add(group)
            return group is not None

    async def take(self, store: Store, user: User, name: str) -> bool:
        here: Any = store
        person = here.person(user.id)
        with here.translating():
            group = getattr(person, "groups", Group.objects.none()).filter(name=name).first()
            if group is not None:
                person.groups.remove(group)
            return group is not None

    async def holders(self, store: Store, permission: str) -> Sequence[User]:
        here: Any = store
        with here.translating():
            keys = [str(person.pk) for person in self._holding(permission)]
        return [user for key in keys if (user := await store.get(User, id=key)) is not None]

    def _holding(self, permission: str) -> QuerySet[Any]:
        """Those who may, and their rows locked; in one order, so that two never wait for each other."""
        may = Q(is_superuser=True) | _permits("groups__", permission) | _permits("user_", permission)
        found = self._users.filter(may, **_active()).values("pk")
        return self._users.select_for_update(of=("self",)).filter(pk__in=found).order_by("pk")

    @property
    def _users(self) -> QuerySet[Any]:
        return get_user_model()._default_manager.using(self._alias)

    @property
    def _groups(self) -> QuerySet[Group]:
        return Group.objects.using(self._alias)


def _active() -> dict[str, bool]:
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return {}
    return {"is_active": True}


def _permits(path: str, permission: str) -> Q:
    app, _, codename = permission.partition(".")
    found = f"{path}permissions__"
    return Q(**{f"{found}content_type__app_label": app, f"{found}codename": codename})


def _known(group: Group) -> KnownRole:
    names: Iterable[tuple[str, str]] = group.permissions.values_list("content_type__app_label", "codename")
    return KnownRole(group.name, Permissions(frozenset(f"{app}.{codename}" for app, codename in names)))
