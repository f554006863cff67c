"""Our own password hashes: argon2id by default, whole passwords, one normal form, and the same work for nobody."""

import json
import time
import unicodedata
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st
from passlib import hash as passlib

from doorward.primitives.foreign_hashes import MissingPackage, kdfs
from doorward.primitives.hashing import (
    OWASP,
    RFC_9106_LOW_MEMORY,
    UNKNOWN,
    Argon2id,
    Bcrypt,
    Cost,
    ForeignRules,
    Passwords,
    dummy_hash,
    scheme_of,
)

VECTORS = Path(__file__).parent / "vectors"
CHEAP = Argon2id(memory_kib=8, time_cost=1)
QUICK = Passwords(CHEAP)
BCRYPT = Passwords(Bcrypt(cost=4))
SALT, OTHER_SALT = bytes(range(16)), bytes(range(1, 17))
NFC, NFD = "café au lait 2026", unicodedata.normalize("NFD", "café au lait 2026")


def test_the_default_is_owasps() -> None:
    made = Passwords().hash("correct horse", salt=SALT)
    assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert Passwords().verify(password="correct horse", hash=made)
    assert Passwords().cost(made) == Cost(19456 * 1024, "argon2id:19456,2,1")
    assert OWASP == Argon2id()
    assert RFC_9106_LOW_MEMORY == Argon2id(memory_kib=65536, time_cost=3, parallelism=4)


def test_others_can_read_what_we_make() -> None:
    assert PasswordHasher().verify(QUICK.hash(NFC, salt=SALT), NFC)
    assert passlib.bcrypt_sha256.verify(NFC, BCRYPT.hash(NFC, salt=SALT))
    assert passlib.bcrypt_sha256.verify("x" * 200, BCRYPT.hash("x" * 200, salt=b"\xff" * 16))


@pytest.mark.parametrize("passwords", [QUICK, BCRYPT])
@settings(max_examples=25, deadline=None)
@given(password=st.text(max_size=80), other=st.text(max_size=80))
def test_only_the_password_opens(passwords: Passwords, password: str, other: str) -> None:
    made = passwords.hash(password, salt=SALT)
    assert passwords.verify(password=password, hash=made)
    same = unicodedata.normalize("NFC", password) == unicodedata.normalize("NFC", other)
    assert passwords.verify(password=other, hash=made) is same


@pytest.mark.parametrize("passwords", [QUICK, BCRYPT])
def test_nothing_is_cut_off(passwords: Passwords) -> None:
    made = passwords.hash("a" * 1023 + "b", salt=SALT)
    assert passwords.verify(password="a" * 1023 + "b", hash=made)
    assert not passwords.verify(password="a" * 1023 + "c", hash=made)
    assert not passwords.verify(password="a" * 72, hash=made)
    nul = passwords.hash("before\0after", salt=SALT)
    assert not passwords.verify(password="before", hash=nul)


@pytest.mark.parametrize("passwords", [QUICK, BCRYPT])
def test_salts_make_hashes_differ(passwords: Passwords) -> None:
    assert passwords.hash("a", salt=SALT) == passwords.hash("a", salt=SALT)
    assert passwords.hash("a", salt=SALT) != passwords.hash("a", salt=OTHER_SALT)


@pytest.mark.parametrize("made_from", [NFC, NFD])
@pytest.mark.parametrize("typed", [NFC, NFD])
def test_either_normal_form_opens_ours(made_from: str, typed: str) -> None:
    assert QUICK.verify(password=typed, hash=QUICK.hash(made_from, salt=SALT))


def test_a_foreign_hash_of_the_form_as_typed_opens() -> None:
    composed, decomposed = passlib.hex_sha256.hash(NFC), passlib.hex_sha256.hash(NFD)
    assert QUICK.verify(password=NFC, hash=composed)
    assert QUICK.verify(password=NFD, hash=composed)
    assert QUICK.verify(password=NFD, hash=decomposed)
    assert not QUICK.verify(password=NFC, hash=decomposed)  # nobody can know which form it was


def test_the_published_passwords_hash_or_are_refused() -> None:
    for case in json.loads((VECTORS / "passwords.json").read_text())["cases"]:
        value = case["value"]
        if len(value) > 1024 or any("\ud800" <= character <= "\udfff" for character in value):
            with pytest.raises(ValueError):
                QUICK.hash(value, salt=SALT)
        else:
            assert QUICK.verify(password=value, hash=QUICK.hash(value, salt=SALT)), case["id"]


def test_oversize_passwords_cost_nothing() -> None:
    made = Passwords().hash("a", salt=SALT)
    began = time.process_time()
    assert not Passwords().verify(password="a" * 1025, hash=made)
    assert not Passwords().verify(password="e\u0301" * 1_000_000, hash=made)
    with pytest.raises(ValueError, match="1,024 code points"):
        Passwords().hash("a" * 1025, salt=SALT)
    assert time.process_time() - began < 0.01


@pytest.mark.parametrize("salt", [b"", bytes(8), bytes(15), bytes(17)])
def test_a_salt_has_16_bytes(salt: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        QUICK.hash("a", salt=salt)


def test_a_lone_surrogate_is_nobodys_password() -> None:
    with pytest.raises(ValueError):
        QUICK.hash("\ud800", salt=SALT)
    assert not QUICK.verify(password="\ud800", hash=QUICK.hash("a", salt=SALT))


def test_what_is_not_as_today_is_hashed_anew() -> None:
    made = CHEAP.hash("a", salt=SALT)
    assert not QUICK.needs_rehash(made)
    for other in (
        Argon2id(memory_kib=16, time_cost=1),
        Argon2id(memory_kib=8, time_cost=2),
        Argon2id(memory_kib=16, time_cost=1, parallelism=2),
        Argon2id(memory_kib=8, time_cost=1, hash_len=24),
        Argon2id(memory_kib=8, time_cost=1, hash_len=64),
        Bcrypt(cost=4),
    ):
        assert QUICK.needs_rehash(other.hash("a", salt=SALT))
        assert Passwords(other).needs_rehash(made)
        assert not Passwords(other).needs_rehash(other.hash("a", salt=SALT))
    assert BCRYPT.needs_rehash(passlib.bcrypt.using(rounds=4).hash("a"))
    assert BCRYPT.needs_rehash(Bcrypt(cost=5).hash("a", salt=SALT))
    assert all(QUICK.needs_rehash(text) for text in ("", "!", "argon2" + made, made[:-1]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"memory_kib": 7},
        {"memory_kib": 8, "parallelism": 2},
        {"time_cost": 0},
        {"parallelism": 0},
        {"hash_len": 15},
        {"hash_len": 129},
    ],
)
def test_impossible_profiles_name_the_cure(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="set "):
        Argon2id(**wrong)


@pytest.mark.parametrize("cost", [3, 32])
def test_impossible_costs_name_the_cure(cost: int) -> None:
    with pytest.raises(ValueError, match="between 4 and 31"):
        Bcrypt(cost=cost)


def test_a_profile_beyond_the_bounds_would_lock_everybody_out() -> None:
    for profile in (Argon2id(memory_kib=1 << 20), Bcrypt(cost=15)):
        with pytest.raises(ValueError, match="raise them"):
            Passwords(profile)
    assert Passwords(Bcrypt(cost=15), ForeignRules(most_bcrypt_cost=15)).preferred == Bcrypt(cost=15)


@pytest.mark.parametrize("scheme", ["argon2id:64,1,1", "bcrypt:4", "django_pbkdf2_sha256:10", "salted_md5"])
def test_the_work_of_a_scheme_is_that_of_its_hashes(scheme: str) -> None:
    assert QUICK.dummy(scheme) == dummy_hash(scheme)
    assert scheme_of(QUICK.dummy(scheme)) == scheme
    assert not QUICK.verify(password="a", hash=QUICK.dummy(scheme))
    QUICK.work_of(scheme, "a")


@pytest.mark.parametrize("scheme", ["", UNKNOWN, "rot13", "argon2id:x", "argon2id:4194304,2,1", "bcrypt:31", "bcrypt:"])
def test_the_work_of_an_unknown_scheme_is_that_of_ours(scheme: str) -> None:
    assert scheme_of(QUICK.dummy(scheme)) == ("bcrypt:12" if scheme == "bcrypt:" else CHEAP.scheme)


def test_work_for_nobody_takes_as_long_as_a_wrong_password() -> None:
    made = Passwords().hash("right", salt=SALT)

    def seconds(work: object) -> float:
        began = time.process_time()
        assert callable(work)
        work()
        return time.process_time() - began

    wrong = min(seconds(lambda: Passwords().verify(password="wrong", hash=made)) for _ in range(7))
    nobody = min(seconds(lambda: Passwords().work_of("argon2id:19456,2,1", "wrong")) for _ in range(7))
    assert 0.5 < nobody / wrong < 2


def test_secrets_stay_out_of_print() -> None:
    rules = ForeignRules(flask_security_salt="s1", devise_pepper="s2", firebase_signer_key=b"s3")
    assert not any(secret in repr(Passwords(CHEAP, rules)) for secret in ("s1", "s2", "s3"))


def test_bcrypt_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kdfs, "bcrypt_module", None)
    with pytest.raises(MissingPackage, match=r"doorward\[import\]"):
        BCRYPT.hash("a", salt=SALT)
