"""Sealed text: it opens in its own place only, with a key of the ring, unaltered."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives.keyring import Keyring
from doorward.primitives.sealing import needs_reseal, seal, unseal

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RING = Keyring([("b", NEW), ("a", OLD)])
NONCE = bytes(range(12))
VECTORS = Path(__file__).parent / "vectors"
SEED = b"12345678901234567890"


def sealed_seed(ring: Keyring = RING) -> str:
    return seal(ring, SEED, purpose="totp", context="user 1", nonce=NONCE)


@given(st.binary(max_size=300), st.binary(min_size=12, max_size=12), st.text(), st.text(max_size=20))
def test_what_is_sealed_is_unsealed(plaintext: bytes, nonce: bytes, context: str, purpose: str) -> None:
    sealed = seal(RING, plaintext, purpose=purpose, context=context, nonce=nonce)
    assert unseal(RING, sealed, purpose=purpose, context=context) == plaintext
    assert sealed.isascii()


def test_it_opens_for_its_own_purpose_and_context_only() -> None:
    assert unseal(RING, sealed_seed(), purpose="totp", context="user 1") == SEED
    for purpose, context in [
        ("totp", "user 2"),
        ("sms", "user 1"),
        ("totpuser 1", ""),
        ("", "totpuser 1"),
        ("totp", ""),
    ]:
        assert unseal(RING, sealed_seed(), purpose=purpose, context=context) is None


def test_every_key_of_the_ring_opens_and_no_other() -> None:
    by_old = sealed_seed(Keyring([("a", OLD)]))
    assert unseal(RING, by_old, purpose="totp", context="user 1") == SEED
    assert unseal(Keyring([("b", NEW)]), by_old, purpose="totp", context="user 1") is None
    assert unseal(Keyring([("a", NEW)]), by_old, purpose="totp", context="user 1") is None
    assert unseal(Keyring([("b", OLD)]), by_old.replace("a", "b", 1), purpose="totp", context="user 1") is None


def test_what_an_old_key_sealed_needs_sealing_again() -> None:
    assert needs_reseal(RING, sealed_seed(Keyring([("a", OLD)])))
    assert needs_reseal(RING, "")
    assert not needs_reseal(RING, sealed_seed())


def test_no_character_can_be_changed() -> None:
    sealed = sealed_seed()
    for at, char in enumerate(sealed):
        for other in {"A", "B", "1", "a", "_", ".", "=", "é", "\0"} - {char}:
            assert unseal(RING, sealed[:at] + other + sealed[at + 1 :], purpose="totp", context="user 1") is None
        assert unseal(RING, sealed[:at] + sealed[at + 1 :], purpose="totp", context="user 1") is None


@pytest.mark.parametrize(
    "sealed", ["", ".", "..", "1.b.", "1.b.AAAA", "1.b." + "A" * 36, "1.b.AAAA.AAAA", "\ud800.b.AAAA"]
)
def test_anything_else_is_refused(sealed: str) -> None:
    assert unseal(RING, sealed, purpose="totp", context="user 1") is None


@pytest.mark.parametrize("length", [0, 8, 11, 13, 16])
def test_a_nonce_has_twelve_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        seal(RING, SEED, purpose="totp", context="user 1", nonce=bytes(length))


def test_oversize_is_refused() -> None:
    with pytest.raises(ValueError, match="1048576"):
        seal(RING, bytes(2**20), purpose="p", context="c", nonce=NONCE)
    assert unseal(RING, "1.b." + "A" * 2**20, purpose="p", context="c") is None


def test_the_cipher_below_is_as_published() -> None:
    groups = json.loads((VECTORS / "aes_gcm_test.json").read_text())["testGroups"]
    cases = [c for g in groups if (g["keySize"], g["ivSize"], g["tagSize"]) == (256, 96, 128) for c in g["tests"]]
    assert len(cases) > 30
    for case in cases:
        key, iv, aad, box = (
            bytes.fromhex(part) for part in (case["key"], case["iv"], case["aad"], case["ct"] + case["tag"])
        )
        try:
            opened = AESGCM(key).decrypt(iv, box, aad).hex()
        except InvalidTag:
            opened = None
        assert (opened == case["msg"]) == (case["result"] == "valid")
