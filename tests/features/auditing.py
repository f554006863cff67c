"""Reading the audit log in tests."""

from __future__ import annotations

from typing import Any

from doorward.core.call import Call
from doorward.core.records import User
from doorward.features import (
    audit,
)
from doorward.features.audit import AuditEntry, Found
from doorward.server import people
from doorward.testing.doubles import Guest, House

ANN, BEN = "ann@example.com", "ben@example.com"


def user_of(house: House, email: str = ANN) -> User:
    user: User = house.run(people.find, email)
    return user


def seen(guest: Guest) -> list[str]:
    """The names of one's own entries, oldest first."""
    return [one.event for one in reversed(guest.do(audit.list_entries).items)]


def rows(house: House, kind: Any = AuditEntry, **where: Any) -> list[Any]:
    async def story(call: Call) -> list[Any]:
        return await call.store.find(kind, limit=10_000, **where)

    found: list[Any] = house.run(story)
    return found


def all_of(house: House, user: User | None = None) -> tuple[Found, ...]:
    found: tuple[Found, ...] = house.run(audit.trail, user, limit=1000)
    return found
