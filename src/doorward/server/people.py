"""What an operator does with people: add, look up, disable, end sessions, and let the first administrator in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from doorward.core import erasure
from doorward.core.call import Call
from doorward.core.demands import demand_named, demand_of_user
from doorward.core.events import SignedOut, SignedUp
from doorward.core.facts import enrolled_methods
from doorward.core.identify import end_sessions
from doorward.core.records import Authenticator, EmailAddress, PhoneNumber, User
from doorward.core.refusals import Refused, invalid
from doorward.core.rights import ADMIN, grant, let_go, revoke, roles_of
from doorward.core.session import Session
from doorward.core.steps import SMS
from doorward.core.usernames import check_username
from doorward.core.users import check_fits, find_user, phone_of, standing_addresses
from doorward.features.assisted_recovery import Assistance, assist
from doorward.features.change_email import add_vouched
from doorward.features.password_rules import check_new_password
from doorward.features.sign_up import Conflict, PendingSignUp, make_user, sign_up
from doorward.http.answers import moment, user_shape
from doorward.primitives import text, tokens
from doorward.primitives.phones import canonical_phone


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that lets whoever holds it choose a password for `email`, once, until `expires_at`."""

    email: str
    link: str
    expires_at: datetime


async def add(call: Call, *, email: str, password: str, name: str = "", username: str | None = None) -> User:
    """Make an account whose address the operator vouches for. Raises `Refused` for what sign-up would refuse too."""
    asked = {"email": email, "password": password, "name": name, **({"username": username} if username else {})}
    sign_up.read(asked)  # its types and bounds
    canonical = await _free_address(call, email)
    check_fits(call, email=email, name=name, username=username)
    await check_new_password(call, password, context=[email, name, username or ""])
    await check_username(call, username, reserved_too=True)
    pending = _pending(call, email, canonical, link=call.new_secret(), password=await call.hash.hash(password))
    try:
        async with call.store.transaction():
            user = await make_user(call, replace(pending, name=name, username=username or ""))
            await call.emit(SignedUp(at=call.now, user_id=user.id))
    except Conflict:
        raise Refused("state_changed") from None
    return user


async def invite(call: Call, *, email: str) -> Invitation:
    """The link of a sign-up that chose no password yet: who opens it has the address proved, chooses one, and is an
    administrator."""
    canonical = await _free_address(call, email)
    link = call.new_secret()
    pending = replace(_pending(call, email, canonical, link=link, password=""), role=ADMIN)
    await call.store.add(pending)
    return Invitation(email, call.link(f"/email/verify?token={link}"), pending.expires_at)


async def _free_address(call: Call, email: str) -> str:
    canonical = text.canonical_address(email)
    if canonical is None:
        raise invalid("email", "not_valid", "this is not an e-mail address")
    if await call.store.get(EmailAddress, verified_key=canonical) is not None:
        raise Refused("state_changed", "Somebody has an account with this address already.")
    return canonical


def _pending(call: Call, email: str, canonical: str, *, link: str, password: str) -> PendingSignUp:
    return PendingSignUp(
        id=call.new_id(),
        canonical=canonical,
        address=email,
        password=password,
        link=tokens.digest(link, purpose="sign-up-link"),
        created_at=call.now,
        expires_at=call.now + call.policy.sign_up_life,
    )


async def find(call: Call, who: str) -> User:
    """A user by id, address or user name. Raises `not_found`."""
    user = await call.store.get(User, id=who) or await find_user(call, who)
    if user is None:
        raise Refused("not_found", "Nobody has this id, address or user name.")
    return user


async def page(call: Call, *, limit: int, after: str | None = None) -> tuple[list[dict[str, Any]], str | None]:
    """Users, newest first, and the id to go on after; None at the end."""
    last = await find(call, after) if after else None
    users = await call.store.find(User, order="-created_at", limit=limit + 1, after=last)
    shown = [await _shape(call, user) for user in users[:limit]]
    return shown, users[limit - 1].id if len(users) > limit else None


async def show(call: Call, who: str) -> dict[str, Any]:
    """All that an operator may see of one user; never a secret or a digest."""
    user = await find(call, who)
    sessions = await call.store.find(Session, user_id=user.id, expires_at__gt=call.now, order="-created_at")
    return {
        **await _shape(call, user),
        "methods": sorted(await enrolled_methods(call, user)),
        "sessions": [
            {"id": row.id, "ip": row.ip, "user_agent": row.user_agent, "last_seen_at": moment(row.last_seen_at)}
            for row in sessions
        ],
    }


async def _shape(call: Call, user: User) -> dict[str, Any]:
    return {**await user_shape(call, user), "active": user.active}


async def set_active(call: Call, who: str, *, active: bool) -> Mapping[str, Any]:
    """Close or open an account. Closing ends its sessions, and sign-ins under way, in the same transaction."""
    user = await find(call, who)
    async with call.all_or_nothing():
        if not active:
            await let_go(call, user)
        await call.store.change(User, {"id": user.id}, active=active)
        ended = 0 if active else await _signed_out(call, user)
    return {"id": user.id, "active": active, "sessions_ended": ended}


async def erase(call: Call, who: str) -> Mapping[str, Any]:
    """Erase a user and everything about them, at once and for good."""
    user = await find(call, who)
    async with call.all_or_nothing():
        await let_go(call, user)
        await erasure.erase(call, user.id)
    return {"id": user.id, "erased": True}


async def demand(call: Call, who: str, second_factor: str, grace_days: int) -> Mapping[str, Any]:
    """What second factor is demanded of a user beside what is demanded of everybody."""
    user, level = await find(call, who), demand_named(second_factor)
    ended = await demand_of_user(call, user, level, grace=timedelta(days=grace_days))
    return {"id": user.id, "second_factor": second_factor, "grace_days": grace_days, "sessions_ended": ended}


async def addresses(call: Call, who: str) -> Mapping[str, Any]:
    """The verified addresses of a user, the main one first, and the phone number."""
    user = await find(call, who)
    rows = sorted(await standing_addresses(call, user), key=lambda row: not row.is_primary)
    shown = [{"email": row.address, "primary": row.is_primary, "verified": bool(row.verified_key)} for row in rows]
    return {"id": user.id, "items": shown, "phone": await phone_of(call, user)}


async def add_address(call: Call, who: str, email: str) -> Mapping[str, Any]:
    """Add an address that the operator vouches for."""
    user = await find(call, who)
    await _free_address(call, email.strip(" "))
    await add_vouched(call, user, email)
    return await addresses(call, user.id)


async def set_phone(call: Call, who: str, number: str | None) -> Mapping[str, Any]:
    """Give a user the phone number that the operator vouches for, in the place of another; None takes it away."""
    user = await find(call, who)
    canonical = None if number is None else canonical_phone(number, region=call.world.settings.phone_region)
    if number is not None and canonical is None:
        raise invalid("number", "not_valid", "no number of a person; with its country, such as +49 171 1234567")
    async with call.all_or_nothing():
        # What was a factor by its own proof is none by somebody's word: its user adds the number, and proves it.
        await call.store.remove(Authenticator, user_id=user.id, kind=SMS.name)
        await call.store.remove(PhoneNumber, user_id=user.id)
        if canonical is not None and not await call.store.add(_vouched(call, user, canonical)):
            raise Refused("state_changed", "Somebody has this phone number already.")
    return {"id": user.id, "phone": canonical}


def _vouched(call: Call, user: User, number: str) -> PhoneNumber:
    return PhoneNumber(
        id=call.new_id(),
        user_id=user.id,
        number=number,
        verified_key=number,
        verified_at=call.now,
        created_at=call.now,
    )


async def sign_out(call: Call, who: str) -> Mapping[str, Any]:
    """End all sessions and API keys of a user."""
    user = await find(call, who)
    async with call.store.transaction():
        ended = await _signed_out(call, user)
    return {"id": user.id, "sessions_ended": ended}


async def _signed_out(call: Call, user: User) -> int:
    """Everywhere, and told to the listeners: API keys end as well (rule 28)."""
    ended = await end_sessions(call, user.id)
    await call.emit(SignedOut(at=call.now, user_id=user.id))
    return ended


async def recover(call: Call, who: str, *, mail: bool) -> Assistance:
    """The link by which a user sets up anew what was lost."""
    return await assist(call, await find(call, who), by=None, show=not mail)


async def grant_role(call: Call, who: str, role: str) -> Mapping[str, Any]:
    """Give a user a role."""
    user = await find(call, who)
    await grant(call, user, role, by=None)
    return {"id": user.id, "roles": list(await roles_of(call, user))}


async def revoke_role(call: Call, who: str, role: str) -> Mapping[str, Any]:
    """Take a role away from a user."""
    user = await find(call, who)
    await revoke(call, user, role, by=None)
    return {"id": user.id, "roles": list(await roles_of(call, user))}
