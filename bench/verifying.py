"""Access tokens as a service checks them: by our `Verifier`, with and without what it remembers, and by joserfc."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from joserfc import jwk as jose_keys
from joserfc import jwt as jose

from doorward.primitives import jwt
from doorward.tokens import Verifier

ISSUER, AUDIENCE = "https://auth.example.com", "https://api.example.com"
Measure = Callable[[], float]


def token_checks(number: int) -> tuple[Measure, Measure, Measure]:
    """CPU microseconds a token, of `number` different ones: by a verifier that has seen none of them, by one that has
    seen them all, and by joserfc."""
    key = jwt.generate_key("ES256")
    texts = [_token(key, each) for each in range(number)]
    keys = jwt.public_jwk_set([key])
    known = Verifier(issuer=ISSUER, audience=AUDIENCE, keys=keys)
    imported = jose_keys.import_key(keys["keys"][0])
    claims = jose.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}, exp={"essential": True}
    )

    def first() -> float:
        fresh = Verifier(issuer=ISSUER, audience=AUDIENCE, keys=keys)
        return _cost(fresh.verify, texts)

    def decoded(text: str) -> None:
        claims.validate(jose.decode(text, imported, algorithms=["ES256"]).claims)

    return first, lambda: _cost(known.verify, texts), lambda: _cost(decoded, texts)


def _cost(check: Callable[[str], object], texts: list[str]) -> float:
    began = time.process_time()
    for text in texts:
        check(text)
    return (time.process_time() - began) / len(texts) * 1e6


def _token(key: jwt.SigningKey, number: int) -> str:
    """As an installation gives it out."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": ISSUER,
        "sub": "FvXyQ0nM4r1cJb7uVZ2eJw",
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "jti": f"{number:022d}",
        "sid": "h3Jq9yq1lT8uG0cKx2pYwA",
        "client_id": "doorward",
        "auth_time": now,
        "amr": ["pwd", "otp", "mfa"],
        "acr": "aal2",
    }
    return jwt.sign(claims, key, typ="at+jwt")
