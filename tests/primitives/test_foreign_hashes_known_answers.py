"""Published answers for what lies under foreign hashes: argon2, bcrypt, scrypt, PBKDF2, MD4, phpass, DES crypt."""

import json
from pathlib import Path

from argon2 import low_level
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from doorward.primitives.foreign_hashes import ForeignRules, crypts, des, kdfs, verify

VECTORS = Path(__file__).parent / "vectors"


def test_argon2_known_answers() -> None:
    answers = json.loads((VECTORS / "argon2_kat.json").read_text())
    roomy = ForeignRules(most_memory=1 << 28, most_argon2_fill=1 << 22)
    for row in answers["encoded_tests"]:
        if row["version"] == 19:
            assert verify(password=row["password"], hash=row["encoded"], rules=roomy)
            continue
        # Argon2 1.0 of 2015 is refused; what lies below knows it still.
        assert not verify(password=row["password"], hash=row["encoded"], rules=roomy)
        raw = low_level.hash_secret_raw(
            row["password"].encode(),
            salt=row["salt"].encode(),
            time_cost=row["t"],
            memory_cost=1 << row["m_log2_kib"],
            parallelism=row["p"],
            hash_len=32,
            type=kdfs.ARGON2_TYPES[row["type"]],
            version=16,
        )
        assert raw.hex() == row["hash_hex"]
    assert not any(verify(password="password", hash=text) for text in answers["malformed_must_not_verify"])


def test_bcrypt_known_answers() -> None:
    answers = json.loads((VECTORS / "bcrypt_kat.json").read_text())
    for row in answers["vectors"]:
        cost, salt, digest = int(row["hash"][4:6]), row["hash"][7:29], row["hash"][29:]
        assert kdfs.bcrypt_raw(bytes.fromhex(row["password_hex"]), cost=cost, salt=salt) == digest.encode()
    for row in answers["vectors_2y"]:
        salt, digest = row["hash_2y"][7:29], row["hash_2y"][29:]
        assert kdfs.bcrypt_raw(bytes.fromhex(row["password_hex"]), cost=5, salt=salt) == digest.encode()


def test_scrypt_and_pbkdf2_known_answers() -> None:
    answers = json.loads((VECTORS / "scrypt_pbkdf2_kat.json").read_text())
    roomy = ForeignRules(most_memory=1 << 31, most_scrypt_blocks=1 << 24)
    for row in answers["scrypt"][:3]:  # the fourth wants a gigabyte
        check = kdfs.scrypt(
            "x",
            n=row["N"],
            r=row["r"],
            p=row["p"],
            salt=row["salt"].encode(),
            digest=bytes.fromhex(row["hex"]),
            rules=roomy,
        )
        assert check.matches(row["password"].encode())
        assert not check.matches(row["password"].encode() + b"x")
    for row in answers["pbkdf2"]:
        digest = bytes.fromhex(row["hex"])
        check = kdfs.pbkdf2(
            "x",
            algorithm=row["hash"],
            rounds=row["iterations"],
            salt=bytes.fromhex(row["salt_hex"]),
            digest=digest,
            rules=ForeignRules(most_pbkdf2_rounds=1 << 25),
        )
        assert check.matches(bytes.fromhex(row["password_hex"]))


def test_md4_known_answers() -> None:
    answers = {  # RFC 1320 §A.5
        "": "31d6cfe0d16ae931b73c59d7e0c089c0",
        "a": "bde52cb31de33e46245e05fbdbd6fb24",
        "abc": "a448017aaf21d8525fc10ae87aa6729d",
        "message digest": "d9130a8164549fe818874806e1c7014b",
        "1234567890" * 8: "e33b4ddc9c38f2199c3e7b164fcc0536",
    }
    assert {text: crypts.md4(text.encode()).hex() for text in answers} == answers


def test_phpass_known_answer() -> None:
    assert verify(password="test12345", hash="$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0")  # phpass's own test.php
    assert not verify(password="test12346", hash="$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0")


def test_des_crypt_is_des_25_times() -> None:
    """Without a salt it is FIPS 46-3 itself, which another library has as triple DES with one key."""
    for password in (b"", b"a", b"correct ", bytes(range(1, 9))):
        key = bytes(byte << 1 & 0xFE for byte in password.ljust(8, b"\0"))
        block = bytes(8)
        for _ in range(25):
            block = Cipher(TripleDES(key * 3), modes.ECB()).encryptor().update(block)
        bits = int.from_bytes(block, "big") << 2
        expected = "".join(crypts.CRYPT64[bits >> at & 63] for at in range(60, -1, -6))
        assert des.des_crypt(password, b"..").decode() == expected
