"""argon2, scrypt, PBKDF2 and bcrypt with bounds, whatever the form they were written in."""

from __future__ import annotations

import hashlib
import hmac
from functools import partial
from types import ModuleType

from argon2 import low_level as argon2_low_level

from doorward.primitives.foreign_hashes.parts import SMALL, Check, Derive, ForeignRules, demand

try:
    import bcrypt as _bcrypt

    bcrypt_module: ModuleType | None = _bcrypt
except ImportError:
    bcrypt_module = None

ARGON2_TYPES = {
    "d": argon2_low_level.Type.D,
    "i": argon2_low_level.Type.I,
    "id": argon2_low_level.Type.ID,
}


class MissingPackage(RuntimeError):
    """A stored hash needs an optional package that is not installed."""


def _fits(digest: bytes) -> bool:
    # Shorter digests could be met by chance, longer ones only cost.
    return 16 <= len(digest) <= 128


def argon2(
    kind: str, *, memory_kib: int, passes: int, lanes: int, salt: bytes, digest: bytes, rules: ForeignRules
) -> Check:
    """RFC 9106, version 0x13 (19) only; `kind` is d, i or id."""
    demand(_fits(digest) and 8 <= len(salt) <= 128)
    demand(1 <= lanes <= rules.most_argon2_lanes and passes >= 1 and memory_kib >= 8 * lanes)
    demand(memory_kib * 1024 <= rules.most_memory and memory_kib * passes <= rules.most_argon2_fill)
    derive = partial(
        argon2_low_level.hash_secret_raw,
        salt=salt,
        time_cost=passes,
        memory_cost=memory_kib,
        parallelism=lanes,
        hash_len=len(digest),
        type=ARGON2_TYPES[kind],
    )
    return Check(f"argon2{kind}", (memory_kib, passes, lanes), memory_kib * 1024, digest, (derive,))


def scrypt(
    scheme: str,
    *,
    n: int,
    r: int,
    p: int,
    salt: bytes,
    digest: bytes,
    rules: ForeignRules,
    length: int | None = None,
    after: Derive | None = None,
) -> Check:
    """RFC 7914. `after` turns `length` derived bytes into what is stored (Firebase)."""
    memory = 128 * n * r
    demand(_fits(digest) and n > 1 and n & (n - 1) == 0 and r >= 1 and p >= 1)
    demand(memory <= rules.most_memory and n * r * p <= rules.most_scrypt_blocks)
    size = length or len(digest)

    def derive(password: bytes) -> bytes:
        ceiling = memory + 128 * r * (p + 4) + SMALL
        raw = hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, dklen=size, maxmem=ceiling)
        return after(raw) if after else raw

    return Check(scheme, (n, r, p), memory, digest, (derive,))


def pbkdf2(
    scheme: str,
    *,
    algorithm: str,
    rounds: int,
    salt: bytes,
    digest: bytes,
    rules: ForeignRules,
    costs: tuple[int, ...] | None = None,
) -> Check:
    """RFC 8018 §5.2 with HMAC."""
    blocks = -(-len(digest) // hashlib.new(algorithm).digest_size)
    demand(_fits(digest) and rounds >= 1 and rounds * blocks <= rules.most_pbkdf2_rounds)
    derive = partial(_pbkdf2, algorithm, salt, rounds, len(digest))
    return Check(scheme, (rounds,) if costs is None else costs, SMALL, digest, (derive,))


def _pbkdf2(algorithm: str, salt: bytes, rounds: int, length: int, password: bytes) -> bytes:
    return hashlib.pbkdf2_hmac(algorithm, password, salt, rounds, length)


def bcrypt(
    scheme: str, *, cost: int, salt: str, digest: str, rules: ForeignRules, before: Derive | None = None
) -> Check:
    """bcrypt over `before(password)`, else over the password itself, of which only 72 bytes count.

    `salt` (22) and `digest` (31) are in bcrypt's own alphabet. What every old library did silently, cutting at 72
    bytes, is done for hashes that were made so; they verify once and are hashed anew whole.
    """
    demand(4 <= cost <= rules.most_bcrypt_cost)

    def derive(password: bytes) -> bytes:
        return bcrypt_raw(before(password) if before else password, cost=cost, salt=salt)

    return Check(scheme, (cost,), SMALL, digest.encode(), (derive,))


def bcrypt_raw(secret: bytes, *, cost: int, salt: str) -> bytes:
    """The last 31 characters of a `$2b$` hash. MissingPackage if bcrypt is not installed."""
    if bcrypt_module is None:
        raise MissingPackage("bcrypt hashes need the package bcrypt: pip install 'doorward[import]'")
    hashed: bytes = bcrypt_module.hashpw(secret[:72], f"$2b${cost:02}${salt}".encode())
    return hashed[-31:]


def keyed(key: bytes, algorithm: str, password: bytes) -> bytes:
    return hmac.digest(key, password, algorithm)
