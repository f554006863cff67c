"""What actions return, as JSON: a sign-in's next step, users, sessions, lists, and plain results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from doorward.core.attempt import read_proofs
from doorward.core.call import Call
from doorward.core.records import User
from doorward.core.rights import roles_of
from doorward.core.session import Caller, Identity, KeyIdentity, Session, level_of
from doorward.core.sign_in import Stepped
from doorward.core.steps import Confirm, Enroll, Prove, Verify, amr_of
from doorward.core.users import phone_of, standing_addresses


async def answer_of(call: Call, result: object, status: int) -> tuple[int, object]:
    """Status and JSON value of what an action returned; None has no body."""
    if result is None:
        return status, None
    if isinstance(result, Stepped):
        return await _stepped(call, result)
    return status, await plain(call, result)


async def body_of(call: Call, result: object, status: int) -> tuple[int, bytes | None]:
    """Status and body. Who only asks who they are is told what was said a moment ago, while it is remembered."""
    identity = result.identity if isinstance(result, Stepped) and result.only_says_who else None
    if identity is None or identity is not call.caller:
        status, value = await answer_of(call, result, status)
        return status, None if value is None else encoded(value)
    body: bytes | None = identity.shapes.get("body")
    if body is None:
        _, value = await answer_of(call, result, status)
        body = identity.shapes["body"] = encoded(value)
    return 200, body


async def _stepped(call: Call, stepped: Stepped) -> tuple[int, object]:
    if stepped.hold is not None:
        return 202, {
            "step": step_name(stepped.hold),
            **_details(stepped.hold),
            **({"to": stepped.to} if stepped.to else {}),
            **({"attempt": stepped.attempt} if stepped.attempt else {}),
            "expires_in": stepped.expires_in,
            **stepped.extra,
        }
    answer: dict[str, object] = {"step": "done", **stepped.extra}
    if stepped.identity is not None:
        answer |= await _identity(call, stepped.identity)
    if stepped.tokens is not None:
        answer["tokens"] = dict(stepped.tokens)
    if stepped.return_to:
        answer["return_to"] = stepped.return_to
    return 200, answer


def step_name(hold: object) -> str:
    """`prove`, `enroll` or `verify`."""
    return type(hold).__name__.lower()


def _details(hold: object) -> dict[str, object]:
    if isinstance(hold, Prove | Enroll):
        return {"methods": list(hold.methods)}
    return {"what": hold.what} if isinstance(hold, Verify | Confirm) else {}


async def plain(call: Call, value: object) -> Any:
    """Any result as what `json.dumps` takes."""
    if isinstance(value, Identity):  # in a list: whose it is has been said by who asks
        return session_shape(call, value.session)
    if isinstance(value, Session):
        return session_shape(call, value)
    if isinstance(value, User):
        return await user_shape(call, value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return {str(name): await plain(call, item) for name, item in value.items()}
    if is_dataclass(value):
        return {f.name: await plain(call, getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Sequence | frozenset | set) and not isinstance(value, str):
        return [await plain(call, item) for item in value]
    return value


async def _identity(call: Call, identity: Caller) -> dict[str, object]:
    user = await user_shape(call, identity.user)
    if isinstance(identity, KeyIdentity):
        return {"user": user, "session": None, "key": {"id": identity.key, "scopes": sorted(identity.scopes)}}
    return {"user": user, "session": session_shape(call, identity.session)}


async def user_shape(call: Call, user: User) -> dict[str, object]:
    """A user as every answer shows one. Addresses come back as the user wrote them."""
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "email_verified": await _is_verified(call, user),
        "username": user.username,
        "phone": await phone_of(call, user),
        "roles": list(await roles_of(call, user)),
        "created_at": moment(user.created_at),
    }


async def _is_verified(call: Call, user: User) -> bool:
    """Proved to us, or taken on trust from a host that had it before us (rule 3)."""
    return any(row.address.casefold() == (user.email or "").casefold() for row in await standing_addresses(call, user))


def session_shape(call: Call, session: Session) -> dict[str, object]:
    """A session as its owner sees it; never its secret or digest."""
    aal = level_of(session, call.policy, call.now)
    shape: dict[str, object] = {
        "id": session.id,
        "created_at": moment(session.created_at),
        "last_seen_at": moment(session.last_seen_at),
        "expires_at": moment(session.expires_at),
        "amr": list(amr_of(read_proofs(session.proofs), aal=aal)),
        "aal": aal,
        "current": call.identity is not None and call.identity.session.id == session.id,
        "user_agent": session.user_agent,
        "ip": session.ip,
    }
    return shape if session.enroll_by is None else {**shape, "enroll_by": moment(session.enroll_by)}


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(value: object) -> bytes:
    """JSON as it goes out."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
