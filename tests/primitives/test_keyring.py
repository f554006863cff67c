"""The keyring: one master, many keys, rotation, and secrets that are refused with a cure."""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives import keyring as module
from doorward.primitives.keyring import Keyring, key_id, parse_secret, weakness

VECTORS = Path(__file__).parent / "vectors"
OLD, NEW = bytes(range(32)), bytes(range(32, 72))
GOOD = "mQ3rZkW0vTn8YbPcXfLsJdHgRaEuCiOt5271Kx4-_qY"


def test_keys_differ_by_purpose_master_and_length() -> None:
    ring = Keyring([("b", NEW), ("a", OLD)])
    keys = {
        ring.key("x"),
        ring.key("y"),
        ring.key("x", key_id="a"),
        ring.key("y", key_id="a"),
        ring.key("x", length=16),
    }
    assert sorted(map(len, keys)) == [16, 32, 32, 32, 32]
    assert ring.key("x") == ring.key("x") == Keyring([("other", NEW)]).key("x")


def test_the_derivation_is_hkdf_with_our_label() -> None:
    """A stored value must open after every upgrade: the bytes are pinned. RFC 5869 by hand: extract, then expand."""
    extracted = hmac.digest(bytes(32), OLD, "sha256")
    assert Keyring([("a", OLD)]).key("session") == hmac.digest(extracted, b"doorward/1/session\x01", "sha256")


def test_the_newest_master_writes_and_all_can_be_asked() -> None:
    ring = Keyring([("b", NEW), ("a", OLD)])
    assert ring.current_id == "b"
    assert ring.ids == ("b", "a")
    with pytest.raises(KeyError):
        ring.key("x", key_id="c")


def test_a_keyring_prints_its_ids_only() -> None:
    assert repr(Keyring([("b", NEW), ("a", OLD)])) == "Keyring(b, a)"


def test_what_is_kept_in_memory_is_bounded() -> None:
    ring = Keyring([("a", OLD)])
    keys = [ring.key(str(number)) for number in range(600)]
    assert len(set(keys)) == 600
    assert len(ring._derived) == module._MOST_KEPT
    assert ring.key("599") == keys[599]


@pytest.mark.parametrize(
    "masters",
    [
        [],
        [("a", OLD), ("a", NEW)],
        [("", OLD)],
        [("a.b", OLD)],
        [("a\n", OLD)],
        [("ä", OLD)],
        [("a" * 33, OLD)],
        [("a", OLD[:31])],
        [("a", b"")],
    ],
)
def test_a_keyring_that_would_not_be_safe_is_refused(masters: list[tuple[str, bytes]]) -> None:
    with pytest.raises(ValueError):
        Keyring(masters)


def test_a_single_secret_needs_no_id() -> None:
    ((name, secret),) = parse_secret(f"  {GOOD}\n")
    assert (name, secret) == (key_id(GOOD), GOOD.encode())
    assert len(name) == 8


def test_rotation_keeps_the_first_secret_under_its_own_id() -> None:
    other = GOOD[::-1]
    assert parse_secret(f"n2:{other}, {GOOD}") == (("n2", other.encode()), (key_id(GOOD), GOOD.encode()))
    assert Keyring(parse_secret(f"n2:{other},n1:{GOOD}")).ids == ("n2", "n1")


@pytest.mark.parametrize(
    "setting",
    [
        *("", " ", ",", "a:short", "a:", f"{GOOD},", f"{GOOD},{GOOD}", f":{GOOD}", f"a b:{GOOD}"),
        *(f"a:{GOOD},a:{GOOD[::-1]}", f"a:{GOOD},b:changeme-changeme-changeme-changeme"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_without_repeating_it(setting: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_secret(setting)
    assert GOOD not in str(refused.value)
    assert "changeme" not in str(refused.value)


def test_the_refusal_names_the_cure() -> None:
    with pytest.raises(ValueError, match=r"token_urlsafe\(48\)"):
        parse_secret("too short")


WEAK = [
    "",
    "secret_key_here",
    "secret_key_here_secret_key_here_secret_key",
    "a" * 64,
    "ab" * 32,
    "0123456789abcdef" * 4,
    "0123456789abcdef0123456789abcdef012345",
    "12345678901234567890123456789012",
    "3132333435363738393031323334353637383930",  # RFC 6238's seed
    "0b" * 22,  # RFC 5869, case 1
    bytes(range(32)).hex(),
    urlsafe_b64encode(bytes(range(64))).decode(),
    b64encode(b"\0" * 32).decode(),
    "abcdefghijklmnopqrstuvwxyz012345",
    "django-insecure-8x!k2m@v5q#z7w$r9t&y3u(i1o)p-a_s+d=f6g",
    "Change-Me please, Zq8vT3xWnR6yKmB2sLdF9",
    "your-256-bit-secret-that-is-at-least-32",
    "a-string-secret-at-least-256-bits-long",
    "you-will-never-guess-Zq8vT3xWnR6yKmB2",
    "keyboard cat keyboard dog and more animals",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "09D25E094FAA6CA2556C818166B7A9563B93F7099F6F0F4CAA6CF63B88E8D3E7",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG+Onbc6mxCcYg=",  # RFC 7520 §3.5 in the other alphabet
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx3Zq8vT3xWnR6yKmB2sLdF9",
    '{"kty": "oct", "k": "Zq8vT3xWnR6yKmB2sLdF9"}',
    "${DOORWARD_SECRET_FROM_THE_ENVIRONMENT}",
    "{{ lookup('vault', 'doorward', 'master') }}",
    "<paste thirty-two random bytes in here>",
    GOOD + "\0",
    GOOD + "\n",
    GOOD + "\u202e",
    GOOD + "\ud800",
    GOOD * 100,
]


@pytest.mark.parametrize("secret", WEAK)
def test_weak_secrets_are_refused(secret: str) -> None:
    why = weakness(secret)
    assert why
    assert not secret or secret not in why


def test_public_keys_are_no_secrets() -> None:
    for key in (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        line = pem.replace("\n", "")
        assert all(map(weakness, (pem, line, der.hex(), b64encode(der).decode(), urlsafe_b64encode(der).decode())))


def test_every_symmetric_key_of_the_published_vectors_is_refused() -> None:
    keys = {k for name in VECTORS.glob("json_web_*.json") for k in _symmetric_keys(json.loads(name.read_text()))}
    assert len(keys) > 5
    assert all(map(weakness, keys))


def _symmetric_keys(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["k"]} if isinstance(node.get("k"), str) else set()
        return own.union(*map(_symmetric_keys, node.values()))
    return set[str]().union(*map(_symmetric_keys, node)) if isinstance(node, list) else set()


@given(st.integers(0, 2**64))
def test_random_secrets_are_accepted_in_every_usual_spelling(seed: int) -> None:
    raw = Random(seed).randbytes(48)
    django = "".join(Random(seed).choices("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)", k=50))
    for secret in (raw.hex(), raw[:16].hex(), b64encode(raw).decode(), urlsafe_b64encode(raw[:32]).decode(), django):
        assert weakness(secret) is None
    assert weakness(GOOD) is None


def _wycheproof(name: str) -> list[dict[str, object]]:
    groups = json.loads((VECTORS / f"{name}_test.json").read_text())["testGroups"]
    return [test for group in groups for test in group["tests"] if group.get("keySize", 256) == 256]


def test_the_library_below_derives_as_published() -> None:
    """A sanity check of the one call we make, HKDF-SHA256 without salt, with Wycheproof's vectors."""

    cases = [case for case in _wycheproof("hkdf_sha256") if case["result"] == "valid" and case["salt"] == ""]
    assert cases
    for case in cases:
        hkdf = HKDF(SHA256(), length=int(str(case["size"])), salt=None, info=bytes.fromhex(str(case["info"])))
        assert hkdf.derive(bytes.fromhex(str(case["ikm"]))).hex() == case["okm"]
