"""Weak hashes wrapped: argon2id over what an old system derived, at once and without the password.

    wrapped$m=19456,t=2,p=1$SALT$DIGEST$SHELL

The shell is the old hash without its digest (`md5$x7Gq$*32`: 32 characters were there), so that salt and costs are
known and nothing is left to guess at. Django's password column has 128 characters, so the digest has 16 bytes only: as
many as RFC 9106 §4 gives where memory is short.
"""

from __future__ import annotations

import base64
import re
from functools import partial
from re import Match

from argon2 import low_level

from doorward.primitives import foreign_hashes
from doorward.primitives.foreign_hashes import ForeignRules, dummy_hash, kdfs
from doorward.primitives.foreign_hashes.parts import Check, Derive, demand, unbase64

MARK = "wrapped$"
DIGEST_BYTES = 16

# One computer guesses at these at a rate of millions a second and more.
FAST = re.compile(r"(hex|salted|ldap|ldap_salted)_(md5|sha1|sha256|sha512)|(apr_)?md5_crypt|des_crypt|phpass|aspnet_v2")
# OWASP, Password Storage Cheat Sheet: the least rounds of PBKDF2, by its hash.
LEAST_ROUNDS = {"sha1": 1_300_000, "sha256": 600_000, "sha512": 210_000}
_PBKDF2 = re.compile(r"(?:django_|werkzeug_|keycloak_)?pbkdf2_(sha1|sha256|sha512)")

_FORM = re.compile(r"wrapped\$m=([0-9]{1,8}),t=([0-9]{1,5}),p=([0-9]{1,3})\$([\w-]{22})\$([\w-]{22})\$(.+)", re.ASCII)
_LEFT_OUT = re.compile(r"\*([0-9]{1,3})(=*)")


def is_weak(check: Check) -> bool:
    """Whether an old hash is worth wrapping: fast ones, and PBKDF2 with fewer rounds than are asked for today."""
    if FAST.fullmatch(check.scheme):
        return True
    pbkdf2 = _PBKDF2.fullmatch(check.scheme)
    return pbkdf2 is not None and check.costs[0] < LEAST_ROUNDS[pbkdf2[1]]


def wrap(hash: str, *, memory_kib: int, passes: int, lanes: int, salt: bytes, rules: ForeignRules) -> str | None:
    """The hash, wrapped; None for one that is not weak, or that no shell can be made of. `salt`: 16 random bytes."""
    check = foreign_hashes.read(hash, rules)
    shell = _shell(hash) if check is not None and is_weak(check) else None
    if check is None or shell is None or not _is_shell_of(shell, check, rules):
        return None
    digest = _argon2id(check.digest, salt=salt, memory_kib=memory_kib, passes=passes, lanes=lanes)
    return f"{MARK}m={memory_kib},t={passes},p={lanes}${_text(salt)}${_text(digest)}${shell}"


def read(stored: str, rules: ForeignRules) -> Check | None:
    """What a wrapped hash means, within the bounds of both: its outside's and its inside's."""
    found = _FORM.fullmatch(stored) if len(stored) <= foreign_hashes.MOST_HASH else None
    inside = foreign_hashes.read(_filled(found[6]), rules) if found else None
    if found is None or inside is None:
        return None
    try:
        return _read(found, inside, rules)
    except ValueError:
        return None


def _read(found: Match[str], inside: Check, rules: ForeignRules) -> Check:
    memory_kib, passes, lanes = int(found[1]), int(found[2]), int(found[3])
    salt, digest = unbase64(found[4]), unbase64(found[5])
    demand(len(inside.derivations) <= 2)
    outside = kdfs.argon2(
        "id", memory_kib=memory_kib, passes=passes, lanes=lanes, salt=salt, digest=digest, rules=rules
    )
    around = partial(_argon2id, salt=salt, memory_kib=memory_kib, passes=passes, lanes=lanes)
    derivations = tuple(_over(around, derive) for derive in inside.derivations)
    scheme = f"wrapped:{memory_kib},{passes},{lanes}:{inside.scheme}"
    return Check(scheme, inside.costs, max(outside.memory, inside.memory), digest, derivations)


def _over(around: Derive, derive: Derive) -> Derive:
    return lambda password: around(derive(password))


def dummy(kind: str) -> str:
    """A wrapped hash that nothing matches, as costly as one of that kind (`Check.kind`). ValueError or KeyError if
    there is none."""
    _, costs, inside = kind.split(":", 2)
    memory_kib, passes, lanes = map(int, costs.split(","))
    shell = _shell(dummy_hash(inside))
    demand(shell is not None)
    nothing = "A" * 22
    return f"{MARK}m={memory_kib},t={passes},p={lanes}${nothing}${nothing}${shell}"


def _argon2id(secret: bytes, *, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    return low_level.hash_secret_raw(
        secret,
        salt=salt,
        time_cost=passes,
        memory_cost=memory_kib,
        parallelism=lanes,
        hash_len=DIGEST_BYTES,
        type=low_level.Type.ID,
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _shell(hash: str) -> str | None:
    """The hash without its digest; None where it can't be told apart."""
    for pattern, write in _SHELLS:
        if found := pattern.fullmatch(hash):
            return write(found)
    return None


def _without_end(found: Match[str]) -> str:
    """Where the digest is the last part: how long it was stands in its place."""
    digest = found[2].rstrip("=")
    return f"{found[1]}*{len(digest)}{'=' * (len(found[2]) - len(digest))}"


def _of_ldap(found: Match[str]) -> str:
    """base64(digest ‖ salt): zeros in the place of the digest."""
    raw = unbase64(found[2])
    size = {"MD5": 16, "SHA": 20, "SHA256": 32, "SHA512": 64}[found[1].upper().removeprefix("{S").strip("{}")]
    return found[1] + base64.b64encode(bytes(size) + raw[size:]).decode()


def _of_aspnet(found: Match[str]) -> str:
    """0x00 ‖ salt of 16 bytes ‖ digest of 32."""
    return base64.b64encode(unbase64(found[0])[:17] + bytes(32)).decode()


_SHELLS = (
    (re.compile(r"(?i:(\{S(?:MD5|SHA|SHA256|SHA512)\}))([A-Za-z0-9+/=]+)"), _of_ldap),
    (re.compile(r"(?i:(\{(?:MD5|SHA|SHA256|SHA512)\}))([A-Za-z0-9+/=]+)"), _without_end),
    (re.compile(r"A[A-Za-z0-9+/]{60,70}={0,2}"), _of_aspnet),
    (re.compile(r"(\$[PH]\$[./A-Za-z0-9]{9})([./A-Za-z0-9]{22})"), _without_end),
    (re.compile(r"()([0-9a-fA-F]{32,128})"), _without_end),
    (re.compile(r"((?:crypt\$[./A-Za-z0-9]{0,2}\$|(?i:\{CRYPT\}))?[./A-Za-z0-9]{2})([./A-Za-z0-9]{11})"), _without_end),
    (re.compile(r"([^{\"].*\$|(?i:\{(?:PBKDF2|CRYPT)[^}]*\}).*\$)([^$*]{16,128})"), _without_end),
)


def _filled(shell: str) -> str:
    """The shell with zeros where the digest was: the character is a digit in every alphabet that digests have."""
    left_out = _LEFT_OUT.search(shell)
    if left_out is None:
        return shell
    return shell[: left_out.start()] + "0" * int(left_out[1]) + left_out[2] + shell[left_out.end() :]


def _is_shell_of(shell: str, check: Check, rules: ForeignRules) -> bool:
    """Whether it reads as the same scheme and costs, and holds nothing of the digest."""
    inside = foreign_hashes.read(_filled(shell), rules)
    return (
        inside is not None
        and inside.kind == check.kind
        and len(inside.digest) == len(check.digest)
        and not any(inside.digest[at : at + 4] == check.digest[at : at + 4] for at in range(0, len(check.digest), 4))
    )
