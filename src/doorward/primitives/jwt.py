"""Signed tokens (JWT, RFC 7519 and 9068): a strict parser before the JOSE library, keys and algorithm ours alone."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from doorward.primitives import strict_json, tokens
from doorward.primitives.jwk import (
    ALGORITHMS,
    Algorithm,
    SigningKey,
    VerifyingKey,
    from_jwk,
    generate_key,
    public_jwk_set,
    to_jwk,
    verifying_key,
    verifying_keys,
)
from doorward.primitives.moments import unix_seconds

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "InvalidToken",
    "SigningKey",
    "VerifyingKey",
    "from_jwk",
    "generate_key",
    "public_jwk_set",
    "sign",
    "to_jwk",
    "verify",
    "verify_signature",
    "verifying_key",
    "verifying_keys",
]

LONGEST = 8192  # characters of a token
_LONGEST_HEADER = 1024  # characters
MOST_LEEWAY = 60  # seconds, for clocks that differ
_LONGEST_LIFE = 366 * 24 * 3600  # seconds; what claims to live longer was not made by us
_HEADER = frozenset({"alg", "kid", "typ"})  # so crit, jwk, jku, x5u, x5c, zip, b64 and cty are refused (RFC 8725 §3.10)
_ALWAYS = ("iss", "sub", "aud", "exp")
_REQUIRED = {"at+jwt": (*_ALWAYS, "client_id", "iat", "jti")}  # RFC 9068 §2.2
_TEXTS = ("iss", "sub", "jti", "client_id", "scope", "sid", "acr", "azp")
_TIMES = ("exp", "iat", "nbf", "auth_time")
_LONGEST_TEXT = 1024


class InvalidToken(Exception):
    """The token is refused; `reason` says why in one word, for a log and never for the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def sign(claims: Mapping[str, object], key: SigningKey, *, typ: str) -> str:
    """A token in compact form. Times in the claims are whole Unix seconds. Raises ValueError if it gets too long."""
    payload = json.dumps(dict(claims), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    message = f"{_header(key.algorithm, key.kid, typ)}.{tokens.encode(payload.encode())}"
    token = f"{message}.{tokens.encode(key.sign(message.encode()))}"
    if len(token) > LONGEST:
        raise ValueError(f"a token has at most {LONGEST} characters, this one would have {len(token)}")
    return token


@lru_cache(maxsize=64)
def _header(algorithm: str, kid: str, typ: str) -> str:
    header = json.dumps({"alg": algorithm, "kid": kid, "typ": typ}, separators=(",", ":"))
    return tokens.encode(header.encode())


def verify(
    token: str,
    keys: Mapping[str, VerifyingKey],
    *,
    issuer: str,
    audience: str,
    now: datetime,
    typ: str,
    leeway: int = MOST_LEEWAY,
) -> dict[str, object]:
    """The claims of a token that one of `keys` (by kid) signed for this audience and that holds now.

    `typ` is demanded as it is or after "application/"; `leeway` is in seconds, at most 60. Raises InvalidToken.
    Sources: RFC 8725 (best practice), RFC 9068 §4 for `at+jwt`.
    """
    moment = unix_seconds(now)
    if not 0 <= leeway <= MOST_LEEWAY:
        raise ValueError(f"leeway is 0 to {MOST_LEEWAY} seconds")
    header, payload = verify_signature(token, keys)
    if header.get("typ") not in (typ, f"application/{typ}"):
        raise InvalidToken("wrong_type")
    claims = _members(payload)
    _check_shape(claims, required=_REQUIRED.get(typ, _ALWAYS))
    _check_times(claims, moment, leeway)
    if claims["iss"] != issuer:
        raise InvalidToken("wrong_issuer")
    if audience not in _audiences(claims["aud"]):
        raise InvalidToken("wrong_audience")
    return claims


def verify_signature(token: str, keys: Mapping[str, VerifyingKey]) -> tuple[Mapping[str, str], bytes]:
    """Header and payload of a compact JWS (RFC 7515) that one of `keys` signed. The claims are not looked at.

    The key is found by kid among ours, and the algorithm is the key's: the token chooses neither. Raises InvalidToken.
    """
    if not isinstance(token, str) or len(token) > LONGEST:
        raise InvalidToken("too_long")
    message, _, last = token.rpartition(".")
    first, _, middle = message.partition(".")
    payload, signature = tokens.decode(middle), tokens.decode(last)
    if payload is None or not signature:
        raise InvalidToken("malformed")
    header = _parsed_header(first)
    key = keys.get(header.get("kid", ""))
    if key is None:
        raise InvalidToken("unknown_key")
    if header.get("alg") != key.algorithm:
        raise InvalidToken("wrong_algorithm")
    if not key.verifies(message.encode(), signature):
        raise InvalidToken("wrong_signature")
    return header, payload


@lru_cache(maxsize=64)  # the tokens of one key begin alike
def _parsed_header(text: str) -> Mapping[str, str]:
    raw = tokens.decode(text) if len(text) <= _LONGEST_HEADER else None
    header = _members(raw or b"")
    texts = {name: value for name, value in header.items() if isinstance(value, str)}
    if not header.keys() <= _HEADER or len(texts) != len(header):
        raise InvalidToken("wrong_header")
    return MappingProxyType(texts)


def _members(raw: bytes) -> dict[str, object]:
    try:
        value = strict_json.parse(raw)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InvalidToken("malformed")
    return value


def _check_shape(claims: dict[str, object], *, required: tuple[str, ...]) -> None:
    if any(name not in claims for name in required):
        raise InvalidToken("missing_claim")
    texts = [claims[name] for name in _TEXTS if name in claims]
    if not all(isinstance(text, str) and 0 < len(text) <= _LONGEST_TEXT for text in texts):
        raise InvalidToken("wrong_claim")
    # bool is an int in Python, a float would lose seconds, and a huge integer is an attack on somebody's clock.
    times = [claims[name] for name in _TIMES if name in claims]
    if not all(type(time) is int and 0 < time < 2**40 for time in times):
        raise InvalidToken("wrong_claim")


def _check_times(claims: dict[str, object], moment: float, leeway: int) -> None:
    expires, issued, begins = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    if expires <= moment - leeway:
        raise InvalidToken("expired")
    if max(issued, begins) > moment + leeway:
        raise InvalidToken("not_yet_valid")
    if expires > moment + _LONGEST_LIFE or expires <= max(issued, begins):
        raise InvalidToken("wrong_claim")


def _time(claims: dict[str, object], name: str) -> int:
    time = claims.get(name, 0)
    return time if isinstance(time, int) else 0


def _audiences(aud: object) -> list[object]:
    audiences: list[object] = aud if isinstance(aud, list) else [aud]
    if not all(isinstance(one, str) and one for one in audiences):
        raise InvalidToken("wrong_claim")
    return audiences
