"""Keys for signed tokens: made, checked when they are loaded, and written as JSON Web Keys (RFC 7517)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from doorward.primitives import tokens

Algorithm = Literal["ES256", "RS256", "PS256", "Ed25519", "HS256"]
PrivateKey: TypeAlias = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey | bytes
PublicKey: TypeAlias = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey | bytes

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)

_RSA_BITS = range(2048, 8193)  # fewer are weak, more are a way to keep a verifier busy
_RSA_EXPONENTS = range(65537, 2**32, 2)  # NIST FIPS 186-5 §A.1.1 from below; the bound above is ours, for speed
_SHORTEST_SHARED = 32  # bytes, RFC 7518 §3.2
_COORDINATE = 32  # bytes, P-256 and Ed25519
_LONGEST_KID = 128

_KEY_TYPES: dict[Algorithm, type[ECKey] | type[RSAKey] | type[OKPKey] | type[OctKey]] = {
    "ES256": ECKey,
    "RS256": RSAKey,
    "PS256": RSAKey,
    "Ed25519": OKPKey,
    "HS256": OctKey,
}
_CURVES: dict[Algorithm, str] = {"ES256": "P-256", "Ed25519": "Ed25519"}
_PUBLIC_MEMBERS = {"EC": ("x", "y"), "RSA": ("n", "e"), "OKP": ("x",), "oct": ("k",)}
_PRIVATE_MEMBERS = {"EC": ("d",), "RSA": ("d", "p", "q", "dp", "dq", "qi"), "OKP": ("d",), "oct": ()}

_registry = JWSRegistry(algorithms=ALGORITHMS)
_JWS: dict[Algorithm, Any] = {name: _registry.get_alg(name) for name in ALGORITHMS}


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """What verifies a signature: a public key, or the shared bytes of HS256. Checked here, once."""

    kid: str
    algorithm: Algorithm
    public: PublicKey = field(repr=False)
    _jose: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_kid(self.kid)
        _check_key(self.algorithm, self.public)
        object.__setattr__(self, "_jose", _KEY_TYPES[self.algorithm](self.public, self.public))  # type: ignore[arg-type]

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature, in the form that JWS gives it, is this key's for the message."""
        return bool(_JWS[self.algorithm].verify(message, signature, self._jose))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs: `private` is an object of `cryptography`, or 32 bytes or more for HS256."""

    kid: str
    algorithm: Algorithm
    private: PrivateKey = field(repr=False)
    verifying: VerifyingKey = field(init=False, repr=False, compare=False)
    _jose: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        public = self.private if isinstance(self.private, bytes) else self.private.public_key()
        object.__setattr__(self, "verifying", VerifyingKey(self.kid, self.algorithm, public))
        object.__setattr__(self, "_jose", _KEY_TYPES[self.algorithm](self.private, self.private))  # type: ignore[arg-type]

    def sign(self, message: bytes) -> bytes:
        """The signature in the form that JWS gives it."""
        return bytes(_JWS[self.algorithm].sign(message, self._jose))


def generate_key(algorithm: Algorithm, *, kid: str | None = None) -> SigningKey:
    """A new key from the system's random source; without `kid` it is named by its thumbprint (RFC 7638)."""
    made: ECKey | RSAKey | OKPKey | OctKey
    if algorithm == "ES256":
        made = ECKey.generate_key("P-256")
    elif algorithm == "Ed25519":
        made = OKPKey.generate_key("Ed25519")
    elif algorithm == "HS256":
        made = OctKey.generate_key(8 * _SHORTEST_SHARED)
    else:
        made = RSAKey.generate_key(_RSA_BITS.start)
    private: Any = made.raw_value
    return SigningKey(kid or made.thumbprint(), algorithm, private)


def to_jwk(key: SigningKey, *, private: bool) -> dict[str, str]:
    """The key as a JWK. Raises ValueError for the public half of HS256, which has none."""
    if key.algorithm == "HS256" and not private:
        raise ValueError("HS256 has no public key: whoever verifies could sign")
    jose = key._jose if private else key.verifying._jose
    return {**jose.as_dict(private=private), "kid": key.kid, "alg": key.algorithm, "use": "sig"}


def public_jwk_set(keys: Iterable[SigningKey]) -> dict[str, list[dict[str, str]]]:
    """The JWK set to publish. Shared keys are left out: with HS256 alone the set is empty."""
    return {"keys": [to_jwk(key, private=False) for key in keys if key.algorithm != "HS256"]}


def from_jwk(jwk: Mapping[str, Any]) -> SigningKey:
    """The private key in a JWK. Raises ValueError for a weak, malformed, ambiguous or public one."""
    algorithm = _algorithm(jwk, operation="sign")
    return SigningKey(_kid(jwk), algorithm, _native(jwk, algorithm, private=True))


def verifying_key(jwk: Mapping[str, Any]) -> VerifyingKey:
    """The public key in a JWK, or an HS256 one. Raises ValueError as `from_jwk`, and when it holds a private key."""
    algorithm = _algorithm(jwk, operation="verify")
    return VerifyingKey(_kid(jwk), algorithm, _native(jwk, algorithm, private=False))


def verifying_keys(jwks: Sequence[Mapping[str, Any]]) -> dict[str, VerifyingKey]:
    """The keys of a JWK set by kid. Keys for other uses and of unknown algorithms are passed over (RFC 7517 §5).

    Raises ValueError for a bad key, for a kid that stands twice, and for shared keys beside public ones: whoever may
    read the set could sign with them.
    """
    keys = [verifying_key(jwk) for jwk in jwks if jwk.get("use", "sig") == "sig" and _is_known(jwk)]
    found = {key.kid: key for key in keys}
    if len(found) != len(keys):
        raise ValueError("two keys of the set have the same kid")
    if len({key.algorithm == "HS256" for key in keys}) > 1:
        raise ValueError("the set mixes shared and public keys")
    return found


def _is_known(jwk: Mapping[str, Any]) -> bool:
    return jwk.get("kty") in _PUBLIC_MEMBERS and jwk.get("alg", ALGORITHMS[0]) in ALGORITHMS


def _algorithm(jwk: Mapping[str, Any], *, operation: str) -> Algorithm:
    """The one algorithm that a JWK is for: named, or the only one that its curve has (RFC 8725 §3.1)."""
    if jwk.get("use", "sig") != "sig" or operation not in jwk.get("key_ops", [operation]):
        raise ValueError(f"the key is not meant to {operation}")
    for algorithm in ALGORITHMS:
        fits = jwk.get("kty") == _KEY_TYPES[algorithm].key_type and jwk.get("crv") == _CURVES.get(algorithm)
        if fits and jwk.get("alg", algorithm if algorithm in _CURVES else None) == algorithm:
            return algorithm
    raise ValueError(f"kty, crv and alg of the key must agree on one of {', '.join(ALGORITHMS)}")


def _kid(jwk: Mapping[str, Any]) -> str:
    kid = jwk.get("kid")
    if not isinstance(kid, str):
        raise ValueError("the key has no kid")
    return kid


def _native(jwk: Mapping[str, Any], algorithm: Algorithm, *, private: bool) -> Any:
    kind = _KEY_TYPES[algorithm]
    public_members, private_members = _PUBLIC_MEMBERS[kind.key_type], _PRIVATE_MEMBERS[kind.key_type]
    if not private and any(member in jwk for member in private_members):
        raise ValueError("a private key stands where a public one belongs")
    members = public_members + private_members * private
    raw = {member: tokens.decode(jwk[member]) for member in members if isinstance(jwk.get(member), str)}
    if not all(raw.get(member) for member in members) or not _has_a_size_for(algorithm, raw):
        raise ValueError("a member of the key is missing or malformed, or the key is too short or too long")
    plain = {member: jwk[member] for member in ("kty", "crv", *members) if member in jwk}
    try:
        native = kind.import_key(plain).raw_value
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"the key is not valid: {type(error).__name__}") from error
    if isinstance(native, Ed25519PrivateKey) and native.public_key().public_bytes_raw() != raw["x"]:
        raise ValueError("the two halves of the key do not belong together")  # cryptography checks the other kinds
    return native


def _has_a_size_for(algorithm: Algorithm, raw: Mapping[str, bytes | None]) -> bool:
    """Before the library looks at it, which would only warn."""
    if algorithm in _CURVES:
        return all(len(member or b"") == _COORDINATE for member in raw.values())
    if algorithm == "HS256":
        return len(raw["k"] or b"") >= _SHORTEST_SHARED
    return int.from_bytes(raw["n"] or b"").bit_length() in _RSA_BITS


def _check_kid(kid: str) -> None:
    if not 1 <= len(kid) <= _LONGEST_KID or not kid.isascii() or not kid.isprintable():
        raise ValueError(f"a kid has 1 to {_LONGEST_KID} printable ASCII characters")


def _check_key(algorithm: Algorithm, key: PublicKey) -> None:
    """RFC 8725 §3.4, 3.5: key and algorithm fit, and the key is strong. `cryptography` has checked the curve point."""
    if isinstance(key, EllipticCurvePublicKey):
        fits = algorithm == "ES256" and key.curve.name == "secp256r1"
    elif isinstance(key, RSAPublicKey):
        fits = algorithm in ("RS256", "PS256")
        _check_rsa(key)
    elif isinstance(key, Ed25519PublicKey):
        fits = algorithm == "Ed25519"
    else:
        fits = algorithm == "HS256"
        _check_shared(key)
    if not fits:
        raise ValueError(f"this key is not one for {algorithm}")


def _check_rsa(key: RSAPublicKey) -> None:
    numbers = key.public_numbers()
    if key.key_size not in _RSA_BITS or numbers.e not in _RSA_EXPONENTS:
        raise ValueError("an RSA key has 2048 to 8192 bits and an odd exponent from 65537 to 2^32")
    if _has_roca_fingerprint(numbers.n):
        raise ValueError("this RSA key was made by a faulty chip and can be factored (CVE-2017-15361)")


def _check_shared(key: bytes) -> None:
    if len(key) < _SHORTEST_SHARED:
        raise ValueError(f"an HS256 key has at least {_SHORTEST_SHARED} bytes")
    is_jwk = key.startswith(b"{") and b'"kty"' in key  # one in 256 random keys begins with a brace, too
    if is_jwk or b"-----BEGIN" in key or key.startswith((b"ssh-", b"ecdsa-")):
        raise ValueError("a public key must not become a shared one (CVE-2022-29217)")


_ROCA_PRIMES = (
    *(3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103),
    *(107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167),
)
_ROCA_POWERS = tuple((prime, frozenset(pow(65537, k, prime) for k in range(prime))) for prime in _ROCA_PRIMES)


def _has_roca_fingerprint(modulus: int) -> bool:
    """Whether the modulus is a power of 65537 for every small prime; a sound one is with a chance of 2^-27."""
    return all(modulus % prime in powers for prime, powers in _ROCA_POWERS)
