"""User names: who may have which, so that nobody passes for somebody else or for the service itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from doorward.core.call import Call
from doorward.core.records import Account, Moves, Plus, Record, User, column
from doorward.core.refusals import Refused, invalid
from doorward.core.users import find_user
from doorward.primitives import text

# Links and mentions go by a name for a long time: whoever gets it next would be taken for the one before.
KEPT_AFTER_CHANGE = timedelta(days=90)

# Names that nobody chooses, with the reason; RESERVED_USERNAMES adds to them. Whatever reads as one of them is one.
RESERVED: Mapping[str, str] = {
    "speaks for the service": "admin administrator root sysadmin system superuser operator moderator mod staff owner "
    "support help helpdesk security billing payment sales info contact team official service account accounts doorward",
    "a mailbox that others trust (RFC 2142)": "abuse hostmaster postmaster webmaster mailer-daemon noc news usenet "
    "uucp noreply no-reply marketing",
    "a host or a path of the site": "www api app auth login logout signin sign-in signup sign-up signout sign-out "
    "register settings static assets cdn mail email smtp imap pop ftp ssh dns ns1 ns2 status docs blog well-known "
    "localhost",
    "reads as nobody or everybody": "null undefined none nil true false nan anonymous guest nobody everyone everybody "
    "all self user users deleted unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerUsername(Record):
    """A name that its user has given up: until `expires_at` nobody else gets it."""

    table: ClassVar[str] = "doorward_former_username"
    moves: ClassVar[Moves] = Moves.ALWAYS
    exported: ClassVar[tuple[str, ...]] = ("key", "created_at", "expires_at")

    key: str = column(key=True)
    user_id: str = column(index=True, size=64)
    created_at: datetime = column()
    expires_at: datetime = column(index=True)


async def check_username(call: Call, username: str | None, *, of: str = "", reserved_too: bool = False) -> None:
    """Raise `invalid_input` or `username_taken` where a name can't be chosen; `of` is the user who would have it.

    `reserved_too`: an operator gives it, who may speak for the service.
    """
    if username is None:
        return
    canonical = text.canonical_username(username)
    if canonical is None:
        raise invalid("username", "not_valid", "3 to 64 letters, digits, dots, hyphens; a letter, no @")
    key = text.skeleton(canonical)
    if key in _reserved(call) and not reserved_too:
        raise invalid("username", "reserved", "this name is kept for the service itself")
    account = await call.store.get(Account, username_key=key)
    former = await call.store.get(FormerUsername, key=key, expires_at__gt=call.now)
    user = await find_user(call, username)
    holders = {row.user_id for row in (account, former) if row is not None} | ({user.id} if user else set())
    if holders - {of}:
        raise Refused("username_taken")


def _reserved(call: Call) -> frozenset[str]:
    keys: frozenset[str] | None = call.world.memo.get("reserved-usernames")
    if keys is None:
        names = (*" ".join(RESERVED.values()).split(), *call.world.settings.reserved_usernames)
        keys = frozenset(text.skeleton(name) for name in names)
        call.world.memo["reserved-usernames"] = keys
    return keys


async def change_username(call: Call, user: User, account: Account, username: str) -> None:
    """Give a user another name, in the caller's `all_or_nothing`. The one before stays theirs for a while.

    Raises what `check_username` raises, and `username_taken` for whoever of two at once comes second.
    """
    await check_username(call, username, of=user.id)
    key = text.skeleton(text.canonical_username(username) or "")
    seen = {"user_id": user.id, "username_key": account.username_key}
    if await call.store.change(Account, seen, username_key=key, version=Plus(1)) != 1:
        raise Refused("username_taken")
    if await call.store.change(User, {"id": user.id}, username=username) != 1:
        raise Refused("username_taken")
    await call.store.remove(FormerUsername, key=key)
    if account.username_key not in (None, key):
        await _keep_for(call, user.id, account.username_key or "")


async def _keep_for(call: Call, user_id: str, key: str) -> None:
    await call.store.remove(FormerUsername, key=key)
    until = call.now + KEPT_AFTER_CHANGE
    await call.store.add(FormerUsername(key=key, user_id=user_id, created_at=call.now, expires_at=until))
