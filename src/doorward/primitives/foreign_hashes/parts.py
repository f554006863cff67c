"""The words that all foreign hash formats share: what may be spent on one, and what a stored hash means once read."""

from __future__ import annotations

import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field

MIB = 1 << 20
SMALL = 64 << 10  # bytes; formats without a memory parameter need less

Derive = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRules:
    """The secrets of the installation that foreign hashes come from, and the most that one hash may cost.

    A hash beyond a bound never verifies: an imported row must not be able to stall or exhaust the process. The bounds
    hold every default that Django 5 and 6, Werkzeug 3, passlib, Keycloak, ASP.NET, WordPress and OWASP's cheat sheet
    know of.
    """

    flask_security_salt: str = field(default="", repr=False)
    """SECURITY_PASSWORD_SALT. While it is set, hashes of passlib's formats are tried with and without its HMAC, at
    twice the work. Hashes made with it can't be told from others: keep it as long as one may be left."""
    devise_pepper: str = field(default="", repr=False)
    """Devise's `config.pepper`. While it is set, plain bcrypt hashes are taken for Devise's."""
    firebase_signer_key: bytes = field(default=b"", repr=False)
    """The project's signer key, decoded, for `$fbscrypt$` hashes that do not carry it as `sk=`."""

    most_memory: int = 128 * MIB  # bytes, argon2 and scrypt
    most_argon2_fill: int = 1 << 20  # KiB × passes
    most_argon2_lanes: int = 16
    most_scrypt_blocks: int = 1 << 21  # N·r·p
    most_pbkdf2_rounds: int = 4_000_000  # × output blocks
    most_bcrypt_cost: int = 14  # log2
    most_crypt_rounds: int = 1_000_000  # sha-crypt, phpass: these hold the interpreter's lock
    most_crypt_bytes: int = 256 * MIB  # rounds × length of the password


@dataclass(frozen=True, slots=True)
class Check:
    """A stored hash that was understood: what it costs, its digest, and the ways in which that may have been derived
    from a password (UTF-8): several, where one written form is that of several systems."""

    scheme: str
    costs: tuple[int, ...]  # what `dummy_hash` needs to make one that costs the same
    memory: int  # bytes
    digest: bytes = field(repr=False)
    derivations: tuple[Derive, ...] = field(repr=False)

    def matches(self, password: bytes) -> bool:
        """Whether the password is the hash's. All ways are tried, so that which one it was does not show in the
        duration; each is compared in constant time."""
        return True in [hmac.compare_digest(derive(password), self.digest) for derive in self.derivations]

    @property
    def kind(self) -> str:
        """Scheme and costs in one word: `argon2id:19456,2,1`."""
        return f"{self.scheme}:{','.join(map(str, self.costs))}" if self.costs else self.scheme


Parser = Callable[["re.Match[str]", ForeignRules], Check]


@dataclass(frozen=True, slots=True)
class Form:
    """One written form of stored hashes. The parser raises ValueError for what is malformed or beyond the rules."""

    pattern: re.Pattern[str]
    parse: Parser


def form(pattern: str, parse: Parser) -> Form:
    return Form(re.compile(pattern, re.ASCII), parse)


def demand(holds: bool) -> None:
    """Leave the parser unless it holds: the hash is malformed or too costly."""
    if not holds:
        raise ValueError("malformed or too costly")


def unbase64(text: str) -> bytes:
    """Base64, base64url or passlib's alphabet with a dot, padded or not. ValueError if it is none of them."""
    plain = text.rstrip("=").translate(str.maketrans("-_.", "+/+"))
    return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
