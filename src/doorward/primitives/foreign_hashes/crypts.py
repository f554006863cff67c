"""The old Unix and PHP hashes: md5-crypt, sha-crypt, phpass, and MD4 for NT hashes. To verify and replace only.

Written after the published descriptions: Poul-Henning Kamp's md5-crypt, Ulrich Drepper's «Unix crypt using SHA-256 and
SHA-512», Solar Designer's phpass, RFC 1320 for MD4.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Literal

Sha = Literal["sha256", "sha512"]
CRYPT64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def phpass(password: bytes, salt: bytes, log2_rounds: int) -> bytes:
    """22 characters."""
    digest = hashlib.md5(salt + password).digest()  # noqa: S324
    for _ in range(1 << log2_rounds):
        digest = hashlib.md5(digest + password).digest()  # noqa: S324
    return _crypt64(digest).encode()


def md5_crypt(password: bytes, salt: bytes, magic: bytes) -> bytes:
    """22 characters; `magic` is `$1$` or `$apr1$`."""
    inner = hashlib.md5(password + salt + password).digest()  # noqa: S324
    start = password + magic + salt + _stretched(inner, len(password))
    start += b"".join(b"\0" if bit else password[:1] for bit in _bits(len(password)))
    digest = hashlib.md5(start).digest()  # noqa: S324
    for i in range(1000):
        parts = (password if i & 1 else digest, salt if i % 3 else b"", password if i % 7 else b"")
        digest = hashlib.md5(b"".join(parts) + (digest if i & 1 else password)).digest()  # noqa: S324
    order = [(12, 6, 0), (13, 7, 1), (14, 8, 2), (15, 9, 3), (5, 10, 4), (11,)]
    return _ordered(digest, order)


def sha_crypt(password: bytes, salt: bytes, rounds: int, algorithm: Sha) -> bytes:
    """43 characters for SHA-256, 86 for SHA-512."""
    new = hashlib.sha256 if algorithm == "sha256" else hashlib.sha512
    inner = new(password + salt + password).digest()
    start = new(password + salt + _stretched(inner, len(password)))
    for bit in _bits(len(password)):
        start.update(inner if bit else password)
    digest = start.digest()

    all_passwords = new()
    for _ in range(len(password)):
        all_passwords.update(password)
    p = _stretched(all_passwords.digest(), len(password))
    s = _stretched(new(salt * (16 + digest[0])).digest(), len(salt))

    # What surrounds the digest repeats every 42 rounds (2·3·7): joined once, not in each round.
    cycle = [_surroundings(i, p, s) for i in range(42)]
    for i in range(rounds):
        before, after = cycle[i % 42]
        digest = new(before + digest + after).digest()
    return _ordered(digest, list(_sha_order(len(digest))))


def _surroundings(i: int, p: bytes, s: bytes) -> tuple[bytes, bytes]:
    middle = (s if i % 3 else b"") + (p if i % 7 else b"")
    return (p + middle, b"") if i & 1 else (b"", middle + p)


def _stretched(piece: bytes, length: int) -> bytes:
    return (piece * (length // len(piece) + 1))[:length]


def _bits(number: int) -> Iterator[bool]:
    while number:
        yield bool(number & 1)
        number >>= 1


def _sha_order(size: int) -> Iterator[tuple[int, ...]]:
    third = size // 3  # 10 or 21
    whole = 3 * third
    step = third + 1 if size == 64 else 2 * third + 1
    for k in range(third):
        at = k * step % whole
        yield (at + 2 * third) % whole, (at + third) % whole, at
    yield tuple(range(whole, size))


def _ordered(digest: bytes, order: list[tuple[int, ...]]) -> bytes:
    return "".join(_crypt64(bytes(digest[i] for i in places)) for places in order).encode()


def _crypt64(data: bytes) -> str:
    """Six bits at a time, lowest first, of groups of three bytes, the first byte lowest."""
    text = ""
    for at in range(0, len(data), 3):
        group = data[at : at + 3]
        value = int.from_bytes(group, "little")
        for _ in range(len(group) + 1):
            text += CRYPT64[value & 63]
            value >>= 6
    return text


def md4(data: bytes) -> bytes:
    """RFC 1320; OpenSSL 3 no longer offers it by default."""
    size = len(data)
    data += b"\x80" + b"\0" * ((55 - size) % 64) + struct.pack("<Q", size * 8)
    state = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    for at in range(0, len(data), 64):
        words = struct.unpack("<16I", data[at : at + 64])
        state = _md4_block(state, words)
    return struct.pack("<4I", *state)


_MD4_ROUNDS = (
    (0x00000000, (3, 7, 11, 19), tuple(range(16))),
    (0x5A827999, (3, 5, 9, 13), (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)),
    (0x6ED9EBA1, (3, 9, 11, 15), (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15)),
)


def _md4_block(state: tuple[int, int, int, int], words: tuple[int, ...]) -> tuple[int, int, int, int]:
    a, b, c, d = state
    mask = 0xFFFFFFFF
    for number, (constant, shifts, order) in enumerate(_MD4_ROUNDS):
        for step, word in enumerate(order):
            mixed = (b & c | ~b & d, b & c | b & d | c & d, b ^ c ^ d)[number]
            value = (a + mixed + words[word] + constant) & mask
            shift = shifts[step % 4]
            a, b, c, d = d, (value << shift | value >> (32 - shift)) & mask, b, c
    e, f, g, h = state
    return (e + a) & mask, (f + b) & mask, (g + c) & mask, (h + d) & mask
