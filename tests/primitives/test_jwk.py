"""Keys as JWK: what they were, they are again; what is weak, malformed or ambiguous is refused."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from doorward.primitives import jwt, tokens
from doorward.primitives.jwt import ALGORITHMS, Algorithm, SigningKey, VerifyingKey
from tests.primitives.test_jwt import HOSTILE, MADE


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_survives_as_jwk(algorithm: Algorithm) -> None:
    key = MADE[algorithm]
    again = jwt.from_jwk(json.loads(json.dumps(jwt.to_jwk(key, private=True))))
    assert (again.kid, again.algorithm) == (key.kid, algorithm)
    assert key.verifying.verifies(b"x", again.sign(b"x"))
    assert not key.verifying.verifies(b"y", again.sign(b"x"))


def test_a_key_is_named_by_its_thumbprint() -> None:
    """RFC 7638 §3.1's example, and ours by the other library's rule."""
    assert jwt.generate_key("ES256", kid="mine").kid == "mine"
    for algorithm in ALGORITHMS:
        assert len(tokens.decode(MADE[algorithm].kid) or b"") == 32
    assert len({key.kid for key in MADE.values()}) == len(ALGORITHMS)


def test_the_published_set_holds_no_secret() -> None:
    published = jwt.public_jwk_set(MADE.values())
    assert [jwk["alg"] for jwk in published["keys"]] == ["ES256", "RS256", "PS256", "Ed25519"]
    assert all({"kid", "use"} <= jwk.keys() for jwk in published["keys"])
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & jwk.keys() for jwk in published["keys"])
    assert jwt.public_jwk_set([MADE["HS256"]]) == {"keys": []}
    with pytest.raises(ValueError, match="HS256"):
        jwt.to_jwk(MADE["HS256"], private=False)
    assert set(jwt.verifying_keys(published["keys"])) == {jwk["kid"] for jwk in published["keys"]}


def test_keys_do_not_print_themselves() -> None:
    secret = SigningKey("k", "HS256", b"0123456789abcdefghijklmnopqrstuv")
    assert "0123" not in repr(secret)
    assert "0123" not in repr(secret.verifying)


EC_JWK = jwt.to_jwk(MADE["ES256"], private=True)
RSA_JWK = jwt.to_jwk(MADE["RS256"], private=True)
OKP_JWK = jwt.to_jwk(MADE["Ed25519"], private=True)
OCT_JWK = jwt.to_jwk(MADE["HS256"], private=True)


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {**EC_JWK, "use": "enc"},
        {**EC_JWK, "key_ops": ["verify"]},
        {**EC_JWK, "alg": "ES512"},
        {**EC_JWK, "alg": "RS256"},
        {**EC_JWK, "alg": "none"},
        {**EC_JWK, "crv": "P-384"},
        {**EC_JWK, "crv": "secp256k1"},
        {**EC_JWK, "kty": "RSA"},
        {**EC_JWK, "kty": "oct"},
        {**EC_JWK, "kty": ["EC"]},
        {**EC_JWK, "kid": ""},
        {**EC_JWK, "kid": None},
        {**EC_JWK, "kid": "a\nb"},
        {**EC_JWK, "kid": "x" * 129},
        {**EC_JWK, "x": EC_JWK["y"]},
        {**EC_JWK, "x": EC_JWK["x"] + "="},
        {**EC_JWK, "x": "AAAA"},
        {**EC_JWK, "x": 1},
        {**EC_JWK, "d": tokens.encode(bytes(32))},
        {**EC_JWK, "d": tokens.encode(bytes(31) + b"\x01")},
        {name: value for name, value in EC_JWK.items() if name != "d"},
        {name: value for name, value in RSA_JWK.items() if name != "alg"},
        {**RSA_JWK, "alg": "RS512"},
        {**RSA_JWK, "e": "AQ"},
        {**RSA_JWK, "e": "Aw"},
        {**RSA_JWK, "e": "AQAA"},
        {**RSA_JWK, "n": RSA_JWK["n"][:170]},
        {**RSA_JWK, "p": RSA_JWK["q"]},
        {**OKP_JWK, "alg": "EdDSA"},
        {**OKP_JWK, "crv": "X25519"},
        {**OKP_JWK, "x": OKP_JWK["d"]},
        {**OCT_JWK, "k": ""},
        {**OCT_JWK, "k": tokens.encode(bytes(31))},
        {**OCT_JWK, "k": tokens.encode(HOSTILE["public_pem"].encode())},
        {**OCT_JWK, "k": tokens.encode(json.dumps(EC_JWK).encode())},
        {**OCT_JWK, "alg": "HS512"},
    ],
)
def test_bad_private_keys_are_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        jwt.from_jwk(jwk)


def test_a_key_without_alg_has_the_only_one_of_its_curve() -> None:
    assert jwt.from_jwk({name: EC_JWK[name] for name in ("kty", "crv", "x", "y", "d", "kid")}).algorithm == "ES256"
    assert jwt.from_jwk({name: OKP_JWK[name] for name in ("kty", "crv", "x", "d", "kid")}).algorithm == "Ed25519"


@pytest.mark.parametrize("jwk", [EC_JWK, RSA_JWK, OKP_JWK], ids=["EC", "RSA", "OKP"])
def test_a_private_key_is_no_public_one(jwk: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="private"):
        jwt.verifying_key(jwk)


def test_sets_that_are_ambiguous_are_refused() -> None:
    public = jwt.to_jwk(MADE["ES256"], private=False)
    with pytest.raises(ValueError, match="same kid"):
        jwt.verifying_keys([public, public])
    with pytest.raises(ValueError, match="mixes"):
        jwt.verifying_keys([public, OCT_JWK])
    later = {"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AAAA"}
    assert set(jwt.verifying_keys([later, public, {**EC_JWK, "use": "enc"}])) == {MADE["ES256"].kid}


@pytest.mark.parametrize(
    ("algorithm", "private"),
    [
        ("ES256", MADE["RS256"].private),
        ("RS256", MADE["ES256"].private),
        ("Ed25519", MADE["ES256"].private),
        ("HS256", MADE["ES256"].private),
        ("ES256", b"x" * 32),
        ("HS256", b""),
        ("HS256", b"x" * 31),
        ("HS256", HOSTILE["public_pem"].encode()),
        ("RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        ("PS256", rsa.generate_private_key(public_exponent=3, key_size=2048)),
        ("ES256", ec.generate_private_key(ec.SECP384R1())),
        ("ES256", ec.generate_private_key(ec.SECP256K1())),
        ("HS256", b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx3"),
    ],
)
def test_a_key_fits_its_algorithm(algorithm: Algorithm, private: Any) -> None:
    with pytest.raises(ValueError):
        SigningKey("k", algorithm, private)


def test_a_shared_key_may_begin_with_any_byte() -> None:
    """What begins as JSON does is a JWK only where it goes on as one: a random key does so once in 256 times."""
    for first in range(256):
        assert VerifyingKey("k", "HS256", bytes([first]) + bytes(31)).algorithm == "HS256"
    for text in (b'{"kty":"EC","crv":"P-256","x":"AAAA"}', b'{"keys":[{"kty":"RSA","n":"AQAB"}]}'.ljust(32)):
        with pytest.raises(ValueError, match="CVE-2022-29217"):
            VerifyingKey("k", "HS256", text)
