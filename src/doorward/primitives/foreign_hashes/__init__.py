"""Verifies password hashes that other systems made: Django, Werkzeug, passlib, PHP, LDAP, Firebase, Keycloak and more.

A hash that is malformed, unknown or beyond the bounds of `ForeignRules` never verifies and costs nothing. Nothing here
makes a hash: what verified is hashed anew by `hashing`.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from re import compile as pattern

from doorward.primitives.foreign_hashes import kdfs, modular, systems
from doorward.primitives.foreign_hashes.dummies import DUMMIES, dummy_hash
from doorward.primitives.foreign_hashes.kdfs import MissingPackage
from doorward.primitives.foreign_hashes.parts import Check, Derive, ForeignRules

__all__ = [
    "MOST_PASSWORD",
    "SCHEMES",
    "UNKNOWN",
    "Cost",
    "ForeignRules",
    "MissingPackage",
    "available_schemes",
    "cost",
    "dummy_hash",
    "read",
    "scheme_of",
    "verify",
]

MOST_PASSWORD = 1024  # code points
MOST_HASH = 2048  # characters
UNKNOWN = "unknown"
SCHEMES = frozenset(DUMMIES)

# Django's `argon2$argon2id$…` and `bcrypt$$2b$…`, LDAP's {CRYPT}: other marks around forms that we know.
WRAPPED = pattern(r"(?:argon2|bcrypt\$|(?i:\{(?:CRYPT|ARGON2)\}))(\$.+)|(?i:\{CRYPT\})([./0-9A-Za-z]{13})")
# Flask-Security hashes through passlib, with any of these.
FLASK_SECURITY = ("argon2", "bcrypt", "pbkdf2_", "scrypt", "sha256_crypt", "sha512_crypt")
STANDARD = ForeignRules()
NEEDS_BCRYPT = frozenset(scheme for scheme in SCHEMES if "bcrypt" in scheme)


@dataclass(frozen=True, slots=True)
class Cost:
    """What verifying one hash takes: `memory_bytes`, and its scheme with costs."""

    memory_bytes: int
    scheme: str


def available_schemes() -> frozenset[str]:
    """The schemes that verify here; those of bcrypt need the extra `import`."""
    return SCHEMES if kdfs.bcrypt_module is not None else SCHEMES - NEEDS_BCRYPT


def verify(*, password: str, hash: str, rules: ForeignRules = STANDARD) -> bool:
    """Whether the password, exactly as given, is the hash's. False for what is malformed, too costly or too long.

    Raises MissingPackage for a bcrypt hash without bcrypt: the hash may be right, the installation is not.
    """
    check = read(hash, rules)
    if check is None or len(password) > MOST_PASSWORD:
        return False
    try:
        return check.matches(password.encode())
    except UnicodeEncodeError:  # a lone surrogate: nobody's password
        return False


def _with_secrets(check: Check, hash: str, rules: ForeignRules) -> Check:
    """The same hash in an installation whose secrets go into it, by the ways that its systems have."""
    if rules.devise_pepper and hash.startswith("$2a$"):
        pepper = rules.devise_pepper.encode()
        return replace(check, derivations=tuple(_after(lambda typed: typed + pepper, d) for d in check.derivations))
    if rules.flask_security_salt and hash.startswith("$") and check.scheme.startswith(FLASK_SECURITY):
        key = rules.flask_security_salt.encode()
        salted = [
            _after(lambda typed: base64.b64encode(kdfs.keyed(key, "sha512", typed)), d) for d in check.derivations
        ]
        return replace(check, derivations=(*check.derivations, *salted))
    return check


def _after(before: Derive, derive: Derive) -> Derive:
    return lambda typed: derive(before(typed))


def cost(hash: str, rules: ForeignRules = STANDARD) -> Cost:
    """What to declare before verifying. Nothing, for hashes that never verify."""
    check = read(hash, rules)
    return Cost(check.memory, check.kind) if check else Cost(0, UNKNOWN)


def scheme_of(hash: str, rules: ForeignRules = STANDARD) -> str:
    """The scheme and its costs, `django_pbkdf2_sha256:1000000`, or `unknown` for what never verifies."""
    return cost(hash, rules).scheme


def read(hash: str, rules: ForeignRules = STANDARD) -> Check | None:
    """What a stored hash means, or None if it is malformed, unknown or beyond the rules."""
    if len(hash) > MOST_HASH:
        return None
    wrapped = WRAPPED.fullmatch(hash)
    text, forms = (wrapped[1] or wrapped[2], modular.FORMS) if wrapped else (hash, modular.FORMS + systems.FORMS)
    for form in forms:
        found = form.pattern.fullmatch(text)
        if found:
            try:
                return _with_secrets(form.parse(found, rules), hash, rules)
            except ValueError:
                return None
    return None
