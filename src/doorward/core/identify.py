"""Who makes a request: by session cookie or bearer token, and the ends that sessions come to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from doorward.core.call import Call
from doorward.core.devices import TrustedDevice
from doorward.core.possession import demand_key
from doorward.core.records import Account, Plus, Record, User
from doorward.core.refusals import Refused
from doorward.core.session import (
    COOKIE,
    SEEN_EVERY,
    Caller,
    HostPass,
    Identity,
    Session,
    is_alive,
    is_idle,
    level_of,
    pass_digest,
    session_digest,
)
from doorward.primitives import tokens


async def by_cookie(call: Call, secret: str) -> Caller | None:
    """The identity behind a session cookie, or None. Unknown ids are never adopted."""
    if host := call.client.host:
        digest = pass_digest(secret, kind=COOKIE, host=host)
        return await _remembered(call, digest, lambda: by_pass(call, digest))
    digest = session_digest(secret)
    return await _remembered(call, digest, lambda: _by_digest(call, digest))


async def _by_digest(call: Call, digest: str) -> Identity | None:
    session = await call.store.get(Session, digest=digest)
    if session is None or session.kind != "session":
        return None
    return await by_session(call, session)


async def by_pass(call: Call, digest: str) -> Identity | None:
    """The identity that a protected host's cookie leads to: that of the session, as long as there is one."""
    found = await call.store.get(HostPass, digest=digest)
    if found is None or found.expires_at <= call.now:
        return None
    session = await call.store.get(Session, id=found.session_id)
    return None if session is None else await by_session(call, session)


async def _remembered(call: Call, digest: str, read: Callable[[], Awaitable[Caller | None]]) -> Caller | None:
    """What was read for this digest half a second ago at most, else what is read now."""
    recent = call.world.recent
    if recent is None:
        return await read()
    identity = recent.get(digest, call.now)
    if identity is None:
        generation = recent.generation
        identity = await read()
        if identity is not None:
            recent.keep(digest, identity, call.now, generation=generation)
    return identity


async def by_session(call: Call, session: Session) -> Identity | None:
    """The identity of a session row, if it still lets its user in."""
    user = await call.store.get(User, id=session.user_id)
    seen = call.world.seen.get((Session, session.id))
    if seen is not None and seen > session.last_seen_at:
        session = replace(session, last_seen_at=seen)
    session = await _lapsed(call, session)
    keys = (call.keyring.key("host-state", key_id=id) for id in call.keyring.ids)
    if user is None or not is_alive(session, user, keys=keys, policy=call.policy, now=call.now):
        return None
    see(call, Session, session.id, session.last_seen_at)
    return Identity(user, session, level_of(session, call.policy, call.now))


async def _lapsed(call: Call, session: Session) -> Session:
    """A session that lay idle for too long falls below AAL2, and using it again raises it no more: that is written down
    at once. New proofs are not touched."""
    if not is_idle(session, call.policy, call.now) or level_of(session, call.policy, call.now) < 2:
        return session
    since = call.now - call.policy.aal2_idle  # nothing has been proved after that, or it would have been used
    await call.store.change(Session, {"id": session.id, "proofs": session.proofs}, lapsed_at=since)
    return replace(session, lapsed_at=since)


def see(call: Call, kind: type[Record], key: str, last_seen_at: datetime) -> None:
    """Note that a row was used just now. It is written later, in a batch: a read must not cost a write."""
    if call.now - max(last_seen_at, call.world.seen.get((kind, key), last_seen_at)) >= SEEN_EVERY:
        call.world.seen[kind, key] = call.now


async def by_bearer(call: Call, token: str, *, bound: bool = False) -> Caller:
    """The identity behind `Authorization: Bearer`, or `DPoP` (`bound`: the sender proves to hold the token's key).

    Raises `invalid_bearer` or `invalid_proof`. Cookies are not looked at (rule 30).
    """
    digest = tokens.digest(token, purpose="bearer")
    identity = await _remembered(call, digest, lambda: _by_readers(call, token))
    if identity is None:
        raise Refused("invalid_bearer")
    jkt = "" if identity.session is None else identity.session.jkt
    if bool(jkt) is not bound:  # §7.1: what is bound is no bearer token, and what is not needs no proof
        raise Refused("invalid_bearer")
    if bound:
        await demand_key(call, jkt, token)
    return identity


async def _by_readers(call: Call, token: str) -> Caller | None:
    for reader in call.world.bearers:
        identity = await reader(call, token)
        if identity is not None:
            return identity
    return None


async def end_session(call: Call, user_id: str, session_id: str) -> bool:
    """End one session of a user; in a transaction of the caller, or its own."""
    async with call.store.transaction():
        ended = await call.store.take(Session, id=session_id, user_id=user_id)
        if ended is not None:
            await call.store.change(Account, {"user_id": user_id}, version=Plus(1))
    if call.identity is not None and call.identity.session.id == session_id:
        call.effects.session_ended = True
    return ended is not None


async def end_sessions(call: Call, user_id: str, *, but: Session | None = None) -> int:
    """End all sessions of a user (`but` one) with a new epoch, so that sign-ins under way, tokens and the trust in
    devices end as well.

    The session that stays is re-stamped in the same transaction (rule 19).
    """
    epoch = call.new_id()
    async with call.store.transaction():
        await call.store.change(Account, {"user_id": user_id}, auth_epoch=epoch, version=Plus(1))
        await call.store.remove(TrustedDevice, user_id=user_id)
        if but is None:
            ended = await call.store.remove(Session, user_id=user_id)
        else:
            await call.store.change(Session, {"id": but.id}, auth_epoch=epoch)
            # Before it and behind it: all others, however many a thief has started.
            ended = await call.store.remove(Session, user_id=user_id, id__lt=but.id)
            ended += await call.store.remove(Session, user_id=user_id, id__gt=but.id)
    if but is None and call.identity is not None and call.identity.user.id == user_id:
        call.effects.session_ended = True
    return ended
