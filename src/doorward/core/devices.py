"""Devices that signed a user in before: known by a signed cookie that outlives the session (rule 12), or trusted, so
that they are asked for no second factor for a while (rule 27)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from doorward.core.call import Call
from doorward.core.records import Account, Moves, Record, column
from doorward.primitives import signing, tokens

KNOWN_DEVICE_LIFE = timedelta(days=400)


def is_known_device(call: Call, user_id: str) -> bool:
    """Whether this client signed this user in before."""
    known = signing.unsign(call.keyring, call.client.known_device, purpose="known-device", now=call.now)
    return known is not None and tokens.same(known, user_id)


def known_device_cookie(call: Call, user_id: str) -> str:
    """What makes a device known: it outlives the session."""
    expires_at = call.now + KNOWN_DEVICE_LIFE
    return signing.sign(call.keyring, purpose="known-device", payload=user_id, expires_at=expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedDevice(Record):
    """A browser in which its user proved a second factor, and is asked for none until `expires_at`. It is nothing under
    another epoch than it was made under, and its row goes with the sessions and factors that end."""

    table: ClassVar[str] = "doorward_trusted_device"
    moves: ClassVar[Moves] = Moves.WITH_SESSIONS
    exported: ClassVar[tuple[str, ...]] = ("id", "user_agent", "ip", "created_at", "last_used_at", "expires_at")

    id: str = column(key=True, size=64)
    digest: str = column(unique=True)
    user_id: str = column(index=True, size=64)
    auth_epoch: str = column(size=64)
    user_agent: str = column(size=400, default="")
    ip: str = column(size=64, default="")
    created_at: datetime = column()
    last_used_at: datetime | None = column(default=None)
    expires_at: datetime = column(index=True)


def device_digest(secret: str) -> str:
    """What is stored of a trusted device's secret (256 random bits)."""
    return tokens.digest(secret, purpose="trusted-device")


def trust_counts(call: Call) -> bool:
    """Whether a trusted browser stands in for a second factor here. Where no session may be below AAL2 it can't, and
    without the feature nothing would end the trust."""
    policy = call.policy
    return bool(policy.trusted_device_life) and policy.lowest_aal < 2 and call.world.offers("trusted_devices.end")


async def is_trusted_device(call: Call, account: Account) -> bool:
    """Whether this browser is trusted by this user, and still is by the policy of today."""
    secret, longest = call.client.trusted_device, call.policy.trusted_device_life
    if not secret or not trust_counts(call):
        return False
    row = await call.store.get(TrustedDevice, digest=device_digest(secret), user_id=account.user_id)
    return (
        row is not None
        and row.auth_epoch == account.auth_epoch
        and call.now < min(row.expires_at, row.created_at + longest)
    )


async def use_trusted_device(call: Call, user_id: str, auth_epoch: str) -> bool:
    """Note that a sign-in was let pass by it; in the transaction that starts the session. False if it was ended
    meanwhile."""
    mine = {"digest": device_digest(call.client.trusted_device), "user_id": user_id, "auth_epoch": auth_epoch}
    return await call.store.change(TrustedDevice, mine, last_used_at=call.now) == 1


async def trust_device(call: Call, user_id: str, auth_epoch: str) -> None:
    """Trust this browser from now on, in the place of what it was trusted with before."""
    secret = call.new_secret()
    if call.client.trusted_device:
        await call.store.remove(TrustedDevice, digest=device_digest(call.client.trusted_device), user_id=user_id)
    row = TrustedDevice(
        id=call.new_id(),
        digest=device_digest(secret),
        user_id=user_id,
        auth_epoch=auth_epoch,
        user_agent=call.client.user_agent[:400],
        ip=call.client.ip,
        created_at=call.now,
        expires_at=call.now + call.policy.trusted_device_life,
    )
    await call.store.add(row)
    call.effects.trusted_device = secret
