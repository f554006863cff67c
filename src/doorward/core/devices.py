"""Devices that signed a user in before: known by a signed cookie that outlives the session (rule 12)."""

from __future__ import annotations

from datetime import timedelta

from doorward.core.call import Call
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
