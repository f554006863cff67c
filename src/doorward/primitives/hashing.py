"""Hashes passwords so that a stolen database does not give them away, and verifies all that were ever stored."""

from __future__ import annotations

import base64
import unicodedata
from dataclasses import dataclass, field, replace

from argon2 import low_level

from doorward.primitives import foreign_hashes, wrapping
from doorward.primitives.foreign_hashes import MOST_PASSWORD, UNKNOWN, Cost, ForeignRules
from doorward.primitives.foreign_hashes.kdfs import bcrypt_raw, keyed
from doorward.primitives.foreign_hashes.modular import bcrypt_sha256_key
from doorward.primitives.foreign_hashes.parts import Check, Derive

__all__ = [
    "OWASP",
    "RFC_9106_LOW_MEMORY",
    "SALT_BYTES",
    "UNKNOWN",
    "Argon2id",
    "Bcrypt",
    "Cost",
    "ForeignRules",
    "Passwords",
    "dummy_hash",
    "is_usable",
    "pepper_of",
    "scheme_of",
]

# Before a hash of HMAC-SHA-256(pepper, password): `peppered$KEY_ID$`.
PEPPERED = "peppered$"

SALT_BYTES = 16  # RFC 9106 §3.1


def is_usable(stored: str) -> bool:
    """Not empty, and not one of the markers that stand for «no password» (`!` in Django, `*` elsewhere)."""
    return bool(stored) and stored[0] not in "!*"


@dataclass(frozen=True, slots=True)
class Argon2id:
    """Argon2id (RFC 9106) in PHC's form. The defaults are OWASP's least; ValueError for what argon2 can't do."""

    memory_kib: int = 19456
    time_cost: int = 2
    parallelism: int = 1
    hash_len: int = 32

    def __post_init__(self) -> None:
        if self.memory_kib < 8 * self.parallelism or min(self.time_cost, self.parallelism) < 1:
            raise ValueError("argon2id: set memory_kib >= 8 x parallelism, time_cost >= 1 and parallelism >= 1")
        if not 16 <= self.hash_len <= 128:
            raise ValueError("argon2id: set hash_len between 16 and 128")

    @property
    def memory_bytes(self) -> int:
        return self.memory_kib * 1024

    @property
    def scheme(self) -> str:
        """As `scheme_of` gives it."""
        return f"argon2id:{self.memory_kib},{self.time_cost},{self.parallelism}"

    def hash(self, password: str, *, salt: bytes) -> str:
        """`$argon2id$v=19$m=…`; the salt is 16 random bytes."""
        return low_level.hash_secret(
            password.encode(),
            salt=salt,
            time_cost=self.time_cost,
            memory_cost=self.memory_kib,
            parallelism=self.parallelism,
            hash_len=self.hash_len,
            type=low_level.Type.ID,
        ).decode()

    def made(self, hash: str) -> bool:
        """Whether this very profile made the hash."""
        start = f"$argon2id$v=19$m={self.memory_kib},t={self.time_cost},p={self.parallelism}$"
        return hash.startswith(start) and len(hash.rpartition("$")[2]) == -(-self.hash_len * 4 // 3)


@dataclass(frozen=True, slots=True)
class Bcrypt:
    """bcrypt over HMAC-SHA-256, passlib's `bcrypt_sha256` in its second form, so that no password is cut at 72 bytes.

    For installations that must use bcrypt; needs the extra `import`, else `hash` raises MissingPackage.
    """

    cost: int = 12  # log2 of the rounds

    def __post_init__(self) -> None:
        if not 4 <= self.cost <= 31:
            raise ValueError("bcrypt: set cost between 4 and 31")

    @property
    def memory_bytes(self) -> int:
        return 64 << 10

    @property
    def scheme(self) -> str:
        """As `scheme_of` gives it."""
        return f"bcrypt_sha256:{self.cost}"

    def hash(self, password: str, *, salt: bytes) -> str:
        """`$bcrypt-sha256$v=2,t=2b,r=…`; the salt is 16 random bytes."""
        text = _bcrypt64(salt)
        digest = bcrypt_raw(bcrypt_sha256_key(text)(password.encode()), cost=self.cost, salt=text)
        return f"$bcrypt-sha256$v=2,t=2b,r={self.cost}${text}${digest.decode()}"

    def made(self, hash: str) -> bool:
        """Whether this very profile made the hash."""
        return hash.startswith(f"$bcrypt-sha256$v=2,t=2b,r={self.cost}$")


def _bcrypt64(salt: bytes) -> str:
    """22 characters in bcrypt's alphabet."""
    common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    its_own = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return base64.b64encode(salt).decode().rstrip("=").translate(str.maketrans(common, its_own))


# OWASP, Password Storage Cheat Sheet: m=19 MiB, t=2, p=1.
OWASP = Argon2id()
# RFC 9106 §4, second recommended option: m=64 MiB, t=3, p=4.
RFC_9106_LOW_MEMORY = Argon2id(memory_kib=65536, time_cost=3, parallelism=4)


@dataclass(frozen=True, slots=True)
class Passwords:
    """Hashes by `preferred`, verifies every known scheme within `rules`. Pure: salts are given, nothing waits.

    `peppers` are (id, key), newest first: the first one goes into every new hash, all of them verify.

    ValueError if `preferred` itself is beyond `rules`: nobody could sign in.
    """

    preferred: Argon2id | Bcrypt = OWASP
    rules: ForeignRules = ForeignRules()
    peppers: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if foreign_hashes.read(dummy_hash(self.preferred.scheme), self.rules) is None:
            raise ValueError(f"{self.preferred.scheme} costs more than the rules for stored hashes allow: raise them")

    def hash(self, password: str, *, salt: bytes) -> str:
        """The password's NFC, hashed. ValueError beyond 1,024 code points, for lone surrogates, for a short salt."""
        if len(password) > MOST_PASSWORD:
            raise ValueError("password longer than 1,024 code points")
        if len(salt) != SALT_BYTES:
            raise ValueError(f"the salt has {SALT_BYTES} bytes")
        plain = unicodedata.normalize("NFC", password)
        if not self.peppers:
            return self.preferred.hash(plain, salt=salt)
        key = self.peppers[0][1]
        return self._prefix + self.preferred.hash(_peppered(plain.encode(), key).decode(), salt=salt)

    @property
    def _prefix(self) -> str:
        return f"{PEPPERED}{self.peppers[0][0]}$" if self.peppers else ""

    def verify(self, *, password: str, hash: str) -> bool:
        """Whether the password is the hash's, as typed or as NFC. False for what is malformed or too costly.

        If the two differ both are tried in full: a hash from elsewhere may hold either, ours holds NFC.
        """
        check = self.read(hash)
        if check is None or len(password) > MOST_PASSWORD:
            return False
        tries = dict.fromkeys((password, unicodedata.normalize("NFC", password)))
        try:
            return True in [check.matches(each.encode()) for each in tries]
        except UnicodeEncodeError:  # a lone surrogate: nobody's password
            return False

    def read(self, hash: str) -> Check | None:
        """What a stored hash means, whatever is around it; None for what never verifies here."""
        id, plain = _opened(hash)
        key = dict(self.peppers).get(id)
        if id and key is None:
            return None
        check = _read(plain, self.rules)
        if check is None or key is None:
            return check
        return replace(check, derivations=tuple(_over_pepper(key, derive) for derive in check.derivations))

    def wrap(self, hash: str, *, salt: bytes) -> str | None:
        """A weak old hash under argon2id, which its password still opens; None for one that is not weak."""
        profile = self.preferred if isinstance(self.preferred, Argon2id) else OWASP
        return wrapping.wrap(
            hash,
            memory_kib=profile.memory_kib,
            passes=profile.time_cost,
            lanes=profile.parallelism,
            salt=salt,
            rules=self.rules,
        )

    def work_of(self, scheme: str, password: str) -> None:
        """The work of a failed verification by that scheme; by the preferred one if it is unknown."""
        self.verify(password=password, hash=self.dummy(scheme))

    def dummy(self, scheme: str) -> str:
        """A hash that nothing matches, by that scheme or else by the preferred one."""
        try:
            dummy = dummy_hash(scheme)
        except (KeyError, ValueError):
            dummy = ""
        return dummy if _read(dummy, self.rules) else dummy_hash(self.preferred.scheme)

    def needs_rehash(self, hash: str) -> bool:
        """Whether a hash made today would look otherwise."""
        return not (hash.startswith(self._prefix) and self.preferred.made(hash.removeprefix(self._prefix)))

    def cost(self, hash: str) -> Cost:
        """What to declare to the pool before `verify`."""
        check = self.read(hash)
        return Cost(check.memory, check.kind) if check else Cost(0, UNKNOWN)


def scheme_of(hash: str, rules: ForeignRules = foreign_hashes.STANDARD) -> str:
    """The scheme and its costs, `argon2id:19456,2,1`, or `unknown` for what never verifies. A pepper costs nothing, and
    does not show."""
    check = _read(_opened(hash)[1], rules)
    return check.kind if check else UNKNOWN


def pepper_of(hash: str) -> str:
    """The id of the pepper in a stored hash; empty for one without."""
    return _opened(hash)[0]


def dummy_hash(kind: str) -> str:
    """A hash of that kind that nothing matches: `foreign_hashes.dummy_hash`, and wrapped ones."""
    return wrapping.dummy(kind) if kind.startswith("wrapped:") else foreign_hashes.dummy_hash(kind)


def _read(plain: str, rules: ForeignRules) -> Check | None:
    return wrapping.read(plain, rules) if plain.startswith(wrapping.MARK) else foreign_hashes.read(plain, rules)


def _opened(hash: str) -> tuple[str, str]:
    """The id of the pepper, and the hash behind its mark."""
    if not hash.startswith(PEPPERED):
        return "", hash
    id, _, plain = hash.removeprefix(PEPPERED).partition("$")
    return id, plain


def _peppered(password: bytes, key: bytes) -> bytes:
    # As text, without NUL and within the 72 bytes of bcrypt.
    return base64.b64encode(keyed(key, "sha256", password))


def _over_pepper(key: bytes, derive: Derive) -> Derive:
    return lambda password: derive(_peppered(password, key))
