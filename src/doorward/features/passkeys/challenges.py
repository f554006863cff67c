"""Challenges: made here, good once, for one ceremony of one holder, and for five minutes. None is stored before use.

A challenge says itself what was asked, under a MAC that also covers whose it is; so a flood of beginnings fills nothing
(rule 38). Whom it is about it only commits to: it is read, and spent, without a look at who that is, so that nothing
tells a user who has passkeys from one who has none. At the end of its ceremony, right or wrong, it is spent.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntFlag

from doorward.core.call import Call
from doorward.core.possession import spend_proof
from doorward.core.refusals import Refused
from doorward.primitives import tokens
from doorward.primitives.keyring import Keyring
from doorward.primitives.moments import unix_seconds

LIFE = timedelta(minutes=5)
NONCE = 16
_VERSION = b"\x01"
_WHOM = 16
_BODY = len(_VERSION) + NONCE + 8 + 1 + _WHOM
_TAG = 32


class Asked(IntFlag):
    """What a ceremony was begun with, and is ended by. `VERIFIED`: the authenticator must verify its user. `SILENT`:
    a passkey is made without anybody's touch. `BROWSER`: the cookie must come along that was set. `VOUCHED`: its maker
    must be known."""

    NOTHING = 0
    VERIFIED = 1
    SILENT = 2
    BROWSER = 4
    VOUCHED = 8


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge of ours that came back."""

    raw: bytes
    asked: Asked
    expires_at: datetime

    def is_about(self, call: Call, about: str) -> bool:
        """Whether it was made about this user, or about nobody."""
        body = self.raw[: _BODY - _WHOM]
        known = [_whom(call.keyring, id, body, about) for id in call.keyring.ids]
        return any([hmac.compare_digest(self.raw[_BODY - _WHOM : _BODY], one) for one in known])


def make(call: Call, ceremony: str, *, holder: str, about: str, asked: Asked = Asked.NOTHING) -> bytes:
    """A challenge for a ceremony (`create` or `get`) of a holder (a session, an attempt) about a user, or nobody."""
    expires_at = int(unix_seconds(call.now + LIFE))
    ring, key_id = call.keyring, call.keyring.current_id
    body = _VERSION + call.world.random(NONCE) + expires_at.to_bytes(8, "big") + bytes([asked])
    body += _whom(ring, key_id, body, about)
    return body + _tag(ring, key_id, body, ceremony, holder)


def read(call: Call, raw: bytes, ceremony: str, *, holder: str) -> Challenge | None:
    """The challenge, if it is ours and was made for this ceremony of this holder. It may be spent, or too old."""
    if len(raw) != _BODY + _TAG or raw[:1] != _VERSION:
        return None
    body, tag = raw[:_BODY], raw[_BODY:]
    tags = [_tag(call.keyring, id, body, ceremony, holder) for id in call.keyring.ids]
    if not any([hmac.compare_digest(tag, one) for one in tags]):
        return None
    said = body[len(_VERSION) + NONCE :]
    return Challenge(raw, Asked(said[8]), datetime.fromtimestamp(int.from_bytes(said[:8], "big"), UTC))


async def spend(call: Call, challenge: Challenge) -> None:
    """Use it up, before anything is verified. Raises `state_changed` where it is too old, or was used."""
    digest = tokens.digest(tokens.encode(challenge.raw), purpose="passkey-challenge")
    in_time = call.now < challenge.expires_at
    if not in_time or not await spend_proof(call, digest, until=challenge.expires_at):
        raise Refused("state_changed", "This took too long, or was sent twice. Begin again.")


def _tag(keyring: Keyring, key_id: str, body: bytes, ceremony: str, holder: str) -> bytes:
    return _mac(keyring, key_id, "made", ceremony, holder, tokens.encode(body))


def _whom(keyring: Keyring, key_id: str, body: bytes, about: str) -> bytes:
    return _mac(keyring, key_id, "about", about, tokens.encode(body))[:_WHOM]


def _mac(keyring: Keyring, key_id: str, *said: str) -> bytes:
    key = keyring.key("passkey-challenge", key_id=key_id)
    return tokens.decode(tokens.hmac_digest(key, *said).removeprefix("1.")) or b""
