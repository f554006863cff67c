"""The installation's master secrets, newest first, and the keys derived from them: one for each purpose."""

import re
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from doorward.primitives import tokens
from doorward.primitives.weak_secrets import weakness

__all__ = ["Keyring", "key_id", "parse_secret", "weakness"]

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")  # the letters of base64url, since it stands in dotted tokens
_SHORTEST_MASTER = 32  # bytes
_MOST_KEPT = 256  # derived keys kept; purposes are constants, so a program has a few dozen

_CURE = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"


class Keyring:
    """Masters as (id, secret of 32 bytes or more), newest first: the first one writes, every one of them reads."""

    def __init__(self, masters: Sequence[tuple[str, bytes]]) -> None:
        self._masters = dict(masters)
        if not masters or len(self._masters) != len(masters):
            raise ValueError("a keyring needs at least one master secret, and each needs an id of its own")
        for name, master in masters:
            if not _KEY_ID.fullmatch(name):
                raise ValueError(f"a key id has 1 to 32 letters, digits, - or _: {name!r} has not")
            if len(master) < _SHORTEST_MASTER:
                raise ValueError(
                    f"master secret {name!r} has {len(master)} bytes, {_SHORTEST_MASTER} are needed; {_CURE}"
                )
        self.ids: tuple[str, ...] = tuple(self._masters)
        self._derived: dict[tuple[str, str, int], bytes] = {}

    @property
    def current_id(self) -> str:
        """The id under which new values are signed and sealed."""
        return self.ids[0]

    def key(self, purpose: str, *, key_id: str | None = None, length: int = 32) -> bytes:
        """The key for one purpose, of `length` bytes (RFC 5869, SHA-256). Raises KeyError for an unknown id."""
        wanted = (key_id or self.current_id, purpose, length)
        key = self._derived.get(wanted)
        if key is None:
            key = _derive(self._masters[wanted[0]], purpose=purpose, length=length)
            if len(self._derived) < _MOST_KEPT:
                self._derived[wanted] = key
        return key

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.ids)})"


def key_id(secret: str) -> str:
    """The id of a secret that was given none: the start of a digest of it, so that every node finds the same."""
    return tokens.digest(secret, purpose="key id")[2:10]


def parse_secret(setting: str) -> tuple[tuple[str, bytes], ...]:
    """The masters in a setting such as "longsecret" or "id:secret,id:secret", newest first.

    An entry without an id gets `key_id` of its secret, so that a first secret can be kept when a second one comes.
    Raises ValueError with the cure for a weak secret, a malformed id and an id used twice.
    """
    masters = [_parse_entry(entry.strip()) for entry in setting.split(",")]
    if len(dict(masters)) != len(masters):
        raise ValueError("two secrets have the same id; give each its own, newest first: new:…,old:…")
    return tuple(masters)


def _parse_entry(entry: str) -> tuple[str, bytes]:
    name, colon, secret = entry.partition(":")
    if not colon:
        name, secret = key_id(entry), entry
    if not _KEY_ID.fullmatch(name):
        raise ValueError("what stands before ':' is the key's id and has 1 to 32 letters, digits, - or _")
    why = weakness(secret)
    if why:
        raise ValueError(f"the secret {why}; {_CURE}")
    return name, secret.encode()


def _derive(master: bytes, *, purpose: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=b"doorward/1/" + purpose.encode()).derive(master)
