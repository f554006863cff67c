"""Refresh tokens: each works once and gives its successor; one that comes back later ends its whole family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from doorward.core.action import AnyTokenText, IdText, TokenText, UrlText, action
from doorward.core.call import Call
from doorward.core.events import RefreshTokenReused
from doorward.core.feature import Feature, Sweep
from doorward.core.identify import by_session, end_session
from doorward.core.possession import demand_key
from doorward.core.records import Moves, Record, User, column
from doorward.core.refusals import Refused
from doorward.core.session import Session
from doorward.core.users import tell
from doorward.features.access_tokens import access_token
from doorward.primitives import tokens

PREFIX = "dwr"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshFamily(Record):
    """All refresh tokens of one sign-in, as one row: `digest` is that of the token that is good now, `parent` of the
    one before it. `key_id` names the master key that its successors are derived with (rule 23)."""

    table: ClassVar[str] = "doorward_refresh_family"
    moves: ClassVar[Moves] = Moves.WITH_SESSIONS
    exported: ClassVar[tuple[str, ...]] = ("id", "session_id", "rotated_at", "expires_at")

    id: str = column(key=True, size=64)
    session_id: str = column(unique=True, size=64)
    user_id: str = column(index=True, size=64)
    key_id: str = column(size=64)
    digest: str = column()
    parent: str = column(default="")
    generation: int = column(default=0)
    rotated_at: datetime = column()
    expires_at: datetime = column(index=True)


class Presented(NamedTuple):
    """A refresh token taken apart. It holds a MAC, so that what we never gave out can't end a family."""

    family: str
    generation: int
    secret: str

    def text(self, call: Call, key_id: str) -> str:
        return f"{PREFIX}_{self.family}.{self.generation}.{self.secret}.{self.mac(call, key_id)}"

    def mac(self, call: Call, key_id: str) -> str:
        key = call.keyring.key("refresh-mac", key_id=key_id)
        return tokens.hmac_digest(key, self.family, str(self.generation), self.secret)[2:24]

    def successor(self, call: Call, key_id: str) -> Presented:
        """HMAC(key, parent secret ‖ family ‖ generation): a repeat within the grace recomputes the same one."""
        key = call.keyring.key("refresh", key_id=key_id)
        generation = self.generation + 1
        secret = tokens.hmac_digest(key, self.secret, self.family, str(generation))[2:]
        return Presented(self.family, generation, secret)

    @property
    def digest(self) -> str:
        return tokens.digest(f"{self.generation}.{self.secret}", purpose="refresh")


async def issue(call: Call, user: User, session: Session) -> Mapping[str, Any]:
    """Access and refresh token of a session that starts. A session that is stepped up keeps its refresh tokens."""
    access = await access_token(call, user, session)
    first = Presented(call.new_id(), 0, call.new_secret())
    key_id = call.keyring.current_id
    family = RefreshFamily(
        id=first.family,
        session_id=session.id,
        user_id=user.id,
        key_id=key_id,
        digest=first.digest,
        rotated_at=call.now,
        expires_at=session.expires_at,
    )
    if not await call.store.add(family):
        return access
    return {**access, "refresh_token": first.text(call, key_id)}


@action("token.refresh", proving=True)
async def refresh(call: Call, *, refresh_token: TokenText, audience: UrlText | None = None) -> Mapping[str, Any]:
    """The next refresh token and a fresh access token. A lost answer may be asked for again for 30 seconds."""
    family, presented = await _family_of(call, refresh_token)
    session = await call.store.get(Session, id=family.session_id)
    identity = None if session is None else await by_session(call, session)
    if session is None or identity is None:
        raise Refused("refresh_refused")
    if session.jkt:  # before anything is moved: who lacks the key ends nothing, either
        await demand_key(call, session.jkt)
    successor = presented.successor(call, family.key_id)
    if not await _rotated(call, family, presented, successor) and not await _repeats(call, presented, successor):
        await _end(call, family, identity.user)
        raise Refused("refresh_refused")
    access = await access_token(call, identity.user, identity.session, audience=audience or None)
    return {**access, "refresh_token": successor.text(call, family.key_id)}


async def _rotated(call: Call, family: RefreshFamily, presented: Presented, successor: Presented) -> bool:
    """Compare-and-set: of forty rivals with one token one moves the family on; the others repeat."""
    values = {"digest": successor.digest, "parent": presented.digest, "generation": successor.generation}
    where = {"id": family.id, "digest": presented.digest, "generation": presented.generation}
    return await call.store.change(RefreshFamily, where, rotated_at=call.now, **values) == 1


async def _repeats(call: Call, presented: Presented, successor: Presented) -> bool:
    """The direct parent, within the grace, whose successor nobody used: a tab or a lost answer, not a thief."""
    where = {"id": presented.family, "digest": successor.digest, "parent": presented.digest}
    family = await call.store.get(RefreshFamily, **where)
    return family is not None and call.now - family.rotated_at <= call.policy.refresh_grace


async def _end(call: Call, family: RefreshFamily, user: User) -> None:
    async with call.store.transaction():
        if await call.store.take(RefreshFamily, id=family.id) is None:
            return
        await end_session(call, family.user_id, family.session_id)
        await call.emit(RefreshTokenReused(at=call.now, user_id=user.id, session_id=family.session_id))
        await tell(call, user, "refresh_token_reused")


async def _family_of(call: Call, text: str) -> tuple[RefreshFamily, Presented]:
    presented, mac = _parsed(text)
    family = None if presented is None else await call.store.get(RefreshFamily, id=presented.family)
    if presented is None or family is None or family.expires_at <= call.now:
        raise Refused("refresh_refused")
    if family.key_id not in call.keyring.ids or not tokens.same(mac, presented.mac(call, family.key_id)):
        raise Refused("refresh_refused")
    return family, presented


def _parsed(text: str) -> tuple[Presented | None, str]:
    prefix, _, rest = text.partition("_")
    parts = rest.split(".")
    if prefix != PREFIX or len(parts) != 4 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 10):
        return None, ""
    return Presented(parts[0], int(parts[1]), parts[2]), parts[3]


@action("token.revoke", lenient=True)
async def revoke(call: Call, *, token: AnyTokenText, token_type_hint: IdText | None = None) -> None:
    """RFC 7009: a refresh token ends its family and its session; anything else is answered the same."""
    try:
        family, _ = await _family_of(call, token)
    except Refused:
        return
    async with call.store.transaction():
        await call.store.remove(RefreshFamily, id=family.id)
        await end_session(call, family.user_id, family.session_id)


class RefreshTokens(Feature):
    """Tokens instead of a cookie, for sign-ins that ask for them with `"issue": "tokens"`."""

    records = (RefreshFamily,)
    actions = (refresh, revoke)
    issuers: ClassVar = {"tokens": issue}
    sweeps = (Sweep(RefreshFamily, "expires_at"),)
