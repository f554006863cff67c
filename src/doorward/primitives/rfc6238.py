"""One-time codes from a shared secret: HOTP (RFC 4226), and TOTP (RFC 6238) as authenticator apps make them."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from doorward.primitives.codes import typed_code
from doorward.primitives.moments import unix_seconds
from doorward.primitives.tokens import same

Algorithm = Literal["SHA1", "SHA256", "SHA512"]

_SHORTEST_SECRET = 16  # bytes, RFC 4226 §4 R6; 20 are recommended
_DIGITS = range(6, 9)
_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


@dataclass(frozen=True, slots=True)
class TotpKey:
    """A shared secret (16 bytes or more) and how codes are made of it; `period` in seconds."""

    secret: bytes = field(repr=False)
    digits: int = 6
    period: int = 30
    algorithm: Algorithm = "SHA1"

    def __post_init__(self) -> None:
        if len(self.secret) < _SHORTEST_SECRET:
            raise ValueError(f"a TOTP secret has at least {_SHORTEST_SECRET} bytes, this one has {len(self.secret)}")
        if self.digits not in _DIGITS or self.period < 1 or self.algorithm not in _HASHES:
            raise ValueError("a TOTP key has 6 to 8 digits, a period of a second or more, and SHA1, SHA256 or SHA512")


def secret_bytes(algorithm: Algorithm) -> int:
    """How long a new secret is: as the hash is (RFC 6238 §5.1, RFC 4226 §4 R6)."""
    return _HASHES[algorithm]().digest_size


def packed(key: TotpKey) -> bytes:
    """A key as it is kept: its secret alone where codes are made as every app can, else JSON."""
    if key == TotpKey(key.secret):
        return key.secret
    kept = {"secret": base32(key.secret), "algorithm": key.algorithm, "digits": key.digits, "period": key.period}
    return json.dumps(kept).encode()


def unpacked(kept: bytes) -> TotpKey:
    """What `packed` made. A secret is random, and none reads as such an object."""
    try:
        found = json.loads(kept)
        secret = base64.b32decode(found["secret"] + "=" * (-len(found["secret"]) % 8))
        return TotpKey(secret, found["digits"], found["period"], found["algorithm"])
    except (ValueError, TypeError, KeyError):
        return TotpKey(kept)


def hotp(key: TotpKey, counter: int) -> str:
    """The code for one counter (RFC 4226 §5.3: eight bytes, dynamic truncation, leading zeros kept)."""
    mac = hmac.digest(key.secret, counter.to_bytes(8, "big"), _HASHES[key.algorithm])
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**key.digits:0{key.digits}d}"


def code_at_step(key: TotpKey, step: int) -> str:
    """The code of one time step: TOTP is HOTP with the step as its counter (RFC 6238 §4.2)."""
    return hotp(key, step)


def step_of(now: datetime, period: int = 30) -> int:
    """The number of whole periods since 1970 (RFC 6238 §4.2, T0 = 0)."""
    return int(unix_seconds(now) // period)


def matching_step(key: TotpKey, code: object, now: datetime, *, drift: int = 1, after: int | None = None) -> int | None:
    """The step that `code` belongs to, up to `drift` steps from now and later than `after`; None if there is none.

    RFC 6238 §5.2: a code must not be accepted twice, so the caller keeps the step and passes it as `after` later on.
    All steps are computed and compared whatever the code is. Where neighbours share a code the newest counts: a code
    that was used then stays used.
    """
    typed = typed_code(code, digits=key.digits)
    this = step_of(now, key.period)
    found = None
    for step in range(max(0, this - drift), this + drift + 1):
        right = same(code_at_step(key, step), typed or "")
        if right and (after is None or step > after):
            found = step
    return found


def base32(secret: bytes) -> str:
    """The secret as people type it into an app: base32 without padding (RFC 4648 §6)."""
    return base64.b32encode(secret).rstrip(b"=").decode("ascii")


def provisioning_uri(key: TotpKey, *, issuer: str, account: str) -> str:
    """The `otpauth://` URI for a QR code. It holds the secret. Raises ValueError for a colon in a label's halves.

    Source: the Key Uri Format of Google Authenticator, which all apps follow.
    """
    if not issuer or not account or ":" in issuer + account:
        raise ValueError("issuer and account name the entry in the app: neither is empty, neither holds a colon")
    query = {
        "secret": base32(key.secret),
        "issuer": issuer,
        "algorithm": key.algorithm,
        "digits": str(key.digits),
        "period": str(key.period),
    }
    # quote, not urlencode: some apps show "+" for a space.
    pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='@')}?{pairs}"
