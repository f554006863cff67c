"""A Bloom filter: whether a text is perhaps in a large set, from about two bytes a text. Its first bytes say which kind
it is: of texts, or of SHA-1 digests, as lists of breached passwords are published."""

import hashlib
import math
import struct
from collections.abc import Callable, Iterable, Iterator
from mmap import mmap
from typing import Literal

Kind = Literal["texts", "sha1"]

_HEADER = struct.Struct(">8sBQ")  # magic, places a text, bits
_MOST_PLACES = 32
_MOST_BITS = 2**36  # 8 GiB


def _blake2b(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


def _sha1(text: bytes) -> bytes:
    return hashlib.sha1(text, usedforsecurity=False).digest()[:16]


# By the first eight bytes: the kind, and what makes the 16 bytes of a text that its places come from.
_KINDS: dict[bytes, tuple[Kind, Callable[[bytes], bytes]]] = {
    b"DWBLOOM1": ("texts", _blake2b),
    b"DWBLOOMS": ("sha1", _sha1),
}
_MAGIC = {kind: magic for magic, (kind, _) in _KINDS.items()}


class Bloom:
    """A filter over a buffer that `build` or a `Growing` made; the buffer is kept, not copied. Raises ValueError for
    any other one."""

    def __init__(self, data: bytes | mmap) -> None:
        if len(data) < _HEADER.size:
            raise ValueError("too short to be a Bloom filter")
        magic, self.places, self.bits = _HEADER.unpack_from(data)
        if magic not in _KINDS or not 1 <= self.places <= _MOST_PLACES or not 1 <= self.bits <= _MOST_BITS:
            raise ValueError("not a Bloom filter of this version")
        if len(data) != size_of(self.bits):
            raise ValueError("a Bloom filter that is cut or too long")
        self.kind, self._keyed = _KINDS[magic]
        self._data = data

    def might_contain(self, text: str) -> bool:
        """False: surely not in the set. True: in it, or one of the few texts that fall on the same bits by chance."""
        data, start = self._data, _HEADER.size
        raw = self._keyed(text.encode("utf-8", "surrogatepass"))
        return all(data[start + (bit >> 3)] >> (bit & 7) & 1 for bit in _bits_of(raw, self.places, self.bits))

    def chance(self) -> float:
        """That a text which is not in the set seems to be: the share of bits that are set, to the number of places."""
        found = sum(
            int.from_bytes(self._data[at : at + _PIECE], "little").bit_count()
            for at in range(_HEADER.size, len(self._data), _PIECE)
        )
        return math.pow(found / self.bits, self.places)


_PIECE = 1 << 20


class Growing:
    """A filter that is being made, in a buffer of zeros of `size_of(bits)` bytes. What is added twice is there once."""

    def __init__(self, data: bytearray | mmap, *, kind: Kind, bits: int, places: int) -> None:
        _HEADER.pack_into(data, 0, _MAGIC[kind], places, bits)
        self._data, self._bits, self._places = data, bits, places

    def add(self, raw: bytes) -> None:
        """`raw` is what `key_of` gives, or the first 16 bytes of a SHA-1 digest."""
        data, start = self._data, _HEADER.size
        for bit in _bits_of(raw, self._places, self._bits):
            data[start + (bit >> 3)] |= 1 << (bit & 7)


def build(items: Iterable[str], *, bits_per_item: float, count: int | None = None, kind: Kind = "texts") -> bytes:
    """The filter of these texts; the same set gives the same bytes. 10 bits a text: 1 false in 120; 16: 1 in 2,200.

    Without `count`, the number of different texts, they are gathered in memory first.
    """
    if count is None:
        items = set(items)
        count = len(items)
    bits, places = dimensions(count, bits_per_item)
    data = bytearray(size_of(bits))
    growing = Growing(data, kind=kind, bits=bits, places=places)
    for item in items:
        growing.add(key_of(item, kind))
    return bytes(data)


def dimensions(count: int, bits_per_item: float) -> tuple[int, int]:
    """Bits, and places for each item, of a filter of that many."""
    if not 1 <= bits_per_item <= 64:
        raise ValueError("a Bloom filter has 1 to 64 bits for each of its items")
    return max(8, math.ceil(count * bits_per_item)), min(_MOST_PLACES, max(1, round(bits_per_item * math.log(2))))


def size_of(bits: int) -> int:
    """Bytes of a whole filter, its first ones too."""
    return _HEADER.size + (bits + 7) // 8


def key_of(text: str, kind: Kind) -> bytes:
    """The 16 bytes that a text's places come from."""
    return _KINDS[_MAGIC[kind]][1](text.encode("utf-8", "surrogatepass"))


def _bits_of(raw: bytes, places: int, bits: int) -> Iterator[int]:
    """Double hashing: two hashes are as good as many (Kirsch and Mitzenmacher 2006)."""
    first, step = int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big") | 1
    return ((first + place * step) % bits for place in range(places))
