"""Weak hashes under argon2id: the same passwords open them, nothing of the old digest is left, and bounds hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.primitives import foreign_hashes, hashing, wrapping
from doorward.primitives.foreign_hashes import ForeignRules
from doorward.primitives.hashing import Argon2id, Passwords

SALT = b"0123456789abcdef"
CHEAP = Passwords(preferred=Argon2id(memory_kib=64, time_cost=1))
VECTORS = Path(__file__).parent / "vectors"
ROWS: list[dict[str, Any]] = json.loads((VECTORS / "hash_samples.json").read_text())["rows"]
# By what other systems write, each once for each password.
WEAK = {
    "hex": "5f4dcc3b5aa765d61d8327deb882cf99",
    "nt": "8846F7EAEE8FB117AD06BDD830B7586C",
    "des": "abJnggxhB/yWI",
    "des_ldap": "{crypt}abJnggxhB/yWI",
    "des_django": "crypt$$abJnggxhB/yWI",
    "des_old_django": "crypt$ab$abJnggxhB/yWI",
    "sha1": "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
    "ldap_md5": "{MD5}X03MO1qnZdYdgyfeuILPmQ==",
    "ldap_sha": "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
    "pbkdf2_ldap": "{PBKDF2}1000$c2FsdHNhbHQ$pn1/JUQKEM1Xjs.tQSiTM5Kfs4M",
}


def rows(weak: bool) -> list[dict[str, Any]]:
    found = []
    for row in ROWS:
        check = foreign_hashes.read(row["hash"]) if row["verifies"] else None
        if check is not None and wrapping.is_weak(check) is weak:
            found.append(row)
    return found


def scheme(row: dict[str, Any]) -> str:
    return f"{row['scheme']}-{row['password_id']}"


@pytest.mark.parametrize("row", rows(weak=True), ids=scheme)
def test_what_opened_the_hash_opens_it_wrapped_and_nothing_else_does(row: dict[str, Any]) -> None:
    wrapped = CHEAP.wrap(row["hash"], salt=SALT)
    assert wrapped is not None
    assert CHEAP.verify(password=row["password"], hash=wrapped)
    assert not CHEAP.verify(password=row["password"] + "x", hash=wrapped)
    assert not CHEAP.verify(password="", hash=wrapped) or row["password"] == ""
    assert CHEAP.needs_rehash(wrapped)
    assert row["hash"][-16:] not in wrapped
    assert CHEAP.wrap(wrapped, salt=SALT) is None, "it is wrapped once"


def test_the_weak_samples_are_those_one_would_name() -> None:
    weak = {hashing.scheme_of(row["hash"]).partition(":")[0] for row in rows(weak=True)}
    assert weak >= {"salted_md5", "md5_crypt", "apr_md5_crypt", "phpass", "ldap_salted_sha1", "hex_sha256", "hex_md5"}
    assert weak >= {"werkzeug_pbkdf2_sha1", "pbkdf2_sha256"}
    strong = {hashing.scheme_of(row["hash"]).partition(":")[0] for row in rows(weak=False)}
    assert strong >= {"argon2id", "bcrypt", "scrypt", "sha512_crypt", "aspnet_v3"}


@pytest.mark.parametrize("hash", WEAK.values(), ids=WEAK)
def test_forms_that_the_samples_lack(hash: str) -> None:
    check = foreign_hashes.read(hash)
    assert check is not None
    wrapped = CHEAP.wrap(hash, salt=SALT)
    assert wrapped is not None
    opened = {word for word in ("password", "Password", "secret") if CHEAP.verify(password=word, hash=wrapped)}
    assert opened == {word for word in ("password", "Password", "secret") if CHEAP.verify(password=word, hash=hash)}


@pytest.mark.parametrize(
    "hash",
    [
        f"pbkdf2_sha256$260000${'s' * 22}${'A' * 43}=",
        f"pbkdf2_sha1$260000${'s' * 22}${'A' * 27}=",
        f"sha1${'s' * 22}${'0f' * 20}",
        f"md5${'s' * 22}${'0f' * 16}",
        "0f" * 16,
    ],
)
def test_what_django_wrote_fits_djangos_column(hash: str) -> None:
    wrapped = Passwords().wrap(hash, salt=SALT)
    assert wrapped is not None
    assert len(wrapped) <= 128


def test_its_form_is_pinned() -> None:
    """Rows outlive versions: this must be read for ever."""
    wrapped = CHEAP.wrap("md5$x7Gq$" + "0f" * 16, salt=SALT)
    assert wrapped is not None
    assert wrapped.startswith("wrapped$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$")
    assert wrapped.endswith("$md5$x7Gq$*32")
    assert hashing.scheme_of(wrapped) == "wrapped:64,1,1:salted_md5"
    assert Passwords().cost(wrapped).memory_bytes == 64 * 1024


def test_work_for_nobody_is_that_of_a_wrapped_one() -> None:
    """Rule 14: who is unknown costs what the installation's own hashes cost."""
    for hash in ("md5$x7Gq$" + "0f" * 16, "pbkdf2_sha1$20000$salt$" + "A" * 27 + "="):
        kind = hashing.scheme_of(CHEAP.wrap(hash, salt=SALT) or "")
        assert CHEAP.dummy(kind) == hashing.dummy_hash(kind)
        assert hashing.scheme_of(CHEAP.dummy(kind)) == kind
        assert not CHEAP.verify(password="", hash=CHEAP.dummy(kind))


GOOD = "wrapped$m=64,t=1,p=1$" + "A" * 22 + "$" + "A" * 22 + "$"


@pytest.mark.parametrize(
    "stored",
    [
        "wrapped$",
        GOOD,
        GOOD + "plain text",
        GOOD + "md5$x$*31",
        GOOD + "md5$x$*999",
        GOOD + "!",
        GOOD + GOOD + "md5$x$*32",
        GOOD + "$argon2id$v=19$m=4194304,t=1,p=1$" + "A" * 22 + "$*43",
        GOOD + "pbkdf2_sha1$99999999$salt$*27=",
        GOOD.replace("m=64", "m=4194304") + "md5$x$*32",
        GOOD.replace("t=1", "t=99999") + "md5$x$*32",
        GOOD.replace("m=64", "m=1") + "md5$x$*32",
        GOOD + "md5$x$*32" + " " * 3000,
    ],
)
def test_what_is_malformed_or_too_costly_never_verifies_and_costs_nothing(stored: str) -> None:
    assert wrapping.read(stored, ForeignRules()) is None
    assert not CHEAP.verify(password="", hash=stored)
    assert Passwords().cost(stored).memory_bytes == 0


@pytest.mark.parametrize("hash", ["", "!", "*", "md5$", "plain text", "x" * 3000, "$argon2id$v=19$m=64,t=1,p=1$a$b"])
def test_what_is_no_hash_is_not_wrapped(hash: str) -> None:
    assert CHEAP.wrap(hash, salt=SALT) is None
