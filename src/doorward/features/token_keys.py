"""The keys that sign access tokens: published before they are used, replaced in time, kept while they are needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple, TypeVar

from doorward.core.action import action
from doorward.core.call import Call
from doorward.core.feature import Feature, Sealed, Sweep
from doorward.core.records import Moves, Record, column
from doorward.core.refusals import Misconfigured, Refused
from doorward.primitives import jwt, sealing

# Rule 33. Caches hold the JWK set for 300 s: with twice that nobody meets a key that it can't have heard of.
PUBLISHED_BEFORE = timedelta(seconds=600)
KEPT_AFTER = timedelta(seconds=600)  # beyond the life of the last token that it signed
# Rule 19: what is revoked anywhere is used nowhere a second later.
READ_EVERY = timedelta(milliseconds=500)
_LATER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey(Record):
    """A signing key; `jwk` is sealed. It signs from `signs_from` until a younger one does, and is in the set until
    `expires_at`, which it gets with its successor. `slot` is unique and names the key that it follows: of nodes that
    replace a key at once, one does. (`signs_from` is empty in keys from before keys were replaced.)"""

    table: ClassVar[str] = "doorward_token_key"
    moves: ClassVar[Moves] = Moves.ALWAYS

    kid: str = column(key=True, size=64)
    slot: str = column(unique=True, size=64)
    algorithm: str = column(size=16)
    jwk: str = column(size=0)
    created_at: datetime = column()
    expires_at: datetime | None = column(index=True, default=None)
    signs_from: datetime | None = column(default=None)

    @property
    def begins_at(self) -> datetime:
        return self.signs_from or self.created_at


@dataclass(frozen=True, slots=True)
class JwkSet:
    """RFC 7517 §5."""

    keys: tuple[Mapping[str, Any], ...]


@action("jwks", method="GET", cacheable=True, url="/jwks.json")
async def jwks(call: Call) -> JwkSet:
    """The public keys, for every service that checks tokens itself. Empty with HS256 (rule 24)."""
    keys = await token_keys(call)
    return JwkSet(tuple(jwt.public_jwk_set(keys)["keys"]))


class KeyShown(NamedTuple):
    """A key as operators see it: `state` is `next` (published, not used yet), `signs` or `kept` (verifies only)."""

    kid: str
    algorithm: str
    state: str
    signs_from: datetime
    expires_at: datetime | None


async def signing_key(call: Call) -> jwt.SigningKey:
    """The key that signs at this moment."""
    keys = await _read(call)
    return keys[0].key if _is_shared(call) else _signing(call, keys).key


async def token_keys(call: Call) -> tuple[jwt.SigningKey, ...]:
    """All keys of the set, youngest first. The first of all is made when it is first asked for."""
    return tuple(held.key for held in await _read(call))


async def list_keys(call: Call) -> list[KeyShown]:
    """The keys that there are, youngest first."""
    return _shown(call, await _rows(call))


async def rotate(call: Call, *, at_once: bool = False) -> KeyShown:
    """Make the next key, or find it made. It signs in ten minutes, when everybody knows it; or, where there is no time
    for that, `at_once`. Raises `state_changed` where another node was faster."""
    rows = await _rows(call)
    if not rows:
        await _add_first(call)
    elif at_once or rows[0].begins_at <= call.now:
        made = _made(call, after=rows[0], at_once=at_once)
        async with call.all_or_nothing():
            await _follow(call, rows, made)
    return (await list_keys(call))[0]


async def revoke(call: Call, kid: str) -> KeyShown:
    """Take a key out of the set now, with the tokens that it signed. One that signs, or is next, is replaced by a new
    one in the same transaction, so that there is never none; the key that signs from then on.

    Raises `not_found`, and `state_changed` where another node was faster.
    """
    rows = await _rows(call)
    gone = next((row for row in rows if row.kid == kid), None)
    if gone is None:
        raise Refused("not_found", "There is no signing key of this id.")
    signs = _signing(call, rows) is gone
    made = _made(call, after=rows[0], at_once=signs) if signs or gone is rows[0] else None
    async with call.all_or_nothing():
        if await call.store.take(TokenKey, kid=kid) is None:
            raise Refused("state_changed")
        if made is not None:
            await _follow(call, rows, made)
    _forget(call)
    return next(key for key in await list_keys(call) if key.state == "signs")


async def replace_in_time(call: Call) -> int:
    """Chore: make the next key when this one has signed for TOKEN_KEY_ROTATION days, or when TOKEN_ALGORITHM has
    changed. Not while the next one waits already, so that nodes of two minds take turns and make no crowd."""
    if _is_shared(call):
        return 0
    rows, settings = await _rows(call), call.world.settings
    if not rows or rows[0].begins_at > call.now:
        return 0
    days = settings.token_key_rotation
    is_old = days > 0 and rows[0].begins_at + timedelta(days=days) <= call.now
    if not is_old and rows[0].algorithm == settings.token_algorithm:
        return 0
    try:
        await rotate(call)
    except Refused:  # another node did it
        return 0
    return 1


class _Held(NamedTuple):
    begins_at: datetime
    key: jwt.SigningKey


T = TypeVar("T", TokenKey, _Held)


async def _read(call: Call) -> tuple[_Held, ...]:
    """The keys, as they were half a second ago at most; unsealed once."""
    keys: tuple[_Held, ...]
    at, keys = call.world.memo.get("token-keys", (None, ()))
    if at is None or not call.now - READ_EVERY < at <= call.now:
        keys = _of_secret(call) if _is_shared(call) else await _of_store(call)
        call.world.memo["token-keys"] = (call.now, keys)
    return keys


def _is_shared(call: Call) -> bool:
    return call.world.settings.token_algorithm == "HS256"


def _of_secret(call: Call) -> tuple[_Held, ...]:
    ring = call.keyring
    secrets = ((id, ring.key("access-token-hs256", key_id=id)) for id in ring.ids)
    return tuple(_Held(call.now, jwt.SigningKey(f"hs-{id}", "HS256", secret)) for id, secret in secrets)


async def _of_store(call: Call) -> tuple[_Held, ...]:
    rows = await _rows(call)
    if not rows:
        await _add_first(call)
        rows = await _rows(call)
    before: Mapping[str, jwt.SigningKey] = call.world.memo.get("token-keys-opened", {})
    opened = {row.jwk: before.get(row.jwk) or _opened(call, row) for row in rows}
    call.world.memo["token-keys-opened"] = opened
    return tuple(_Held(row.begins_at, opened[row.jwk]) for row in rows)


def _opened(call: Call, row: TokenKey) -> jwt.SigningKey:
    jwk = sealing.unseal(call.keyring, row.jwk, purpose="token-key", context=row.kid)
    if jwk is None:
        raise Misconfigured(
            "access_tokens.E1",
            f"signing key {row.kid} was sealed with a secret that SECRET does not hold any more; put it back "
            "behind the new one (SECRET=new-id:…,old-id:…)",
        )
    return jwt.from_jwk(json.loads(jwk))


async def _rows(call: Call) -> list[TokenKey]:
    """Youngest first, without those whose time is over."""
    rows = await call.store.find(TokenKey, order="-created_at")
    return [row for row in rows if row.expires_at is None or row.expires_at > call.now]


def _signing(call: Call, youngest_first: Sequence[T]) -> T:
    """The youngest whose time has come; by a clock that was set back, the oldest."""
    return next((one for one in youngest_first if one.begins_at <= call.now), youngest_first[-1])


async def _add_first(call: Call) -> None:
    """Nobody has seen a token yet, so it need not wait; of nodes that make it at once, one does."""
    await call.store.add(_made(call, after=None, at_once=True))


def _made(call: Call, *, after: TokenKey | None, at_once: bool) -> TokenKey:
    """A new key, not stored yet: outside of the transaction, since RSA takes its time."""
    if _is_shared(call):
        raise Misconfigured(
            "token_keys.E1", "with TOKEN_ALGORITHM HS256 the key comes from SECRET: put a new secret before the old one"
        )
    key = jwt.generate_key(call.world.settings.token_algorithm)
    jwk = json.dumps(jwt.to_jwk(key, private=True)).encode()
    return TokenKey(
        kid=key.kid,
        slot="first" if after is None else f"after:{after.kid}",
        algorithm=key.algorithm,
        jwk=call.seal(jwk, purpose="token-key", context=key.kid),
        # Younger than the one before, whatever this node's clock says.
        created_at=call.now if after is None else max(call.now, after.created_at + _LATER),
        signs_from=call.now if at_once else call.now + PUBLISHED_BEFORE,
    )


async def _follow(call: Call, rows: Sequence[TokenKey], made: TokenKey) -> None:
    """Store a key, and say of those before it until when they are needed. Of rivals one does."""
    if not await call.store.add(made):
        raise Refused("state_changed", "Another node has made the next key. Look again.")
    until = made.begins_at + call.policy.access_token_life + KEPT_AFTER
    # The one that signs until then, and those that were meant to come after it. Older ones keep their end.
    for row in rows[: rows.index(_signing(call, rows)) + 1]:
        await call.store.change(TokenKey, {"kid": row.kid}, expires_at=until)
    _forget(call)


def _forget(call: Call) -> None:
    call.world.memo.pop("token-keys", None)


def _shown(call: Call, rows: Sequence[TokenKey]) -> list[KeyShown]:
    signing = _signing(call, rows) if rows else None
    shown, state = [], "next"
    for row in rows:
        if row is signing:
            state = "signs"
        shown.append(KeyShown(row.kid, row.algorithm, state, row.begins_at, row.expires_at))
        if row is signing:
            state = "kept"
    return shown


class TokenKeys(Feature):
    """Keys that sign, by TOKEN_ALGORITHM. `AccessTokens` brings them with it."""

    records = (TokenKey,)
    actions = (jwks,)
    sweeps = (Sweep(TokenKey, "expires_at"),)
    sealed = (Sealed(TokenKey, "jwk", purpose="token-key", context="kid"),)
    chores = (replace_in_time,)
