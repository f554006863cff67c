"""Keys of authenticators: those of the algorithms we know are taken, and weak, costly, malformed ones are not."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa

from doorward.primitives import cose

EC, ED, BIG = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate(), 2**2047 + 3
NUMBERS = EC.public_key().public_numbers()
X, Y = NUMBERS.x.to_bytes(32, "big"), NUMBERS.y.to_bytes(32, "big")
ED_X = ED.public_key().public_bytes_raw()
GOOD_EC = {1: 2, 3: -7, -1: 1, -2: X, -3: Y}
GOOD_ED = {1: 1, 3: -8, -1: 6, -2: ED_X}
GOOD_RSA = {1: 3, 3: -257, -1: (BIG).to_bytes(256, "big"), -2: b"\x01\x00\x01"}


def test_a_signature_is_believed_by_the_algorithm_of_its_key() -> None:
    key = cose.read_key(cbor2.dumps(GOOD_EC))
    signature = EC.sign(b"said", ec.ECDSA(hashes.SHA256()))
    assert key.algorithm == cose.ES256
    assert key.verifies(signature, b"said")
    assert not key.verifies(signature, b"other")
    assert not key.verifies(EC.sign(b"said", ec.ECDSA(hashes.SHA512())), b"said")
    assert not key.verifies(b"", b"said")
    edwards = cose.read_key(cbor2.dumps(GOOD_ED))
    assert edwards.verifies(ED.sign(b"said"), b"said")
    assert not edwards.verifies(signature, b"said")


def test_rsa_and_ml_dsa_are_known() -> None:
    private = rsa.generate_private_key(65537, 2048)
    modulus = private.public_key().public_numbers().n.to_bytes(256, "big")
    key = cose.read_key(cbor2.dumps({**GOOD_RSA, -1: modulus}))
    assert key.verifies(private.sign(b"said", padding.PKCS1v15(), hashes.SHA256()), b"said")
    assert not key.verifies(private.sign(b"said", padding.PKCS1v15(), hashes.SHA1()), b"said")
    assert cose.has_lattices()
    lattice = mldsa.MLDSA65PrivateKey.generate()
    pub = lattice.public_key().public_bytes_raw()
    key = cose.read_key(cbor2.dumps({1: 7, 3: -49, -1: pub}))
    assert key.verifies(lattice.sign(b"said"), b"said")
    assert not key.verifies(lattice.sign(b"said"), b"other")
    for wrong in ({1: 7, 3: -48, -1: pub}, {1: 7, 3: -49, -1: pub[:-1]}, {1: 1, 3: -49, -1: pub}):
        with pytest.raises(ValueError):
            cose.read_key(cbor2.dumps(wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {**GOOD_EC, -3: (NUMBERS.y ^ 1).to_bytes(32, "big")},  # not on the curve
        {**GOOD_EC, -2: bytes(32), -3: bytes(32)},  # the point at infinity, as some write it
        {**GOOD_EC, -2: X[1:]},
        {**GOOD_EC, -2: b"\x00" + X},
        {**GOOD_EC, -2: b""},
        {**GOOD_EC, -2: "x"},
        {**GOOD_EC, -1: 2},  # another curve than its algorithm's
        {**GOOD_EC, -1: 8},  # secp256k1
        {**GOOD_EC, 3: -35},
        {**GOOD_EC, 3: -65535},  # RS1
        {**GOOD_EC, 3: 0},
        {**GOOD_EC, 1: 1},
        {**GOOD_EC, -4: b"\x01" * 32},  # the private part
        {**GOOD_EC, 4: [2]},
        {key: value for key, value in GOOD_EC.items() if key != -3},
        {**GOOD_ED, 1: True},
        {**GOOD_ED, -1: 7},
        {**GOOD_ED, -2: ED_X[1:]},
        {**GOOD_ED, -2: bytes(32)},  # of small order: a signature for it needs no key
        {**GOOD_ED, -2: b"\x01" + bytes(31)},
        {**GOOD_ED, -2: b"\x02" + bytes(31)},  # no point at all
        {**GOOD_ED, -2: b"\xff" * 32},
        {**GOOD_RSA, -1: (2**511 + 3).to_bytes(64, "big")},
        {**GOOD_RSA, -1: (2**2046 + 3).to_bytes(256, "big")},
        {**GOOD_RSA, -1: (2**4096 + 3).to_bytes(513, "big")},
        {**GOOD_RSA, -1: (2**2047 + 2).to_bytes(256, "big")},  # even
        {**GOOD_RSA, -2: b"\x01"},
        {**GOOD_RSA, -2: b"\x03"},
        {**GOOD_RSA, -2: b"\x01\x00\x01" + bytes(16)},
        {},
        [1],
        "key",
    ],
)
def test_weak_costly_and_malformed_keys_are_refused(wrong: Any) -> None:
    for good in (GOOD_EC, GOOD_ED, GOOD_RSA):
        cose.read_key(cbor2.dumps(good))
    with pytest.raises(ValueError):
        cose.read_key(cbor2.dumps(wrong))
