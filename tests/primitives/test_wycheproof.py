"""Every case of Wycheproof about our algorithms, counted: no invalid one is accepted, and every valid one of ours is.

Where we refuse what the vectors call valid, the reason stands here with the number of cases. The vectors and their
licence: vectors/SOURCES.md.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from doorward.primitives import jwt, tokens
from doorward.primitives.jwt import ALGORITHMS, Algorithm, InvalidToken, VerifyingKey
from tests.shape.tree import modules, parsed

VECTORS = Path(__file__).parent / "vectors"
Case = tuple[dict[str, Any], dict[str, Any]]


def cases(name: str) -> list[Case]:
    """(group, test) of all tests of a file, as many as it says that it has."""
    document = json.loads((VECTORS / f"{name}_test.json").read_text())
    found = [(group, test) for group in document["testGroups"] for test in group["tests"]]
    assert len(found) == document["numberOfTests"]
    return found


# --- signatures as raw bytes, by our keys


def verdict(algorithm: Algorithm, group: dict[str, Any], test: dict[str, Any]) -> str:
    """`accepted`, `refused`, or `key refused` where we take no such key in the first place."""
    public: Any = bytes.fromhex(test["key"]) if algorithm == "HS256" else None
    try:
        key = VerifyingKey("k", algorithm, public or load_der_public_key(bytes.fromhex(group["publicKeyDer"])))  # type: ignore[arg-type]
    except ValueError:
        return "key refused"
    is_right = key.verifies(bytes.fromhex(test["msg"]), bytes.fromhex(test.get("sig", test.get("tag"))))
    return "accepted" if is_right else "refused"


# By file: (result by the file, our verdict) -> number of cases.
RAW: dict[tuple[str, Algorithm], dict[tuple[str, str], int]] = {
    ("ecdsa_secp256r1_sha256_p1363", "ES256"): {("valid", "accepted"): 173, ("invalid", "refused"): 89},
    # The form of X.509: in a JWS a signature is the two numbers, 64 bytes (RFC 7518 §3.4), and nothing else passes.
    ("ecdsa_secp256r1_sha256", "ES256"): {("valid", "refused"): 174, ("invalid", "refused"): 310},
    ("ed25519", "Ed25519"): {("valid", "accepted"): 88, ("invalid", "refused"): 63},
    ("rsa_pss_2048_sha256_mgf1_32", "PS256"): {("valid", "accepted"): 63, ("invalid", "refused"): 45},
    ("rsa_signature_2048_sha256", "RS256"): {
        ("valid", "accepted"): 7,
        ("valid", "key refused"): 2,  # with the exponent 3
        ("acceptable", "refused"): 1,  # a parameter left out of the DER inside
        ("invalid", "refused"): 249,
    },
    ("hmac_sha256", "HS256"): {
        ("valid", "accepted"): 30,
        ("valid", "refused"): 30,  # cut to 128 bits: RFC 7518 §3.2 has the whole tag
        ("valid", "key refused"): 6,  # of 128 bits, where 256 are asked for
        ("invalid", "refused"): 108,
    },
}


@pytest.mark.parametrize(("name", "algorithm"), RAW)
def test_raw_signatures(name: str, algorithm: Algorithm) -> None:
    found = Counter((test["result"], verdict(algorithm, group, test)) for group, test in cases(name))
    assert found == RAW[name, algorithm]


def test_what_we_refuse_of_what_is_valid_is_refused_for_the_reason_that_we_say() -> None:
    for group, test in cases("hmac_sha256"):
        if test["result"] == "valid":
            is_ours = group["tagSize"] == 256 and group["keySize"] >= 256
            assert (verdict("HS256", group, test) == "accepted") is is_ours, test["tcId"]
    for group, test in cases("rsa_signature_2048_sha256"):
        if verdict("RS256", group, test) == "key refused":
            assert group["publicKey"]["publicExponent"] == "03"


@pytest.mark.parametrize("name", ["ecdsa_secp256r1_sha256_p1363", "ed25519", "rsa_pss_2048_sha256_mgf1_32"])
def test_keys_as_jwk_verify_the_same(name: str) -> None:
    """As a service gets them from a JWK set; 10 cases of ES256 have none in the file."""
    seen = 0
    for group, test in cases(name):
        if "publicKeyJwk" in group:
            key = jwt.verifying_key(group["publicKeyJwk"])
            is_right = key.verifies(bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            assert is_right is (test["result"] == "valid"), test["tcId"]
            seen += 1
    assert seen == {"ecdsa_secp256r1_sha256_p1363": 252, "ed25519": 151, "rsa_pss_2048_sha256_mgf1_32": 108}[name]


# --- whole tokens, by the parser and our keys


# Marked valid with "?" inside base64url. RFC 7515 §2 allows no such character and a token must have one spelling.
LENIENT_BASE64 = {372, 373}
# Marked invalid for their padding, of which the file has lost every trace: letter by letter the valid token of 357.
SAME_AS_VALID = {367, 370}
# (what is accepted, what is refused) of each file. Valid and refused are those of algorithms that are not ours.
TOKENS = {"json_web_signature": (26, 375), "json_web_key": (3, 23), "json_web_crypto": (4, 45)}


def keys_of(group: dict[str, Any]) -> list[dict[str, Any]]:
    jwk = group.get("public") or group["private"]
    found: list[dict[str, Any]] = jwk.get("keys", [jwk])
    return found


def is_accepted(token: str, jwks: list[dict[str, Any]]) -> bool:
    try:
        jwt.verify_signature(token, jwt.verifying_keys(jwks))
    except (InvalidToken, ValueError):
        return False
    return True


def is_ours(token: str, jwks: list[dict[str, Any]]) -> bool:
    """Whether the token announces one of our algorithms, and the key is for it."""
    header = tokens.decode(token.split(".")[0].replace("?", ""))
    announced = json.loads(header)["alg"] if header and header.startswith(b"{") else None
    return announced == jwks[0].get("alg") in ALGORITHMS


@pytest.mark.parametrize("name", TOKENS)
def test_signed_tokens(name: str) -> None:
    """None that is invalid passes, all valid ones of our algorithms do. Weak, mixed, duplicate, mislabelled and
    off-curve keys verify nothing."""
    seen: Counter[bool] = Counter()
    for group, test in (case for case in cases(name) if "jws" in case[1]):
        jwks, token, number = keys_of(group), test["jws"], test["tcId"]
        accepted = is_accepted(token, jwks)
        if name == "json_web_signature" and number in SAME_AS_VALID:
            assert token == next(other["jws"] for _, other in cases(name) if other["tcId"] == 357)
        else:
            lenient = name == "json_web_signature" and number in LENIENT_BASE64
            assert accepted is (test["result"] == "valid" and is_ours(token, jwks) and not lenient), number
        seen[accepted] += 1
    assert (seen[True], seen[False]) == TOKENS[name]


def test_valid_tokens_of_each_algorithm_but_ed25519_are_among_them() -> None:
    """Of that the vectors have raw signatures alone."""
    valid = [(test["jws"], keys_of(group)) for group, test in cases("json_web_signature") if test["result"] == "valid"]
    assert {jwks[0]["alg"] for token, jwks in valid if is_accepted(token, jwks)} == set(ALGORITHMS) - {"Ed25519"}


# --- encrypted tokens: JWT-15


def encrypted() -> list[tuple[dict[str, Any], str, str]]:
    """(key, token, result) of all encrypted tokens of both files: RSA1_5, RSA-OAEP, AES key wrap, ECDH-ES, direct."""
    found = [case for name in ("json_web_encryption", "json_web_crypto") for case in cases(name)]
    return [(group["private"], test["jwe"], test["result"]) for group, test in found if "jwe" in test]


def test_encrypted_tokens_are_refused_alike() -> None:
    """A verifier that decrypts tells good padding from bad by what it answers (RSA1_5, CVE-2016-6298). Ours looks into
    none: all 173 get one answer, whether they are valid or not, and with every key that we could be given."""
    reasons: Counter[tuple[str, str]] = Counter()
    for jwk, token, result in encrypted():
        public = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
        with pytest.raises(ValueError):  # no key of theirs is one that verifies
            jwt.verifying_key(jwk)
        for keys in ({}, _keys(public | {"alg": "RS256", "kid": jwk.get("kid", "k")})):
            with pytest.raises(InvalidToken) as refused:
                jwt.verify_signature(token, keys)
            reasons[result, refused.value.reason] += 1
    # One is longer than any token of ours, and is not looked at at all.
    expected = {("valid", "malformed"): 67, ("invalid", "malformed"): 105, ("invalid", "too_long"): 1}
    assert reasons == {kind: 2 * number for kind, number in expected.items()}


def _keys(jwk: dict[str, Any]) -> dict[str, VerifyingKey]:
    try:
        key = jwt.verifying_key(jwk)
    except ValueError:
        return {}
    return {key.kid: key}


def test_nothing_of_ours_decrypts_a_token() -> None:
    taken = {
        name
        for path in modules("src")
        for node in ast.walk(parsed(path))
        for name in _imported(node)
        if name.startswith(("joserfc", "jose", "jwcrypto", "authlib", "jwt"))
    }
    assert taken == {"joserfc.errors", "joserfc.jwk", "joserfc.jws"}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
