"""Forms of whole systems: Django, Werkzeug, Firebase, Keycloak, ASP.NET Core Identity."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from re import Match
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from doorward.primitives.foreign_hashes import kdfs
from doorward.primitives.foreign_hashes.modular import B64, BCRYPT
from doorward.primitives.foreign_hashes.parts import SMALL, Check, ForeignRules, demand, form, unbase64

HEX = r"[0-9a-f]"


def django_pbkdf2(found: Match[str], rules: ForeignRules) -> Check:
    algorithm, rounds, salt, digest = found.groups()
    return kdfs.pbkdf2(
        f"django_pbkdf2_{algorithm}",
        algorithm=algorithm,
        rounds=int(rounds),
        salt=salt.encode(),
        digest=unbase64(digest),
        rules=rules,
    )


def django_scrypt(found: Match[str], rules: ForeignRules) -> Check:
    n, salt, r, p, digest = found.groups()
    return kdfs.scrypt(
        "django_scrypt", n=int(n), r=int(r), p=int(p), salt=salt.encode(), digest=unbase64(digest), rules=rules
    )


def django_bcrypt_sha256(found: Match[str], rules: ForeignRules) -> Check:
    cost, salt, digest = found.groups()
    return kdfs.bcrypt(
        "django_bcrypt_sha256",
        cost=int(cost),
        salt=salt,
        digest=digest,
        rules=rules,
        before=lambda password: hashlib.sha256(password).hexdigest().encode(),
    )


def salted_digest(found: Match[str], rules: ForeignRules) -> Check:
    """`md5$salt$hex`: digest(salt ‖ password) by Django, HMAC keyed with the salt by Werkzeug before 2.3."""
    name, salt, digest = found[1], found[2].encode(), bytes.fromhex(found[3])
    demand(len(digest) == hashlib.new(name, usedforsecurity=False).digest_size)
    django = lambda password: hashlib.new(name, salt + password, usedforsecurity=False).digest()  # noqa: E731
    return Check(f"salted_{name}", (), SMALL, digest, (django, partial(kdfs.keyed, salt, name)))


def werkzeug_scrypt(found: Match[str], rules: ForeignRules) -> Check:
    n, r, p, salt, digest = found.groups()
    return kdfs.scrypt(
        "werkzeug_scrypt",
        n=int(n),
        r=int(r),
        p=int(p),
        salt=salt.encode(),
        digest=bytes.fromhex(digest),
        rules=rules,
    )


def werkzeug_pbkdf2(found: Match[str], rules: ForeignRules) -> Check:
    algorithm, rounds, salt, digest = found.groups()
    return kdfs.pbkdf2(
        f"werkzeug_pbkdf2_{algorithm}",
        algorithm=algorithm,
        rounds=int(rounds or 1000),  # Werkzeug's own default when the method named none
        salt=salt.encode(),
        digest=bytes.fromhex(digest),
        rules=rules,
    )


def firebase(found: Match[str], rules: ForeignRules) -> Check:
    """`$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==[,sk=…]$salt$hash`: the form in which Supabase imports Firebase's export.

    The stored value is the project's signer key under AES-256-CTR, with a key by scrypt from the password.
    """
    log2_n, r, p, separator, written_key, salt, digest = found.groups()
    signer_key = unbase64(written_key) if written_key else rules.firebase_signer_key
    demand(bool(signer_key))
    return kdfs.scrypt(
        "firebase_scrypt",
        n=1 << int(log2_n),
        r=int(r),
        p=int(p),
        salt=unbase64(salt) + unbase64(separator),
        digest=unbase64(digest),
        rules=rules,
        length=32,
        after=partial(_under_ctr, signer_key),
    )


def _under_ctr(signer_key: bytes, key: bytes) -> bytes:
    # A zero counter is Firebase's own; each key is used for one message only.
    encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(signer_key) + encryptor.finalize()


KEYCLOAK_PBKDF2 = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}


def keycloak(found: Match[str], rules: ForeignRules) -> Check:
    """`{"credentialData": …, "secretData": …}` as in a realm's export, the two as objects or as JSON in strings."""
    try:
        row = json.loads(found[0])
        data, secret = _object(row["credentialData"]), _object(row["secretData"])
        name, rounds = data["algorithm"], _whole(data["hashIterations"])
        salt, digest = unbase64(secret["salt"]), unbase64(secret["value"])
        if name == "argon2":
            return _keycloak_argon2(data["additionalParameters"], rounds, salt, digest, rules)
        algorithm = KEYCLOAK_PBKDF2[name]
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as wrong:
        raise ValueError("not Keycloak's form") from wrong
    return kdfs.pbkdf2(
        f"keycloak_pbkdf2_{algorithm}", algorithm=algorithm, rounds=rounds, salt=salt, digest=digest, rules=rules
    )


def _keycloak_argon2(extra: Any, passes: int, salt: bytes, digest: bytes, rules: ForeignRules) -> Check:
    demand(extra["version"][0] == "1.3" and extra["type"][0] in kdfs.ARGON2_TYPES)
    return kdfs.argon2(
        extra["type"][0],
        memory_kib=_whole(extra["memory"][0]),
        passes=passes,
        lanes=_whole(extra["parallelism"][0]),
        salt=salt,
        digest=digest,
        rules=rules,
    )


def _object(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _whole(value: Any) -> int:
    """A whole number, or its digits."""
    demand(not isinstance(value, float | bool) and len(str(value)) <= 8)
    return int(value)


ASPNET_PRF = ("sha1", "sha256", "sha512")


def aspnet(found: Match[str], rules: ForeignRules) -> Check:
    """ASP.NET Core Identity: version 3 (0x01 ‖ prf ‖ rounds ‖ salt length ‖ salt ‖ key) and version 2 (0x00 ‖ …)."""
    raw = unbase64(found[0])
    if raw[0] == 0:
        demand(len(raw) == 49)
        return kdfs.pbkdf2(
            "aspnet_v2", algorithm="sha1", rounds=1000, salt=raw[1:17], digest=raw[17:], rules=rules, costs=()
        )
    prf, rounds, size = (int.from_bytes(raw[at : at + 4], "big") for at in (1, 5, 9))
    demand(raw[0] == 1 and prf < len(ASPNET_PRF) and 8 <= size <= 64 and len(raw) >= 13 + size)
    return kdfs.pbkdf2(
        "aspnet_v3",
        algorithm=ASPNET_PRF[prf],
        rounds=rounds,
        salt=raw[13 : 13 + size],
        digest=raw[13 + size :],
        rules=rules,
        costs=(prf, rounds),
    )


FORMS = (
    form(rf"pbkdf2_(sha1|sha256)\$([0-9]{{1,8}})\$([^$]{{1,128}})\$({B64}+)", django_pbkdf2),
    form(
        rf"scrypt\$([0-9]{{1,8}})\$([^$]{{1,128}})\$([0-9]{{1,3}})\$([0-9]{{1,3}})\$({B64}+)",
        django_scrypt,
    ),
    form(rf"bcrypt_sha256\${BCRYPT}", django_bcrypt_sha256),
    form(rf"(md5|sha1|sha256|sha512)\$([^$]{{0,128}})\$({HEX}{{32,128}})", salted_digest),
    form(
        rf"scrypt:([0-9]{{1,8}}):([0-9]{{1,3}}):([0-9]{{1,3}})\$([^$]{{1,128}})\$((?:{HEX}{HEX})+)",
        werkzeug_scrypt,
    ),
    form(
        rf"pbkdf2:(sha1|sha256|sha512)(?::([0-9]{{1,8}}))?\$([^$]{{1,128}})\$((?:{HEX}{HEX})+)",
        werkzeug_pbkdf2,
    ),
    form(
        rf"\$fbscrypt\$v=1,n=([0-9]{{1,2}}),r=([0-9]{{1,3}}),p=([0-9]{{1,3}})(?:,ss=({B64}*))"
        rf"(?:,sk=({B64}+))?\$({B64}+)\$({B64}+)",
        firebase,
    ),
    form(r'\{\s*".*\}', keycloak),
    form(r"A[A-Za-z0-9+/]{60,200}={0,2}", aspnet),
)
