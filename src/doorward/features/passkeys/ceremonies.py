"""What both ceremonies have in common: where passkeys belong, how long people have, and what managers are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, TypeVar

from doorward.core.call import Call
from doorward.core.records import Account, User
from doorward.core.refusals import invalid
from doorward.features.passkeys.challenges import LIFE, Asked, Challenge
from doorward.features.passkeys.stored import Passkey
from doorward.primitives import tokens
from doorward.primitives.urls import Origin
from doorward.primitives.webauthn import Expected, Response

T = TypeVar("T")
Hint = Literal["client-device", "hybrid", "security-key"]
TIMEOUT = int(LIFE.total_seconds()) * 1000


@dataclass(frozen=True, slots=True)
class Begun:
    """`options` is `PublicKeyCredentialCreationOptionsJSON`, or `…RequestOptionsJSON`; the end of the ceremony takes
    `attempt`, where one is named."""

    attempt: str | None
    options: Mapping[str, Any]


def parsed(read: Callable[[Mapping[str, Any]], Response], credential: Mapping[str, Any]) -> Response:
    """A `credential`, taken apart. Raises `invalid_input` for what no browser sends."""
    try:
        return read(credential)
    except ValueError as error:
        raise invalid("credential", "not_valid", str(error)[:100]) from None


def expected(call: Call, response: Response, challenge: Challenge) -> Expected:
    """What must hold at the end of a ceremony, by what it was begun with."""
    return Expected(
        challenge=challenge.raw,
        rp_id=call.world.settings.relying_party,
        origins=_origins(call, response.origin),
        user_verification=Asked.VERIFIED in challenge.asked,
        user_presence=Asked.SILENT not in challenge.asked,
    )


def _origins(call: Call, claimed: str) -> Sequence[str]:
    """Where our pages are: ORIGIN, RELATED_ORIGINS; and while somebody develops, any port of their own machine."""
    settings = call.world.settings
    ours = [str(origin) for origin in (settings.origin, *settings.related_origins)]
    if settings.debug and settings.origin.is_loopback:
        try:
            here = Origin.parse(claimed)
        except ValueError:
            return ours
        if here.is_loopback and here.matches(claimed):
            ours.append(claimed)
    return ours


async def signal(call: Call, user: User, passkeys: Sequence[Passkey]) -> dict[str, Any]:
    """What a page tells the user's passkey manager (Signal API, WebAuthn Level 3 §5.1.10), so that passkeys that are
    gone here go there too, and names stay right."""
    handle = await user_handle_of(call, user, passkeys)
    return {
        "rpId": call.world.settings.relying_party,
        "userId": tokens.encode(handle),
        "allAcceptedCredentialIds": [tokens.encode(p.credential_id) for p in passkeys if p.user_handle == handle],
        "currentUserDetails": {"name": name_for(user), "displayName": user.name or name_for(user)},
    }


async def user_handle_of(call: Call, user: User, passkeys: Sequence[Passkey]) -> bytes:
    """The user handle that passkeys of theirs have; and still the same one when all of them are gone, so that managers
    are told of those, and new ones take the place of old ones."""
    if passkeys:
        return passkeys[0].user_handle
    account = await call.store.get(Account, user_id=user.id)
    return handle_for((account and account.signed_up_as) or user.id)


def handle_for(id: str) -> bytes:
    """A user handle tells nothing of who it is (WebAuthn §14.6.1), and is the same for all passkeys of a user."""
    return sha256(b"doorward\0user-handle\0" + id.encode()).digest()


def name_for(user: User) -> str:
    """How a passkey manager shows whose passkey it is."""
    return user.email or user.username or user.name or user.id
