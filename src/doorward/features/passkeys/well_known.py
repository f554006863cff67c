"""What browsers and passkey managers look for at fixed paths of the domain that passkeys are for."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.core.action import action
from doorward.core.call import Call


@dataclass(frozen=True, slots=True)
class RelatedOrigins:
    """Where passkeys of this domain may be asked for, beside the domain itself (WebAuthn Level 3 §5.11)."""

    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PasskeyEndpoints:
    """Pages that a passkey manager leads people to."""

    enroll: str
    manage: str


@action("passkeys.related_origins", method="GET", cacheable=True, url="/.well-known/webauthn")
async def related_origins(call: Call) -> RelatedOrigins:
    """The origins that browsers let ask for passkeys of this domain."""
    settings = call.world.settings
    return RelatedOrigins(tuple(map(str, (settings.origin, *settings.related_origins))))


@action("passkeys.endpoints", method="GET", cacheable=True, url="/.well-known/passkey-endpoints")
async def endpoints(call: Call) -> PasskeyEndpoints:
    """Where people make and manage their passkeys."""
    page = call.link("/passkeys")
    return PasskeyEndpoints(enroll=page, manage=page)
