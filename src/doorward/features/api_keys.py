"""API keys: how programs come in by themselves, with no more power than their owner and no longer than he has it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar

from doorward.core.accounts import account_of
from doorward.core.action import IdText, Needs, ScopeList, ShortName, action
from doorward.core.call import Call
from doorward.core.events import Event, SignedOut
from doorward.core.feature import Feature, Page, Sweep
from doorward.core.identify import see
from doorward.core.records import Account, Moves, Plus, Record, User, column
from doorward.core.refusals import Refused, invalid
from doorward.core.session import KeyIdentity
from doorward.core.users import tell
from doorward.locale import _
from doorward.primitives import api_key

MOST_KEYS = 25  # of one user, live at once
SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,64}")  # RFC 6749 §3.3: scope-token
TRIES = 3
LIVES = (7, 30, 90, 180)  # days, as the page offers them


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(Record):
    """A key for programs. `prefix` is its beginning, by which its owner knows it again; `scopes` are space-separated.

    A row that exists and is in its time is valid. `last_seen_at` is the row's own time until the key is first used.
    """

    table: ClassVar[str] = "doorward_api_key"
    moves: ClassVar[Moves] = Moves.ALWAYS
    exported: ClassVar[tuple[str, ...]] = ("id", "name", "prefix", "scopes", "created_at", "last_seen_at", "expires_at")

    id: str = column(key=True, size=64)
    digest: str = column(unique=True)
    user_id: str = column(index=True, size=64)
    name: str = column()
    prefix: str = column(size=16)
    scopes: str = column(size=0)
    created_at: datetime = column()
    last_seen_at: datetime = column()
    expires_at: datetime = column(index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCreated(Event):
    """A key was made."""

    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(Event):
    """A key was ended by its owner, or by an operator."""

    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShape:
    """A key as its owner sees it. `last_used_at` is true to a minute."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey(KeyShape):
    """`key` is shown here and never again."""

    key: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Newest first."""

    items: tuple[KeyShape, ...]
    next: str | None = None


@action("api_keys.create", needs=Needs.FRESH)
async def create(call: Call, *, name: ShortName, scopes: ScopeList, expires_in: int | None = None) -> NewKey:
    """A new key, shown once. `expires_in` in seconds; without it, as long as the policy lets keys live."""
    return await make_key(call, call.signed_in.user, name=name, scopes=scopes, expires_in=expires_in)


async def make_key(call: Call, user: User, *, name: str, scopes: Sequence[str], expires_in: int | None) -> NewKey:
    """The key of a user, told to all addresses. Raises `invalid_input` for what no key may have."""
    expires_at = call.now + _life(call, expires_in)
    written = api_key.written(call.world.random(api_key.SECRET_BYTES))
    key = ApiKey(
        id=call.new_id(),
        digest=api_key.digest(written),
        user_id=user.id,
        name=name,
        prefix=written[: api_key.SHOWN],
        scopes=" ".join(_checked(scopes)),
        created_at=call.now,
        last_seen_at=call.now,
        expires_at=expires_at,
    )
    for _try in range(TRIES):
        if await _added(call, user, key):
            return NewKey(**_members(key), key=written)
    raise Refused("state_changed")


def _life(call: Call, expires_in: int | None) -> timedelta:
    most = call.policy.api_key_life
    if expires_in is None:
        return most
    if not 0 < expires_in <= int(most.total_seconds()):
        raise invalid("expires_in", "not_offered", f"from 1 to {int(most.total_seconds())} seconds")
    return timedelta(seconds=expires_in)


def _checked(scopes: Sequence[str]) -> tuple[str, ...]:
    if not scopes:
        raise invalid("scopes", "required", "name at least one scope: what the key is for")
    if not all(SCOPE.fullmatch(scope) for scope in scopes):
        raise invalid("scopes", "not_valid", "a scope is at most 64 plain characters without space, quote or backslash")
    return tuple(dict.fromkeys(scopes))


async def _added(call: Call, user: User, key: ApiKey) -> bool:
    """Whether it was written. «At most N» is a rule over several rows, so the account's version guards it (rule 44)."""
    account = await account_of(call, user)
    async with call.store.transaction():
        seen = {"user_id": user.id, "version": account.version}
        if await call.store.change(Account, seen, version=Plus(1)) != 1:
            return False
        if await call.store.count(ApiKey, user_id=user.id, expires_at__gt=call.now) >= MOST_KEYS:
            raise invalid("name", "too_many", f"at most {MOST_KEYS} keys; revoke one that is not needed")
        await call.store.add(key)
        await call.emit(ApiKeyCreated(at=call.now, user_id=user.id, key_id=key.id))
        await tell(call, user, "api_key_created", {"key": key.name, "scopes": ", ".join(key.scopes.split())})
    return True


@action("api_keys.list", method="GET", needs=Needs.SIGNED_IN)
async def list_keys(call: Call) -> Keys:
    """The keys of who is signed in. The secrets are nowhere."""
    return Keys(await keys_of(call, call.signed_in.user))


async def keys_of(call: Call, user: User) -> tuple[KeyShape, ...]:
    """The live keys of a user, newest first."""
    rows = await call.store.find(ApiKey, user_id=user.id, expires_at__gt=call.now, order="-created_at")
    return tuple(KeyShape(**_members(row)) for row in rows)


def _members(key: ApiKey) -> dict[str, Any]:
    kept = {f.name for f in fields(KeyShape)}
    shown = {name: value for name, value in asdict(key).items() if name in kept}
    used = key.last_seen_at if key.last_seen_at > key.created_at else None
    return {**shown, "scopes": tuple(key.scopes.split()), "last_used_at": used}


@action("api_keys.revoke", needs=Needs.SIGNED_IN, status=204)
async def revoke(call: Call, *, id: IdText) -> None:
    """End a key at once. Somebody else's is not found."""
    if not await end_key(call, call.signed_in.user.id, id):
        raise Refused("not_found")


async def end_key(call: Call, user_id: str, id: str) -> bool:
    """End a key of a user."""
    async with call.store.transaction():
        key = await call.store.take(ApiKey, id=id, user_id=user_id)
        if key is None:
            return False
        await call.store.change(Account, {"user_id": user_id}, version=Plus(1))
        await call.emit(ApiKeyRevoked(at=call.now, user_id=user_id, key_id=key.id))
    return True


async def end_with_sessions(call: Call, event: SignedOut) -> None:
    """Who signs out everywhere, or is signed out by an operator, leaves no key behind (rule 28)."""
    if not event.session_id:
        await call.store.remove(ApiKey, user_id=event.user_id)


async def read_bearer(call: Call, token: str) -> KeyIdentity | None:
    """Whose key this is, while both live."""
    if not api_key.is_well_formed(token):
        return None
    key = await call.store.get(ApiKey, digest=api_key.digest(token))
    if key is None or key.expires_at <= call.now:
        return None
    user = await call.store.get(User, id=key.user_id)
    if user is None or not user.active:
        return None
    see(call, ApiKey, key.id, key.last_seen_at)
    return KeyIdentity(user, key.id, frozenset(key.scopes.split()))


async def load_lives(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """The lives that the form offers, in days: up to what the policy allows."""
    most = call.policy.api_key_life.days
    return {"lives": [days for days in LIVES if days < most] + ([most] if most else [])}


class ApiKeys(Feature):
    """Keys for programs, which people make for themselves and operators for services."""

    records = (ApiKey,)
    actions = (create, list_keys, revoke)
    bearers = (read_bearer,)
    listeners = ((SignedOut, end_with_sessions),)
    pages = (
        Page(
            "/api-keys",
            "api_keys.html",
            needs=Needs.SIGNED_IN,
            reads=("api_keys.list",),
            area="api-keys",
            title=_("API keys"),
            hint=_("For programs that act for you."),
            place=40,
        ),
        Page("/api-keys/create", "api_key_create.html", load_lives, Needs.FRESH, area="api-keys"),
    )
    sweeps = (Sweep(ApiKey, "expires_at"),)
