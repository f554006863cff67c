"""What is demanded of one user: by the installation, by their roles, and of them alone. The strictest of it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from doorward.core.call import Call
from doorward.core.devices import trust_counts
from doorward.core.identify import end_session
from doorward.core.policy import SecondFactor
from doorward.core.records import Authenticator, Record, User, column
from doorward.core.refusals import Misconfigured, Refused, invalid
from doorward.core.rights import raise_version, roles_of
from doorward.core.session import Session, counting, level_of
from doorward.core.steps import meets, resists_phishing
from doorward.primitives import tokens

DEMANDS = tuple(level.name.lower().replace("_", "-") for level in SecondFactor)
MOST_DEMANDS = 1000
MOST_SESSIONS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorDemand(Record):
    """What is demanded of all who have a role, or of one user. `id` is made of either, so that there is one of each."""

    table: ClassVar[str] = "doorward_factor_demand"
    exported: ClassVar[tuple[str, ...]] = ("second_factor", "grace_days", "created_at")

    id: str = column(key=True, size=64)
    user_id: str = column(index=True, size=64, default="")
    role: str = column(size=150, default="")
    second_factor: str = column(size=32)
    grace_days: int = column(default=0)
    created_at: datetime = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorGrace(Record):
    """Since when a demand that leaves time holds for a user: their first sign-in under it."""

    table: ClassVar[str] = "doorward_factor_grace"
    exported: ClassVar[tuple[str, ...]] = ("began_at",)

    id: str = column(key=True, size=64)
    user_id: str = column(index=True, size=64)
    source: str = column(index=True, size=64)
    began_at: datetime = column()


@dataclass(frozen=True, slots=True)
class Demanded:
    """What is demanded `now`, and what will be, `later`: (what, from when on)."""

    now: SecondFactor
    later: tuple[tuple[SecondFactor, datetime], ...] = ()


async def demanded_of(call: Call, user: User) -> Demanded:
    """What holds for a user. A grace begins when its demand is first met here."""
    now, later = SecondFactor.OPTIONAL, []
    async for level, grace, source in _demands(call, user):
        due = await _began(call, user, source) + grace if grace and level else call.now
        if due > call.now:
            later.append((level, due))
        else:
            now = max(now, level)
    return Demanded(now, tuple(later))


async def is_the_last(call: Call, user: User, kind: str) -> bool:
    """Whether a user who gives up all authenticators of a kind would lack what is demanded of them."""
    demanded = (await demanded_of(call, user)).now
    if demanded is SecondFactor.OPTIONAL:
        return False
    kinds = {row.kind for row in await call.store.find(Authenticator, user_id=user.id)} - {kind}
    left = [call.world.methods[name] for name in kinds if name in call.world.methods]
    return not any(meets(method, demanded) and not method.restricted for method in left)


async def _demands(call: Call, user: User) -> AsyncIterator[tuple[SecondFactor, timedelta, str]]:
    yield call.policy.second_factor, call.policy.second_factor_grace, "policy"
    rows = await call.store.find(FactorDemand, user_id__in=["", user.id], limit=MOST_DEMANDS)
    roles = await roles_of(call, user) if any(row.role for row in rows) else ()
    for row in rows:
        if row.user_id or row.role in roles:
            yield SecondFactor[row.second_factor.upper()], timedelta(days=row.grace_days), row.id


async def _began(call: Call, user: User, source: str) -> datetime:
    id = tokens.digest(f"{user.id} {source}", purpose="factor-grace")
    begun = await call.store.get(FactorGrace, id=id)
    if begun is None:
        await call.store.add(FactorGrace(id=id, user_id=user.id, source=source, began_at=call.now))
        begun = await call.store.get(FactorGrace, id=id)
    return call.now if begun is None else begun.began_at


async def trust_days(call: Call, user: User) -> int:
    """For how many days this user may have this browser trusted: for the box that asks for it. 0: not at all."""
    return call.policy.trusted_device_life.days if trust_is_offered(call, (await demanded_of(call, user)).now) else 0


def trust_is_offered(call: Call, second_factor: SecondFactor) -> bool:
    """Whether somebody of whom this is demanded may have their browser trusted."""
    return trust_counts(call) and call.client.browser and second_factor is not SecondFactor.PHISHING_RESISTANT


def demand_named(word: str) -> SecondFactor:
    """`phishing-resistant` as operators write it. Raises `invalid_input`."""
    try:
        return SecondFactor[word.replace("-", "_").upper()]
    except KeyError:
        raise invalid("second_factor", "not_offered", f"expected one of {', '.join(DEMANDS)}") from None


async def demand_of_user(call: Call, user: User, second_factor: SecondFactor, *, grace: timedelta) -> int:
    """Demand it of one user, in the place of what was demanded of them before. The number of sessions that end: those
    that lack what is demanded from now on."""
    async with call.store.transaction():
        await raise_version(call, user.id)
        await _put(call, second_factor, grace, user_id=user.id)
        if not second_factor or grace:
            return 0
        rows = await call.store.find(Session, user_id=user.id, limit=MOST_SESSIONS)
        below = [row for row in rows if not _suffices(call, row, second_factor)]
        for row in below:
            await end_session(call, user.id, row.id)
        return len(below)


def _suffices(call: Call, session: Session, second_factor: SecondFactor) -> bool:
    if level_of(session, call.policy, call.now) < 2:
        return False
    proofs = counting(session, call.policy, call.now)
    return second_factor is not SecondFactor.PHISHING_RESISTANT or resists_phishing(proofs, call.world.methods)


async def demand_of_role(call: Call, name: str, second_factor: SecondFactor, *, grace: timedelta) -> None:
    """Demand it of all who have a role, from their next sign-in on. Raises `not_found` for no such role."""
    book = call.world.roles
    if book is None:
        raise Misconfigured("roles.E1", "roles are not switched on; add Roles() to Auth(…)")
    async with call.all_or_nothing():
        if await book.hold(call.store, name) is None:
            raise Refused("not_found", "There is no such role.")
        await _put(call, second_factor, grace, role=name)


async def _put(call: Call, second_factor: SecondFactor, grace: timedelta, *, user_id: str = "", role: str = "") -> None:
    id = tokens.digest(f"{user_id} {role}", purpose="factor-demand")
    await call.store.remove(FactorDemand, id=id)
    await call.store.remove(FactorGrace, source=id)  # a grace that is given anew begins anew
    if second_factor:
        row = FactorDemand(
            id=id,
            user_id=user_id,
            role=role,
            second_factor=second_factor.name.lower(),
            grace_days=grace.days,
            created_at=call.now,
        )
        await call.store.add(row)


async def forget_role(call: Call, name: str) -> None:
    """A role that is gone demands nothing; one that is made later under its name begins with nothing."""
    await _put(call, SecondFactor.OPTIONAL, timedelta(0), role=name)
