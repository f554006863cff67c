"""Proofs that whoever sends a token holds the key it is bound to (DPoP, RFC 9449)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from doorward.primitives import jwt, strict_json, tokens
from doorward.primitives.moments import unix_seconds
from doorward.primitives.urls import Origin

TYPE = "dpop+jwt"
ALGORITHMS = ("ES256", "Ed25519", "RS256", "PS256")  # §11.6: asymmetric ones, and no `none`
MOST_AGE = 60  # seconds, in either direction

_HEADER = {"typ", "alg", "jwk"}  # so kid, jku, x5c, crit and all others are refused
_THUMBED = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}  # RFC 7638 §3.2
_JTI = re.compile(r"[!-~]{8,128}")
_URL = re.compile(r"(https?://[^/?#]*)([^?#]*)", re.IGNORECASE)
_LONGEST_URL = 2048


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof says, its signature checked. `jkt` is the thumbprint of its key (RFC 7638)."""

    jkt: str
    jti: str
    issued: int
    nonce: str
    ath: str


def verify(text: str, *, method: str, url: str, now: datetime) -> Proof:
    """A proof for just this request, of this minute (§4.3; nonce and `ath` are the caller's). Raises InvalidToken."""
    first, _, rest = text.partition(".")
    middle, _, last = rest.partition(".")
    signature = tokens.decode(last)
    if len(text) > jwt.LONGEST or not signature:
        raise jwt.InvalidToken("malformed")
    header, claims = _members(first), _members(middle)
    key, jkt = _key_of(header)
    if not key.verifies(f"{first}.{middle}".encode("ascii", "replace"), signature):
        raise jwt.InvalidToken("wrong_signature")
    if claims.get("htm") != method or not _is_for(claims.get("htu"), url):
        raise jwt.InvalidToken("wrong_request")
    jti, issued = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not _JTI.fullmatch(jti):
        raise jwt.InvalidToken("wrong_claim")
    if type(issued) is not int or abs(unix_seconds(now) - issued) > MOST_AGE:
        raise jwt.InvalidToken("wrong_time")
    return Proof(jkt, jti, issued, _text(claims, "nonce"), _text(claims, "ath"))


def hash_of(token: str) -> str:
    """`ath`: the hash of the token that a proof goes with (§4.2)."""
    return tokens.encode(hashlib.sha256(token.encode("ascii", "replace")).digest())


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a public key (RFC 7638)."""
    members = {name: jwk[name] for name in _THUMBED[jwk["kty"]]}
    written = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return tokens.encode(hashlib.sha256(written.encode()).digest())


def _key_of(header: Mapping[str, object]) -> tuple[jwt.VerifyingKey, str]:
    """The key in the header. It says nothing of who somebody is: only that one and the same holds it each time."""
    algorithm, jwk = header.get("alg"), header.get("jwk")
    if header.keys() != _HEADER or header["typ"] != TYPE or algorithm not in ALGORITHMS or not isinstance(jwk, dict):
        raise jwt.InvalidToken("wrong_header")
    try:
        if jwk.get("alg", algorithm) != algorithm:
            raise ValueError("the key is for another algorithm")
        key = jwt.verifying_key({**jwk, "alg": algorithm, "kid": "proof"})
    except (ValueError, TypeError):  # private, weak, malformed
        raise jwt.InvalidToken("wrong_key") from None
    return key, thumbprint(jwk)


def _is_for(claimed: object, url: str) -> bool:
    """RFC 9449 §4.3 (9): scheme and host without regard to case, the usual port, no query, no fragment."""
    found = _URL.match(claimed) if isinstance(claimed, str) and len(claimed) <= _LONGEST_URL else None
    if found is None:
        return False
    try:
        return f"{Origin.parse(found[1])}{found[2] or '/'}" == url
    except ValueError:
        return False


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > 255:
        raise jwt.InvalidToken("wrong_claim")
    return value


def _members(part: str) -> dict[str, object]:
    try:
        value = strict_json.parse(tokens.decode(part) or b"")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise jwt.InvalidToken("malformed")
    return value
