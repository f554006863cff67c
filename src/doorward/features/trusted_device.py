"""Browsers in which no second factor is asked for: which of them one trusts, and the end of that trust."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from doorward.core.action import IdText, Needs, action
from doorward.core.call import Call
from doorward.core.devices import TrustedDevice, device_digest
from doorward.core.events import AuthenticatorRemoved
from doorward.core.feature import Feature, Page, Sweep
from doorward.core.refusals import Refused
from doorward.locale import _

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Trusted:
    """A browser that is trusted. `current`: it is the one that asks."""

    id: str
    user_agent: str
    ip: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class TrustedList:
    """Newest first."""

    items: tuple[Trusted, ...]
    next: str | None = None


@action("trusted_devices.list", method="GET", needs=Needs.SIGNED_IN)
async def list_devices(call: Call) -> TrustedList:
    """The browsers in which who is signed in is asked for no second factor."""
    user = call.signed_in.user
    rows = await call.store.find(
        TrustedDevice, user_id=user.id, expires_at__gt=call.now, order="-created_at", limit=MOST_SHOWN
    )
    return TrustedList(tuple(_shown(call, row) for row in rows))


def _shown(call: Call, row: TrustedDevice) -> Trusted:
    return Trusted(
        id=row.id,
        user_agent=row.user_agent,
        ip=row.ip,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        current=_is_this(call, row),
    )


def _is_this(call: Call, row: TrustedDevice) -> bool:
    secret = call.client.trusted_device
    return bool(secret) and device_digest(secret) == row.digest


@action("trusted_devices.end", needs=Needs.SIGNED_IN, status=204)
async def end(call: Call, *, id: IdText | None = None) -> None:
    """Trust a browser no more; without `id` none of them. Somebody else's id is not found."""
    user = call.signed_in.user
    if id is None:
        await call.store.remove(TrustedDevice, user_id=user.id)
        call.effects.trusted_device_ended = True
        return
    ended = await call.store.take(TrustedDevice, id=id, user_id=user.id)
    if ended is None:
        raise Refused("not_found")
    call.effects.trusted_device_ended = _is_this(call, ended)


async def end_with_factor(call: Call, event: AuthenticatorRemoved) -> None:
    """Who trusted a browser did so by what is gone now; in the same transaction."""
    await call.store.remove(TrustedDevice, user_id=event.user_id)


class TrustedDevices(Feature):
    """«Do not ask in this browser for 30 days»."""

    actions = (list_devices, end)
    listeners = ((AuthenticatorRemoved, end_with_factor),)
    pages = (
        Page(
            "/trusted-devices",
            "trusted_devices.html",
            needs=Needs.SIGNED_IN,
            reads=("trusted_devices.list",),
            area="security",
            title=_("Trusted browsers"),
            hint=_("Where you are asked for no second step."),
            place=95,
        ),
    )
    sweeps = (Sweep(TrustedDevice, "expires_at"),)
