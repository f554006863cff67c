"""Django's password hashers and ours agree: `doorward.django.hashers.Argon2id` for PASSWORD_HASHERS, at its head."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    BasePasswordHasher,
    get_hasher,
    identify_hasher,
    is_password_usable,
)

from doorward.core.refusals import Misconfigured
from doorward.cpu import LEAST_MEMORY
from doorward.primitives import wrapping
from doorward.primitives.foreign_hashes import MOST_PASSWORD, UNKNOWN, Cost
from doorward.primitives.hashing import OWASP, Passwords, scheme_of


class Argon2id(Argon2PasswordHasher):
    """Argon2id with Doorward's cost (OWASP: 19 MiB, two passes). What it writes Django's own hasher reads as well, so
    that nobody is locked out if the project ever leaves Doorward."""

    time_cost = OWASP.time_cost
    memory_cost = OWASP.memory_kib
    parallelism = OWASP.parallelism

    def encode(self, password: str, salt: str) -> str:
        """The hash of the password's NFC. ValueError beyond 1,024 code points: nobody could sign in with it."""
        if len(password) > MOST_PASSWORD:
            raise ValueError("a password has at most 1,024 characters")
        return super().encode(unicodedata.normalize("NFC", password), salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password is the hash's, as typed or as NFC."""
        if len(password) > MOST_PASSWORD:
            return False
        tries = dict.fromkeys((password, unicodedata.normalize("NFC", password)))
        return True in [super(Argon2id, self).verify(each, encoded) for each in tries]


class Wrapped(BasePasswordHasher):
    """Reads what `manage.py doorward_hashes wrap` made of weak hashes, for `check_password()` and the like. It writes
    nothing: the next sign-in does, with the first hasher."""

    algorithm = wrapping.MARK.rstrip("$")

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password is that of the hash inside."""
        return Passwords().verify(password=password, hash=encoded)

    def must_update(self, encoded: str) -> bool:
        return True

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        """What the admin shows: no salt, and nothing of the digest."""
        return {"algorithm": self.algorithm, "scheme": scheme_of(encoded)}

    def encode(self, password: str, salt: str) -> str:
        raise Misconfigured("django.E10", "Wrapped only reads; put doorward.django.hashers.Argon2id before it")

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Its work is argon2id's, which does not depend on the password."""


@dataclass(frozen=True, slots=True)
class HostPasswords(Passwords):
    """The password column is the project's: it is written by the first of PASSWORD_HASHERS. It is read by ours, which
    know Django's formats and bound their cost, and else by the project's own hashers.

    While ours is not the first one nothing is re-hashed: Django and we would re-hash each other's for ever.
    """

    def __post_init__(self) -> None:
        if self.peppers:
            raise Misconfigured("django.E9", "Django's hashers write the password column, without our PEPPER; unset it")
        Passwords.__post_init__(self)

    def hash(self, password: str, *, salt: bytes) -> str:
        if len(password) > MOST_PASSWORD:
            raise ValueError("password longer than 1,024 code points")
        hasher = get_hasher()
        return hasher.encode(unicodedata.normalize("NFC", password), hasher.salt())  # each has its own form of salt

    def verify(self, *, password: str, hash: str) -> bool:
        if super(HostPasswords, self).cost(hash).scheme != UNKNOWN:
            return super(HostPasswords, self).verify(password=password, hash=hash)
        hasher = _of_the_project(hash)
        if hasher is None or len(password) > MOST_PASSWORD:
            return False
        tries = dict.fromkeys((password, unicodedata.normalize("NFC", password)))
        return True in [_verified(hasher, each, hash) for each in tries]

    def needs_rehash(self, hash: str) -> bool:
        hasher = get_hasher()
        if not isinstance(hasher, Argon2id):
            return False
        return not hash.startswith(f"{hasher.algorithm}$") or hasher.must_update(hash)

    def cost(self, hash: str) -> Cost:
        known = super(HostPasswords, self).cost(hash)
        hasher = _of_the_project(hash) if known.scheme == UNKNOWN else None
        return known if hasher is None else Cost(LEAST_MEMORY, f"project:{hasher.algorithm}")


def _of_the_project(hash: str) -> BasePasswordHasher | None:
    """The project's own hasher for a hash that ours do not read. What Django's should read, ours do: a hash of theirs
    that ours refuse is malformed, or costs more than a request may."""
    try:
        hasher = identify_hasher(hash) if is_password_usable(hash) else None
    except ValueError:
        return None
    return None if type(hasher).__module__ in (Argon2PasswordHasher.__module__, __name__) else hasher


def _verified(hasher: BasePasswordHasher, password: str, hash: str) -> bool:
    try:
        return hasher.verify(password, hash)
    except Exception:  # a malformed hash, of which each hasher complains in its own way
        return False


def is_first() -> bool:
    """Whether ours is the hasher that writes."""
    return isinstance(get_hasher(), Argon2id)
