"""What an authenticator says and signs: for which site, whether somebody was there, which credential it made.

WebAuthn Level 3 §6.1, read strictly: flags and lengths agree, and nothing follows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from doorward.primitives import cbor

LONGEST_ID = 1023  # bytes, §4 (credential id)
_HEAD = 37


@dataclass(frozen=True, slots=True)
class Attested:
    """A credential that was made: `public_key` is a COSE key as it came."""

    aaguid: bytes
    credential_id: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class AuthenticatorData:
    """`user_present` and `user_verified` are about this moment; a credential that is `backup_eligible` may be copied
    to other devices, and `backed_up` says that it is."""

    rp_id_hash: bytes
    flags: int
    counter: int
    attested: Attested | None

    @property
    def user_present(self) -> bool:
        return bool(self.flags & 0x01)

    @property
    def user_verified(self) -> bool:
        return bool(self.flags & 0x04)

    @property
    def backup_eligible(self) -> bool:
        return bool(self.flags & 0x08)

    @property
    def backed_up(self) -> bool:
        return bool(self.flags & 0x10)


def read(raw: bytes) -> AuthenticatorData:
    """Raises ValueError for all that is not exactly authenticator data."""
    if len(raw) < _HEAD:
        raise ValueError("authenticator data is too short")
    flags, at = raw[32], _HEAD
    attested = None
    if flags & 0x40:
        attested, at = _attested(raw)
    if flags & 0x80:
        extensions, at = cbor.decode_first(raw, at)
        if not isinstance(extensions, dict) or not extensions:
            raise ValueError("extensions are a map that is not empty")
    if at != len(raw):
        raise ValueError("bytes after the authenticator data")
    found = AuthenticatorData(raw[:32], flags, int.from_bytes(raw[33:_HEAD], "big"), attested)
    if found.backed_up and not found.backup_eligible:  # §6.1.3
        raise ValueError("backed up, and not eligible for it")
    return found


def matches(found: AuthenticatorData, rp_id: str) -> bool:
    """Whether it is for this RP id."""
    return found.rp_id_hash == hashlib.sha256(rp_id.encode()).digest()


def _attested(raw: bytes) -> tuple[Attested, int]:
    id_at = _HEAD + 18
    length = int.from_bytes(raw[id_at - 2 : id_at], "big")
    key_at = id_at + length
    if not 1 <= length <= LONGEST_ID or key_at > len(raw):
        raise ValueError("a credential id has 1 to 1,023 bytes")
    _, end = cbor.decode_first(raw, key_at)
    return Attested(raw[_HEAD : _HEAD + 16], raw[id_at:key_at], raw[key_at:end]), end
