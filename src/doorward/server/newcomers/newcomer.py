"""One user of another system, read from what its export says, by the names that usual exports have for it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from doorward.primitives import foreign_hashes, hashing, rfc6238, text
from doorward.primitives.hashing import UNKNOWN

# Ours first, then what others call it; without regard to case, `_` and `-`.
NAMES: Mapping[str, str] = {
    "email": "email mail emailaddress",
    "email_verified": "emailverified",
    "username": "username preferredusername login",
    "name": "name displayname fullname",
    "given_name": "givenname firstname",
    "family_name": "familyname lastname",
    "password_hash": "passwordhash password encryptedpassword",
    "totp_secret": "totpsecret otpsecret mfasecret",
    "created_at": "createdat datejoined createdtimestamp",
    "active": "active isactive enabled",
    "disabled": "disabled blocked",
    "roles": "roles realmroles",
    "credentials": "credentials",
}
FIELDS = {name: ours for ours, names in NAMES.items() for name in names.split()}

MOST_HASH = 1024  # characters, of the column
MOST_ROLES = 100
LONGEST_TOTP = 128  # bytes
# Milliseconds since 1970 have been beyond this since 1973, seconds will be in the year 5138.
MILLISECONDS = 100_000_000_000
# What a hash begins with, where its system wrote a mark: the rest is nobody's business.
# Bare words are those of hashes: a column of passwords in the clear has words before a colon, too.
_MARK = re.compile(
    r"\$[\w-]{1,20}\$|\{[\w-]{1,20}\}"
    r"|(?:peppered|argon2\w{0,2}|bcrypt\w{0,7}|scrypt|pbkdf2\w{0,12}|md5|sha(?:1|256|512))[:$]",
    re.ASCII,
)
_SHORTEST_MARKED = 30


class Bad(ValueError):
    """What is wrong with a line, in words, and without a secret of it."""


class UnknownHash(Bad):
    """A hash of a format that nothing here verifies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A user to take in. `scheme` is the hash's, empty for a user without a password."""

    email: str | None = None
    email_verified: bool = False
    username: str | None = None
    name: str = ""
    hash: str = field(default="", repr=False)
    scheme: str = ""
    totp: bytes | None = field(default=None, repr=False)
    created_at: datetime | None = None
    active: bool = True
    roles: tuple[str, ...] = ()


def sorted_out(row: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """What the row says under our names, and the names that mean nothing to us. Raises `Bad` for one said twice."""
    known: dict[str, Any] = {}
    others = set()
    for name, value in row.items():
        ours = FIELDS.get(re.sub(r"[_-]", "", name).lower())
        if ours is None:
            others.add(name)
        elif ours in known:
            raise Bad(f"{ours} stands twice")
        elif value is not None:
            known[ours] = value
    listed = known.get("credentials")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("type") != "password":
            others.add(f"credentials: {str(one.get('type'))[:32]}")
    return known, others


def newcomer(said: Mapping[str, Any], *, now: datetime, without_password: bool) -> Newcomer:
    """Raises `Bad`; `UnknownHash` unless those may come `without_password`."""
    email = _text(said, "email", 254)
    username = _text(said, "username", 254)
    if email and text.canonical_address(email) is None:
        raise Bad("email: not an e-mail address")
    if username and email and text.canonical_address(username) == text.canonical_address(email):
        username = None  # as many systems have it; one signs in by the address anyway
    if not email and not username:
        raise Bad("has neither email nor username")
    hash = _hash(said)
    scheme = _scheme(hash, without_password=without_password)
    return Newcomer(
        email=email,
        email_verified=bool(email) and _flag(said, "email_verified", False),
        username=username,
        name=_name(said),
        hash=hash if scheme else "",
        scheme=scheme,
        totp=_totp(said),
        created_at=_moment(said, now),
        active=_flag(said, "active", True) and not _flag(said, "disabled", False),
        roles=_roles(said),
    )


def _text(said: Mapping[str, Any], name: str, most: int) -> str | None:
    value = said.get(name, "")
    if not isinstance(value, str):
        raise Bad(f"{name}: not text")
    value = value.strip()
    if len(value) > most or not text.is_clean(value):
        raise Bad(f"{name}: more than {most} characters, or control characters")
    return value or None


def _name(said: Mapping[str, Any]) -> str:
    whole = _text(said, "name", 150)
    if whole is None:
        whole = " ".join(filter(None, (_text(said, "given_name", 75), _text(said, "family_name", 74))))
    return whole


def _hash(said: Mapping[str, Any]) -> str:
    """Keycloak has a list of credentials, of which one may be a password."""
    if "password_hash" in said or "credentials" not in said:
        value = said.get("password_hash", "")
        if not isinstance(value, str | dict):
            raise Bad("password_hash: not text")
        return json.dumps(value) if isinstance(value, dict) else value
    try:
        passwords = [one for one in said["credentials"] if one["type"] == "password"]
        return json.dumps({name: passwords[0][name] for name in ("credentialData", "secretData")}) if passwords else ""
    except (TypeError, KeyError):
        raise Bad("credentials: not Keycloak's list") from None


def _scheme(hash: str, *, without_password: bool) -> str:
    if not hashing.is_usable(hash):
        return ""
    scheme = hashing.scheme_of(hash) if len(hash) <= MOST_HASH and not hashing.pepper_of(hash) else UNKNOWN
    if scheme != UNKNOWN:
        if scheme.partition(":")[0] in foreign_hashes.NEEDS_BCRYPT - foreign_hashes.available_schemes():
            raise Bad("password_hash: bcrypt is missing; pip install 'doorward[import]'")
        return scheme
    if without_password:
        return ""
    mark = _MARK.match(hash) if len(hash) >= _SHORTEST_MARKED else None
    raise UnknownHash(f"password_hash: unknown format, {f'{mark[0]}…' if mark else f'{len(hash)} characters'}")


def _totp(said: Mapping[str, Any]) -> bytes | None:
    written = _text(said, "totp_secret", 2 * LONGEST_TOTP)
    if written is None:
        return None
    plain = written.replace(" ", "").replace("-", "").rstrip("=").upper()
    try:
        secret = base64.b32decode(plain + "=" * (-len(plain) % 8))
        rfc6238.TotpKey(secret)
    except binascii.Error:
        raise Bad("totp_secret: not base32") from None
    except ValueError:
        raise Bad(
            "totp_secret: too short, fewer than 128 bits (RFC 4226 §4); left empty, its owner enrols anew"
        ) from None
    return secret


def _moment(said: Mapping[str, Any], now: datetime) -> datetime | None:
    """A date with its time (ISO 8601, UTC where it names no zone), or seconds or milliseconds since 1970."""
    value = said.get("created_at")
    if value is None:
        return None
    try:
        if isinstance(value, str) and not re.fullmatch(r"[0-9]{9,14}(\.[0-9]+)?", value):
            found = datetime.fromisoformat(value)
        else:
            number = float(value)
            found = datetime.fromtimestamp(number / 1000 if number > MILLISECONDS else number, UTC)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise Bad("created_at: neither ISO 8601 nor a number of seconds") from None
    if found > now:
        raise Bad("created_at: in the future")
    return found


TRUE, FALSE = {"true", "t", "yes", "y", "1"}, {"false", "f", "no", "n", "0"}


def _flag(said: Mapping[str, Any], name: str, default: bool) -> bool:
    value = said.get(name, default)
    written = str(value).strip().lower()
    if not isinstance(value, bool | int | str) or written not in TRUE | FALSE | {""}:
        raise Bad(f"{name}: neither true nor false")
    return default if written == "" else written in TRUE


def _roles(said: Mapping[str, Any]) -> tuple[str, ...]:
    """A list, or text with commas between."""
    value = said.get("roles", ())
    split: Callable[[str], list[str]] = lambda written: written.split(",")  # noqa: E731
    names = split(value) if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise Bad("roles: neither a list of names nor text with commas between")
    found = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(found) > MOST_ROLES:
        raise Bad(f"roles: at most {MOST_ROLES}")
    return found
