"""What happened to an account, written with whatever happened: for its user to see, and for an operator.

An entry names nobody. It stands under a pseudonym, and its details are sealed by a key of that user's own. The row that
leads from a user to both, `AuditKey`, goes when the user is erased: the entries stay, about nobody any more, and
nothing opens them (rule 18).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, ClassVar

from doorward.core.action import CursorText, Needs, action
from doorward.core.call import Call
from doorward.core.cursors import all_rows, page_of
from doorward.core.events import Event
from doorward.core.feature import Exports, Feature, Page, Sealed, Sweep
from doorward.core.records import Moves, Record, User, column
from doorward.locale import _
from doorward.primitives import sealing, tokens
from doorward.primitives.keyring import Keyring

KEY_ID = "own"  # in sealed details: not one of SECRET
SOMEBODYS, NOBODYS = "user", "nobody"  # whose an entry is
NAMES_USERS = frozenset({"by"})  # fields of events that hold the id of somebody else


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditKey(Record):
    """What leads from a user to their entries: the pseudonym, and the key of the details, sealed under SECRET."""

    table: ClassVar[str] = "doorward_audit_key"
    exported: ClassVar[tuple[str, ...]] = ()

    user_id: str = column(key=True, size=64)
    subject: str = column(unique=True, size=64)
    key: str = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry(Record):
    """Something that happened, to `subject`; no column leads to a user. `kind` says by what the details are sealed:
    SOMEBODYS by the user's own key, NOBODYS, which has no subject, under SECRET."""

    table: ClassVar[str] = "doorward_audit_entry"
    moves: ClassVar[Moves] = Moves.ALWAYS

    id: str = column(key=True, size=64)
    kind: str = column(size=16)
    event: str = column()
    subject: str = column(index=True, size=64)
    details: str = column(size=0)
    created_at: datetime = column()
    expires_at: datetime = column(index=True)


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry, opened. Others in `details` are pseudonyms; they are empty where nothing opens them any more."""

    id: str
    at: datetime
    event: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trail:
    """Newest first."""

    items: tuple[Happened, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Found(Happened):
    """An entry as an operator sees it; `user_id` is empty where nothing leads to a user."""

    subject: str
    user_id: str


async def record(call: Call, event: Event) -> None:
    """Write an event down, in its transaction: both stay, or neither."""
    async with call.store.transaction():
        key = await _key_of(call, event.user_id)
        ring = _ring(call, key) or Keyring([(KEY_ID, call.world.random(32))])  # a node with another SECRET came first
        id, details = call.new_id(), json.dumps(await _details(call, event), ensure_ascii=False, default=str)
        entry = AuditEntry(
            id=id,
            kind=NOBODYS if key is None else SOMEBODYS,
            event=name_of(type(event)),
            subject="" if key is None else key.subject,
            details=sealing.seal(ring, details.encode(), purpose="audit", context=id, nonce=call.world.random(12)),
            created_at=event.at,
            expires_at=event.at + call.policy.audit_life,
        )
        await call.store.add(entry)


def name_of(kind: type[Event]) -> str:
    """`SignInFailed` as `sign_in_failed`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


async def _details(call: Call, event: Event) -> dict[str, Any]:
    said = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in ("at", "user_id")}
    for name in NAMES_USERS & said.keys():
        other = await _key_of(call, said[name])
        said[name] = "" if other is None else other.subject
    return {name: value for name, value in {**_from(call, event), **said}.items() if value not in ("", ())}


def _from(call: Call, event: Event) -> dict[str, Any]:
    """Where it came from. Where somebody else did it, that is theirs: their key would have to seal it."""
    caller = call.caller
    if caller is not None and caller.user.id != event.user_id:
        return {}
    came: dict[str, Any] = {"ip": call.client.ip, "user_agent": call.client.user_agent}
    if call.identity is not None:
        came["session_id"] = call.identity.session.id
    return came


async def _key_of(call: Call, user_id: str) -> AuditKey | None:
    """The key of a user, made on first contact; for nobody a read that costs the same (rule 14)."""
    key = await call.store.get(AuditKey, user_id=user_id)
    if key is None:
        return await _made(call, user_id) if user_id else None
    return key if _ring(call, key) is not None else await _renewed(call, key)


async def _made(call: Call, user_id: str) -> AuditKey:
    """Of many who make it at once one does, and all of them use that."""
    key = AuditKey(user_id=user_id, subject=call.new_id(), key=_new_key(call, user_id))
    # Who was erased a moment ago gets none that stays: nothing may lead to an entry that is written just now.
    if await call.store.get(User, id=user_id) is None or await call.store.add(key):
        return key
    return await call.store.get(AuditKey, user_id=user_id) or key


async def _renewed(call: Call, lost: AuditKey) -> AuditKey:
    """Another key in the place of one that SECRET, which was replaced, does not open: what it sealed stays closed."""
    key = replace(lost, key=_new_key(call, lost.user_id))
    if await call.store.change(AuditKey, {"user_id": lost.user_id, "key": lost.key}, key=key.key) == 1:
        return key
    return await call.store.get(AuditKey, user_id=lost.user_id) or key


def _new_key(call: Call, user_id: str) -> str:
    return call.seal(tokens.encode(call.world.random(32)).encode(), purpose="audit-key", context=user_id)


def _ring(call: Call, key: AuditKey | None) -> Keyring | None:
    """What seals and opens details; None where SECRET does not open the key."""
    if key is None:
        return call.keyring
    plain = sealing.unseal(call.keyring, key.key, purpose="audit-key", context=key.user_id)
    return None if plain is None else Keyring([(KEY_ID, tokens.decode(plain.decode()) or b"")])


def _opened(ring: Keyring | None, entry: AuditEntry) -> dict[str, Any]:
    plain = None if ring is None else sealing.unseal(ring, entry.details, purpose="audit", context=entry.id)
    found: dict[str, Any] = {} if plain is None else json.loads(plain)
    return found


@action("audit.list", method="GET", needs=Needs.SIGNED_IN)
async def list_entries(call: Call, *, limit: int = 100, after: CursorText | None = None) -> Trail:
    """What happened to one's own account, newest first."""
    subject, ring = await _own(call)
    rows, following = await page_of(call, AuditEntry, of="audit.list", limit=limit, after=after, subject=subject)
    return Trail(tuple(_shown(ring, row) for row in rows), following)


async def export(call: Call) -> tuple[Mapping[str, Any], ...]:
    """All of one's own entries, oldest first."""
    subject, ring = await _own(call)
    rows = await all_rows(call, AuditEntry, subject=subject)
    return tuple(asdict(_shown(ring, row)) for row in sorted(rows, key=lambda row: row.created_at))


async def _own(call: Call) -> tuple[str, Keyring | None]:
    """The pseudonym of who is signed in, and what opens their entries. Who has no key has none: no entry stands under
    the id of a user."""
    key = await call.store.get(AuditKey, user_id=call.signed_in.user.id)
    return call.signed_in.user.id if key is None else key.subject, _ring(call, key)


def _shown(ring: Keyring | None, row: AuditEntry) -> Happened:
    return Happened(row.id, row.created_at, row.event, _opened(ring, row))


async def trail(call: Call, user: User | None, *, limit: int) -> tuple[Found, ...]:
    """The latest entries of a user, or of everybody, for an operator."""
    where: dict[str, Any] = {}
    if user is not None:
        key = await call.store.get(AuditKey, user_id=user.id)
        where = {"kind": SOMEBODYS, "subject": "" if key is None else key.subject}
    rows = await call.store.find(AuditEntry, order="-created_at", limit=limit, **where)
    keys = await _keys_of(call, {row.subject for row in rows if row.subject})
    return tuple([_found(call, row, keys.get(row.subject)) for row in rows])


async def _keys_of(call: Call, subjects: Iterable[str]) -> dict[str, AuditKey]:
    found = [await call.store.get(AuditKey, subject=subject) for subject in subjects]
    return {key.subject: key for key in found if key is not None}


def _found(call: Call, row: AuditEntry, key: AuditKey | None) -> Found:
    ring = None if key is None and row.kind == SOMEBODYS else _ring(call, key)
    user_id = "" if key is None else key.user_id
    return Found(row.id, row.created_at, row.event, _opened(ring, row), row.subject, user_id)


async def load_activity(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """A page of one's own entries."""
    return {"trail": await list_entries.run(call, limit=50, after=query.get("after") or None)}


class Audit(Feature):
    """A log of what happens, which every user can read as far as it is about them."""

    records = (AuditKey, AuditEntry)
    actions = (list_entries,)
    listeners = ((Event, record),)
    pages = (
        Page(
            "/activity",
            "activity.html",
            load_activity,
            Needs.SIGNED_IN,
            area="security",
            title=_("Activity"),
            hint=_("What happened to your account, and from where."),
            place=97,
        ),
    )
    sweeps = (Sweep(AuditEntry, "expires_at"),)
    exports: ClassVar[Mapping[str, Exports]] = {"audit_entry": export}
    sealed = (
        Sealed(AuditKey, "key", purpose="audit-key", context="user_id"),
        Sealed(AuditEntry, "details", purpose="audit", context="id", kind=NOBODYS),
    )
