"""DPoP proofs: those of RFC 9449 are read as it says, and everything else is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from doorward.primitives import dpop, jwt, tokens
from tests.keyholder import KeyHolder

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://app.example.com/auth/session"
JWK = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQy"
    "VVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
# The examples of RFC 9449, §5 and §7.1; the second goes with TOKEN.
TOKEN_REQUEST = (
    f"{JWK}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwi"
    "aWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RESOURCE_REQUEST = (
    f"{JWK}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0"
    "ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9."
    "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"  # §6.1


def proof(holder: KeyHolder | None = None, **more: Any) -> str:
    """A proof for a GET of URL, now; what is given stands in the place of what would be right."""
    return (holder or ANN).proof("GET", URL, NOW, **more)


ANN, BOB, RSA = KeyHolder(), KeyHolder(), KeyHolder("RS256")
SECONDS = int(NOW.timestamp())


def read(text: str) -> dpop.Proof:
    return dpop.verify(text, method="GET", url=URL, now=NOW)


def test_the_proofs_of_the_rfc() -> None:
    at = datetime.fromtimestamp(1562262616, UTC)
    found = dpop.verify(TOKEN_REQUEST, method="POST", url="https://server.example.com/token", now=at)
    assert (found.jkt, found.jti, found.ath) == (THUMBPRINT, "-BwC3ESc6acc2lTc", "")
    found = dpop.verify(RESOURCE_REQUEST, method="GET", url="https://resource.example.org/protectedresource", now=at)
    assert (found.jkt, found.jti, found.ath) == (THUMBPRINT, "e1j3V_bKic8-LAEB", dpop.hash_of(TOKEN))
    assert dpop.hash_of(TOKEN) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


@pytest.mark.parametrize("algorithm", dpop.ALGORITHMS)
def test_every_allowed_algorithm(algorithm: Any) -> None:
    holder = KeyHolder(algorithm)
    assert read(proof(holder)).jkt == read(proof(holder)).jkt == holder.jkt


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_a_minute_in_either_direction(seconds: int) -> None:
    assert read(proof(iat=SECONDS + seconds)).jkt == ANN.jkt


@pytest.mark.parametrize(
    "htu",
    [
        "https://APP.example.com/auth/session",
        "HTTPS://app.example.com:443/auth/session",
        "https://app.example.com/auth/session?x=1",
        "https://app.example.com/auth/session#here",
    ],
)
def test_urls_that_are_the_same(htu: str) -> None:
    assert read(proof(htu=htu)).jkt == ANN.jkt


NO_POINT = {"kty": "EC", "crv": "P-256", "x": tokens.encode(b"\1" * 32), "y": tokens.encode(b"\2" * 32)}
WRONG: dict[str, str] = {
    "wrong method": proof(htm="POST"),
    "method in small letters": proof(htm="get"),
    "no method": proof(htm=...),
    "wrong path": proof(htu="https://app.example.com/auth/sessions"),
    "path in other letters": proof(htu="https://app.example.com/AUTH/session"),
    "path with a dot": proof(htu="https://app.example.com/auth/./session"),
    "wrong host": proof(htu="https://evil.example/auth/session"),
    "host as a user": proof(htu="https://app.example.com@evil.example/auth/session"),
    "wrong scheme": proof(htu="http://app.example.com/auth/session"),
    "wrong port": proof(htu="https://app.example.com:444/auth/session"),
    "a path alone": proof(htu="/auth/session"),
    "no URL": proof(htu=...),
    "too old": proof(iat=SECONDS - 61),
    "of the future": proof(iat=SECONDS + 61),
    "time as text": proof(iat=str(SECONDS)),
    "time as a fraction": proof(iat=NOW.timestamp() + 0.5),
    "no time": proof(iat=...),
    "no jti": proof(jti=...),
    "jti too short": proof(jti="short"),
    "jti too long": proof(jti="x" * 129),
    "jti with a space": proof(jti="a proof of mine"),
    "jti as a number": proof(jti=12345678),
    "nonce as a number": proof(nonce=5),
    "ath as a list": proof(ath=["x"]),
    "wrong type": proof(header={"typ": "JWT"}),
    "access token": proof(header={"typ": "at+jwt"}),
    "no type": proof(header={"typ": ...}),
    "no algorithm": proof(header={"alg": "none"}),
    "algorithm of another key": proof(header={"alg": "RS256"}),
    "shared key": proof(header={"alg": "HS256", "jwk": {"kty": "oct", "k": tokens.encode(b"k" * 32)}}),
    "a key by name": proof(header={"kid": "k"}),
    "a key by address": proof(header={"jku": "https://evil.example/jwks.json"}),
    "a certificate": proof(header={"x5c": ["MIIB"]}),
    "critical": proof(header={"crit": ["exp"]}),
    "no key": proof(header={"jwk": ...}),
    "a key that is text": proof(header={"jwk": "key"}),
    "a private key": proof(header={"jwk": jwt.to_jwk(ANN.key, private=True)}),
    "somebody else's key": proof(header={"jwk": BOB.public}),
    "a point that is none": proof(header={"jwk": NO_POINT}),
    "an algorithm that the key denies": proof(RSA, header={"alg": "PS256", "jwk": {**RSA.public, "alg": "RS256"}}),
    "empty": "",
    "two of them": proof() + "," + proof(),
    "four parts": proof() + ".x",
    "no signature": proof().rpartition(".")[0] + ".",
    "a cut signature": proof()[:-2],
    "other text": "ключ.ключ.ключ",
    "too long": proof(padding="x" * 9000),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_proof_for_this(name: str) -> None:
    with pytest.raises(jwt.InvalidToken):
        read(WRONG[name])


def test_a_claim_that_is_changed_breaks_the_signature() -> None:
    head, _, signature = proof().split(".")
    for claims in (proof(jti="another-proof-of-mine"), proof(iat=SECONDS + 1)):
        with pytest.raises(jwt.InvalidToken):
            read(f"{head}.{claims.split('.')[1]}.{signature}")
