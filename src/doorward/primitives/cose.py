"""Public keys of authenticators (COSE, RFC 9052 and 9053): which are taken, and what their signatures are worth.

A key is looked at once more than libraries do: its point is on the curve, its size is one that is safe and can be
verified in little time, and there is nothing in it but the public key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from doorward.primitives import cbor

KTY, ALG, CRV_OR_N_OR_PUB, X_OR_E, Y = 1, 3, -1, -2, -3
OKP, EC2, RSA, AKP = 1, 2, 3, 7

ES256, EDDSA, ES384, ES512, RS256 = -7, -8, -35, -36, -257
ED25519, ED448, ML_DSA_44, ML_DSA_65, ML_DSA_87 = -19, -53, -48, -49, -50

# Less can be factored; more costs whoever verifies it. Windows Hello makes 2,048.
RSA_BITS = range(2048, 4097)
_EXPONENT = 65537

_CURVES: Mapping[int, tuple[int, int, type[ec.EllipticCurve], type[hashes.HashAlgorithm]]] = {
    ES256: (1, 32, ec.SECP256R1, hashes.SHA256),
    ES384: (2, 48, ec.SECP384R1, hashes.SHA384),
    ES512: (3, 66, ec.SECP521R1, hashes.SHA512),
}
_EDWARDS: Mapping[int, tuple[int, int, Callable[[bytes], Any]]] = {
    EDDSA: (6, 32, ed25519.Ed25519PublicKey.from_public_bytes),
    ED25519: (6, 32, ed25519.Ed25519PublicKey.from_public_bytes),
    ED448: (7, 57, ed448.Ed448PublicKey.from_public_bytes),
}
_LATTICES = {ML_DSA_44: (1312, "MLDSA44PublicKey"), ML_DSA_65: (1952, "MLDSA65PublicKey")}
_LATTICES[ML_DSA_87] = (2592, "MLDSA87PublicKey")

# Ed25519 (RFC 8032 §5.1): its prime, its constant, and y of the points whose order divides 8.
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL = frozenset({0, 1, _P - 1, _ROOT, _P - _ROOT})


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of which one signature algorithm is to be believed, and no other."""

    algorithm: int
    key: Any

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature over `data` is this key's. Never raises for a malformed signature."""
        try:
            if self.algorithm in _CURVES:
                self.key.verify(signature, data, ec.ECDSA(_CURVES[self.algorithm][3]()))
            elif self.algorithm == RS256:
                self.key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
            else:
                self.key.verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_key(raw: bytes) -> PublicKey:
    """The key that an authenticator made. Raises ValueError for what is malformed, weak, costly, or not known here."""
    members = cbor.decode(raw)
    if not isinstance(members, dict) or not isinstance(algorithm := members.get(ALG), int):
        raise ValueError("a COSE key is a map with an algorithm")
    if algorithm in _CURVES:
        key: Any = _on_curve(members, algorithm)
    elif algorithm in _EDWARDS:
        key = _edwards(members, algorithm)
    elif algorithm == RS256:
        key = _rsa(members)
    elif algorithm in _LATTICES:
        key = _lattice(members, algorithm)
    else:
        raise ValueError(f"the algorithm {algorithm} is not known here")
    return PublicKey(algorithm, key)


def has_lattices() -> bool:
    """Whether this platform verifies ML-DSA (FIPS 204): it takes a recent `cryptography`."""
    try:
        _loader(ML_DSA_44)(bytes(_LATTICES[ML_DSA_44][0]))
    except (ImportError, AttributeError, UnsupportedAlgorithm):
        return False
    return True


def _on_curve(members: Mapping[int | str, Any], algorithm: int) -> ec.EllipticCurvePublicKey:
    curve, size, kind, _ = _CURVES[algorithm]
    x, y = _bytes(members, {KTY: EC2, ALG: algorithm, CRV_OR_N_OR_PUB: curve}, X_OR_E, Y)
    if len(x) != size or len(y) != size:
        raise ValueError("a coordinate has the length of its curve")
    # Raises ValueError for a point that is not on the curve, and for the one at infinity.
    return ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), kind()).public_key()


def _edwards(members: Mapping[int | str, Any], algorithm: int) -> Any:
    curve, size, load = _EDWARDS[algorithm]
    (x,) = _bytes(members, {KTY: OKP, ALG: algorithm, CRV_OR_N_OR_PUB: curve}, X_OR_E)
    if len(x) != size or (size == 32 and not _is_on_edwards25519(x)):
        raise ValueError("a key is a point of its curve, and has its length")
    return load(x)


def _is_on_edwards25519(point: bytes) -> bool:
    """Whether these bytes are a point (RFC 8032 §5.1.3) and none of the few of small order, for which signatures can
    be made up: OpenSSL asks neither."""
    y = int.from_bytes(point, "little") & ((1 << 255) - 1)
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    square = u * pow(v, -1, _P) % _P
    return y < _P and y not in _SMALL and pow(square, (_P - 1) // 2, _P) == 1


def _rsa(members: Mapping[int | str, Any]) -> rsa.RSAPublicKey:
    n, e = _bytes(members, {KTY: RSA, ALG: RS256}, CRV_OR_N_OR_PUB, X_OR_E)
    modulus, exponent = int.from_bytes(n[:1024], "big"), int.from_bytes(e[:16], "big")
    if modulus.bit_length() not in RSA_BITS or len(n) > 1024 or exponent != _EXPONENT or not modulus % 2:
        raise ValueError("an RSA key has 2,048 to 4,096 bits and the exponent 65537")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _lattice(members: Mapping[int | str, Any], algorithm: int) -> Any:
    (pub,) = _bytes(members, {KTY: AKP, ALG: algorithm}, CRV_OR_N_OR_PUB)
    if len(pub) != _LATTICES[algorithm][0]:
        raise ValueError("a key has the length of its algorithm")
    try:
        return _loader(algorithm)(pub)
    except (ImportError, AttributeError, UnsupportedAlgorithm):
        raise ValueError("this platform does not verify ML-DSA") from None


def _loader(algorithm: int) -> Callable[[bytes], Any]:
    module = import_module("cryptography.hazmat.primitives.asymmetric.mldsa")
    loader: Callable[[bytes], Any] = getattr(module, _LATTICES[algorithm][1]).from_public_bytes
    return loader


def _bytes(members: Mapping[int | str, Any], fixed: Mapping[int, int], *names: int) -> list[bytes]:
    """The named byte texts of a key that has `fixed`, these and nothing else (WebAuthn §6.5.1: no optional ones).

    So no private part is ever taken in.
    """
    values = [members.get(name) for name in names]
    wrong = any(type(members.get(name)) is not int or members[name] != value for name, value in fixed.items())
    if wrong or members.keys() != {*fixed, *names}:
        raise ValueError("a COSE key has the members of its algorithm, and no others")
    if any(not isinstance(value, bytes) or not value for value in values):
        raise ValueError("a COSE key has byte texts")
    return [value for value in values if isinstance(value, bytes)]
