"""Signed text that comes back from a browser unchanged: for one purpose, until a moment, by any key of the ring."""

import hmac
from datetime import datetime

from doorward.primitives import tokens
from doorward.primitives.keyring import Keyring
from doorward.primitives.moments import unix_seconds

_VERSION = "1"
_NEVER = "-"
_LONGEST = 4096  # characters, a cookie's size


def sign(keyring: Keyring, *, purpose: str, payload: str, expires_at: datetime | None = None) -> str:
    """`1.key.expiry.payload.mac`, with expiry in whole Unix seconds, rounded down, or `-`. The payload is readable.

    Raises ValueError if the result is longer than 4,096 characters.
    """
    expiry = _NEVER if expires_at is None else str(int(unix_seconds(expires_at)))
    body = f"{_VERSION}.{keyring.current_id}.{expiry}.{tokens.encode(payload.encode())}"
    text = f"{body}.{_mac(keyring, body, purpose=purpose, key_id=keyring.current_id)}"
    if len(text) > _LONGEST:
        raise ValueError(f"signed text has at most {_LONGEST} characters, this one would have {len(text)}")
    return text


def unsign(keyring: Keyring, text: str, *, purpose: str, now: datetime) -> str | None:
    """The payload, or None when the text is not ours, altered, of another purpose, by an unknown key or expired."""
    moment = unix_seconds(now)
    if len(text) > _LONGEST or text.count(".") != 4:
        return None
    body, _, mac = text.rpartition(".")
    version, key_id, expiry, payload = body.split(".")
    if version != _VERSION or key_id not in keyring.ids:
        return None
    if not tokens.same(mac, _mac(keyring, body, purpose=purpose, key_id=key_id)):
        return None
    if expiry != _NEVER and moment >= int(expiry):
        return None
    return (tokens.decode(payload) or b"").decode()


def _mac(keyring: Keyring, body: str, *, purpose: str, key_id: str) -> str:
    key = keyring.key(f"signing/{purpose}", key_id=key_id)
    return tokens.encode(hmac.digest(key, body.encode("utf-8", "surrogatepass"), "sha256"))
