"""API keys as they are written: a prefix and a checksum by which people and secret scanners know one at sight."""

from __future__ import annotations

import re
import zlib

from doorward.primitives import tokens

PREFIX = "dwk_"
SECRET_BYTES = 32
# What a secret scanner looks for. No hyphen in it, so that a double click selects the whole.
PATTERN = re.compile(r"\bdwk_[0-9A-Za-z]{49}\b")
SHOWN = 10  # characters by which its owner knows a key again; 36 bits of 256

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH, _CHECKSUM_LENGTH = 43, 6  # 62^43 > 2^256, 62^6 > 2^32


def written(secret: bytes) -> str:
    """The key that 32 random bytes make: `dwk_`, the bytes and their CRC-32, both in base 62."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"an API key is made of {SECRET_BYTES} bytes, not {len(secret)}")
    start = PREFIX + _base62(int.from_bytes(secret, "big"), _SECRET_LENGTH)
    return start + _checksum(start)


def is_well_formed(text: str) -> bool:
    """Whether this may be one of ours. What is mistyped, cut or made up is told apart without a look-up."""
    if PATTERN.fullmatch(text) is None:
        return False
    start, checksum = text[:-_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
    return _checksum(start) == checksum


def digest(key: str) -> str:
    """What is stored of it: 256 random bits, so a plain digest does (rule 15)."""
    return tokens.digest(key, purpose="api-key")


def _checksum(start: str) -> str:
    return _base62(zlib.crc32(start.encode("ascii")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
