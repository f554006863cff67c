"""Passkeys of nobody: who asks by an unknown name is answered as one who has some (rule 38)."""

from __future__ import annotations

import hmac
from typing import Any

from doorward.core.call import Call
from doorward.primitives import tokens, webauthn

# What people have: number and length of ids in bytes, and how they are reached. It is fixed, since a list that changed
# with those who sign up would tell which names it was made up for.
_SHAPES: tuple[tuple[tuple[int, tuple[str, ...]], ...], ...] = (
    ((20, ("internal", "hybrid")),),
    ((20, ("internal", "hybrid")),),
    ((32, ("internal", "hybrid")),),
    ((16, ("internal", "hybrid")),),
    ((32, ("internal",)), (20, ("internal", "hybrid"))),
    ((20, ("internal", "hybrid")), (48, ("usb", "nfc"))),
    ((48, ("usb", "nfc")), (48, ("usb", "nfc"))),
)


_MARK = 8  # bytes at the end of an id of nobody's, by which we know it again


def decoys_for(call: Call, canonical: str) -> list[dict[str, Any]]:
    """As `allowCredentials` has them; the same for one name each time."""
    key = call.keyring.key("passkey-decoys")
    picked = tokens.decode(tokens.hmac_digest(key, "shape", canonical).removeprefix("1.")) or b""
    shape = _SHAPES[int.from_bytes(picked[:4], "big") % len(_SHAPES)]
    return [
        webauthn.descriptor(_id(key, canonical, str(place), length), transports)
        for place, (length, transports) in enumerate(shape)
    ]


def _id(key: bytes, canonical: str, place: str, length: int) -> bytes:
    halves = (tokens.hmac_digest(key, half, place, canonical).removeprefix("1.") for half in ("id", "more"))
    body = b"".join(tokens.decode(half) or b"" for half in halves)[: length - _MARK]
    return body + _mark(key, body)


def is_decoy(call: Call, credential_id: bytes) -> bool:
    """Whether we made this id up for a name that has no passkeys: it is answered as a passkey that somebody has."""
    body, mark = credential_id[:-_MARK], credential_id[-_MARK:]
    keys = [call.keyring.key("passkey-decoys", key_id=id) for id in call.keyring.ids]
    return any([hmac.compare_digest(_mark(key, body), mark) for key in keys])


def _mark(key: bytes, body: bytes) -> bytes:
    return (tokens.decode(tokens.hmac_digest(key, "mark", tokens.encode(body)).removeprefix("1.")) or b"")[:_MARK]
