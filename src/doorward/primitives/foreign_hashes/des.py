"""DES crypt, the hash of the first Unixes: 25 times DES (FIPS 46-3), salted in its expansion. To verify only.

A hash always takes 400 rounds, a few milliseconds, whatever the password. It reads 7 bits of its first 8 bytes only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doorward.primitives.foreign_hashes.crypts import CRYPT64

_TIMES = 25


def des_crypt(password: bytes, salt: bytes) -> bytes:
    """11 characters; the salt has two of CRYPT64."""
    key = 0
    for byte in password[:8].ljust(8, b"\0"):
        key = key << 8 | (byte << 1 & 0xFE)
    subkeys = tuple(_subkeys(key))
    first, second = (_reversed(CRYPT64.index(chr(char))) for char in salt)
    left = right = 0  # a block of zeros; the initial and the final permutation between two times cancel each other
    for _ in range(_TIMES):
        left, right = _times_16(left, right, subkeys, first, second)
    block = _permuted(left << 32 | right, 64, _FINAL) << 2
    return "".join(CRYPT64[block >> at & 63] for at in range(60, -1, -6)).encode()


def _times_16(left: int, right: int, subkeys: Sequence[Sequence[int]], first: int, second: int) -> tuple[int, int]:
    """The rounds of one DES, and the exchange of halves after the last of them. `first` and `second` are the salt:
    where it has a bit, that bit of the expansion and the one 24 places on are exchanged."""
    b0, b1, b2, b3, b4, b5, b6, b7 = _BOXES
    for k0, k1, k2, k3, k4, k5, k6, k7 in subkeys:
        wide = (right & 1) << 33 | right << 1 | right >> 31
        e0, e1, e4, e5 = wide >> 28 & 63, wide >> 24 & 63, wide >> 12 & 63, wide >> 8 & 63
        x0, x1 = (e0 ^ e4) & first, (e1 ^ e5) & second
        mixed = b0[e0 ^ x0 ^ k0] | b1[e1 ^ x1 ^ k1] | b2[wide >> 20 & 63 ^ k2] | b3[wide >> 16 & 63 ^ k3]
        mixed |= b4[e4 ^ x0 ^ k4] | b5[e5 ^ x1 ^ k5] | b6[wide >> 4 & 63 ^ k6] | b7[wide & 63 ^ k7]
        left, right = right, left ^ mixed
    return right, left


def _subkeys(key: int) -> Iterator[tuple[int, ...]]:
    """16 of 48 bits, each as eight times six."""
    halves = _permuted(key, 64, _CHOICE_1)
    c, d = halves >> 28, halves & 0xFFFFFFF
    for shift in _SHIFTS:
        c, d = _rotated(c, shift), _rotated(d, shift)
        subkey = _permuted(c << 28 | d, 56, _CHOICE_2)
        yield tuple(subkey >> at & 63 for at in range(42, -1, -6))


def _rotated(half: int, shift: int) -> int:
    return (half << shift | half >> 28 - shift) & 0xFFFFFFF


def _permuted(value: int, size: int, places: Sequence[int]) -> int:
    """The bits at these places, the first of them foremost; places count from 1, as FIPS 46-3 has them."""
    result = 0
    for place in places:
        result = result << 1 | value >> size - place & 1
    return result


def _reversed(six: int) -> int:
    return int(f"{six:06b}"[::-1], 2)


# fmt: off
_SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
_CHOICE_1 = (
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
)
_CHOICE_2 = (
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
)
_PERMUTATION = (
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
)
_FINAL = (
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31,
    38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21, 61, 29,
    36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27,
    34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
)
_SELECTIONS = (
    "e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
    "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
    "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
    "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
    "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
    "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
    "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
    "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b",
)
# fmt: on


def _boxes() -> Iterator[tuple[int, ...]]:
    """Each selection with the permutation after it, by the six bits that choose: the outer two the row."""
    for number, written in enumerate(_SELECTIONS):
        rows = written.split()
        chosen = (int(rows[six >> 4 & 2 | six & 1][six >> 1 & 15], 16) for six in range(64))
        yield tuple(_permuted(value << 28 - 4 * number, 32, _PERMUTATION) for value in chosen)


_BOXES = tuple(_boxes())
