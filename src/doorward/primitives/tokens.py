"""Opaque secrets: how they are written, compared without leaking time, and turned into the digest that is stored."""

import base64
import binascii
import hashlib
import hmac
from typing import NoReturn, Self

_SHORTEST_KEY = 32  # bytes


class Secret:
    """Text that must not appear in a log: it prints as `Secret(…)` and gives its value only to `reveal()`."""

    __slots__ = ("__text",)
    __hash__ = None  # type: ignore[assignment]  # a hash would be a digest of the value, kept in dictionaries and tracebacks

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The secret itself."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and same(self.__text, other.__text)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: it would lie in the clear wherever the pickle goes")


def encode(raw: bytes) -> str:
    """Bytes as base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes | None:
    """The bytes that `encode` wrote as `text`; None for every other spelling, so that a token has exactly one."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    # Python skips foreign characters and ignores unused bits: RFC 4648 §3.5 lets us refuse both.
    return raw if encode(raw) == text else None


def same(a: str, b: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(_utf8(a), _utf8(b))


def digest(secret: str, *, purpose: str) -> str:
    """What is stored of a random secret. Only for secrets of 128 bits or more: fewer can be guessed from it offline."""
    if "\0" in purpose:
        raise ValueError("a purpose holds no NUL, which separates it from the secret")
    return "1." + encode(hashlib.sha256(b"doorward\0" + _utf8(purpose) + b"\0" + _utf8(secret)).digest())


def hmac_digest(key: bytes, *parts: str) -> str:
    """What is stored of a short code: HMAC-SHA256 over the parts, each after its length, so no two lists coincide."""
    if len(key) < _SHORTEST_KEY:
        raise ValueError(f"an HMAC key has at least {_SHORTEST_KEY} bytes, this one has {len(key)}")
    message = b"".join(len(part).to_bytes(8, "big") + part for part in map(_utf8, parts))
    return "1." + encode(hmac.digest(key, message, "sha256"))


def _utf8(text: str) -> bytes:
    """Lone surrogates, which JSON can smuggle in, are kept: comparing must not raise."""
    return text.encode("utf-8", "surrogatepass")
