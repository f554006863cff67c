"""Forms of passlib, PHP, Unix and LDAP: `$argon2id$…`, `$2b$…`, `$6$…`, `{SSHA}…`, bare hexadecimal digests."""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from re import Match

from doorward.primitives.foreign_hashes import crypts, des, kdfs
from doorward.primitives.foreign_hashes.parts import (
    SMALL,
    Check,
    Derive,
    ForeignRules,
    demand,
    form,
    unbase64,
)

BCRYPT = r"\$2[aby]\$([0-9]{2})\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})"
B64 = r"[A-Za-z0-9+/._=-]"


def argon2(found: Match[str], rules: ForeignRules) -> Check:
    kind, memory, passes, lanes, salt, digest = found.groups()
    return kdfs.argon2(
        kind,
        memory_kib=int(memory),
        passes=int(passes),
        lanes=int(lanes),
        salt=unbase64(salt),
        digest=unbase64(digest),
        rules=rules,
    )


def bcrypt(found: Match[str], rules: ForeignRules) -> Check:
    cost, salt, digest = found.groups()
    return kdfs.bcrypt("bcrypt", cost=int(cost), salt=salt, digest=digest, rules=rules)


def bcrypt_sha256(found: Match[str], rules: ForeignRules) -> Check:
    # passlib's second form: HMAC keyed with the salt, so that digests stolen elsewhere can't be tried here.
    cost, salt, digest = found.groups()
    return kdfs.bcrypt(
        "bcrypt_sha256", cost=int(cost), salt=salt, digest=digest, rules=rules, before=bcrypt_sha256_key(salt)
    )


def bcrypt_sha256_key(salt: str) -> Derive:
    """What bcrypt gets in place of the password: 44 characters, so that nothing is cut at 72 bytes."""
    return lambda password: base64.b64encode(kdfs.keyed(salt.encode(), "sha256", password))


def bcrypt_sha256_v1(found: Match[str], rules: ForeignRules) -> Check:
    cost, salt, digest = found.groups()
    return kdfs.bcrypt(
        "bcrypt_sha256_v1",
        cost=int(cost),
        salt=salt,
        digest=digest,
        rules=rules,
        before=lambda password: base64.b64encode(hashlib.sha256(password).digest()),
    )


def wordpress(found: Match[str], rules: ForeignRules) -> Check:
    # WordPress 6.8, wp_hash_password(): PHP's trim() takes these six from both ends.
    cost, salt, digest = found.groups()
    return kdfs.bcrypt(
        "wordpress_bcrypt",
        cost=int(cost),
        salt=salt,
        digest=digest,
        rules=rules,
        before=lambda password: base64.b64encode(kdfs.keyed(b"wp-sha384", "sha384", password.strip(b" \t\n\r\0\x0b"))),
    )


def scrypt(found: Match[str], rules: ForeignRules) -> Check:
    log2_n, r, p, salt, digest = found.groups()
    return kdfs.scrypt(
        "scrypt", n=1 << int(log2_n), r=int(r), p=int(p), salt=unbase64(salt), digest=unbase64(digest), rules=rules
    )


def pbkdf2(found: Match[str], rules: ForeignRules) -> Check:
    algorithm, rounds, salt, digest = found.groups()
    algorithm = (algorithm or "sha1").lower()
    return kdfs.pbkdf2(
        f"pbkdf2_{algorithm}",
        algorithm=algorithm,
        rounds=int(rounds),
        salt=unbase64(salt),
        digest=unbase64(digest),
        rules=rules,
    )


def sha_crypt(found: Match[str], rules: ForeignRules) -> Check:
    number, text, salt, digest = found.groups()
    rounds = int(text or 5000)
    demand(1000 <= rounds <= rules.most_crypt_rounds)
    algorithm: crypts.Sha = "sha256" if number == "5" else "sha512"
    demand(len(digest) == (43 if number == "5" else 86))
    derive = partial(crypts.sha_crypt, salt=salt.encode(), rounds=rounds, algorithm=algorithm)
    return _bounded(f"{algorithm}_crypt", (rounds,), digest, derive, rounds, rules)


def phpass(found: Match[str], rules: ForeignRules) -> Check:
    log2_rounds, salt, digest = crypts.CRYPT64.index(found[1]), found[2], found[3]
    rounds = 1 << log2_rounds
    demand(log2_rounds >= 7 and rounds <= rules.most_crypt_rounds)
    derive = partial(crypts.phpass, salt=salt.encode(), log2_rounds=log2_rounds)
    return _bounded("phpass", (log2_rounds,), digest, derive, rounds, rules)


def _bounded(
    scheme: str, costs: tuple[int, ...], digest: str, derive: Derive, rounds: int, rules: ForeignRules
) -> Check:
    """These read the password in each round: its length is part of what they cost."""
    most = rules.most_crypt_bytes // rounds
    return Check(scheme, costs, SMALL, digest.encode(), (lambda p: derive(p) if len(p) <= most else b"",))


def md5_crypt(found: Match[str], rules: ForeignRules) -> Check:
    magic, salt, digest = found.groups()
    derive = partial(crypts.md5_crypt, salt=salt.encode(), magic=magic.encode())
    return Check("apr_md5_crypt" if magic == "$apr1$" else "md5_crypt", (), SMALL, digest.encode(), (derive,))


def des_crypt(found: Match[str], rules: ForeignRules) -> Check:
    salt, digest = found.groups()
    return Check("des_crypt", (), SMALL, digest.encode(), (partial(des.des_crypt, salt=salt.encode()),))


LDAP_DIGESTS = {"MD5": "md5", "SHA": "sha1", "SHA256": "sha256", "SHA512": "sha512"}


def ldap(found: Match[str], rules: ForeignRules) -> Check:
    # RFC 2307 and OpenLDAP's {SSHA}: base64(digest(password ‖ salt) ‖ salt).
    salted, name = found[1].upper() == "S", LDAP_DIGESTS[found[2].upper()]
    raw = unbase64(found[3])
    size = hashlib.new(name, usedforsecurity=False).digest_size
    digest, salt = raw[:size], raw[size:]
    demand(len(digest) == size and bool(salt) == salted and len(salt) <= 64)
    scheme = f"ldap_salted_{name}" if salted else f"ldap_{name}"
    return Check(scheme, (), SMALL, digest, (lambda password: _plain(name, password + salt),))


def hexadecimal(found: Match[str], rules: ForeignRules) -> Check:
    digest = bytes.fromhex(found[0])
    if len(digest) == 16:  # an NT hash looks like an MD5
        return Check("hex_md5", (), SMALL, digest, (partial(_plain, "md5"), _nt))
    name = {20: "sha1", 32: "sha256", 64: "sha512"}[len(digest)]
    return Check(f"hex_{name}", (), SMALL, digest, (partial(_plain, name),))


def _nt(password: bytes) -> bytes:
    return crypts.md4(password.decode().encode("utf-16-le"))


def _plain(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()


FORMS = (
    form(
        rf"\$argon2(d|i|id)\$v=19\$m=([0-9]{{1,8}}),t=([0-9]{{1,5}}),p=([0-9]{{1,3}})\$({B64}+)\$({B64}+)",
        argon2,
    ),
    form(BCRYPT, bcrypt),
    form(
        r"\$bcrypt-sha256\$v=2,t=2b,r=([0-9]{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})",
        bcrypt_sha256,
    ),
    form(
        r"\$bcrypt-sha256\$2[ab],([0-9]{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})",
        bcrypt_sha256_v1,
    ),
    form(rf"\$wp{BCRYPT}", wordpress),
    form(rf"\$scrypt\$ln=([0-9]{{1,2}}),r=([0-9]{{1,3}}),p=([0-9]{{1,3}})\$({B64}*)\$({B64}+)", scrypt),
    form(rf"\$pbkdf2(?:-(sha256|sha512))?\$([0-9]{{1,8}})\$({B64}*)\$({B64}+)", pbkdf2),
    form(rf"(?i:\{{PBKDF2(?:-(SHA256|SHA512))?\}})([0-9]{{1,8}})\$({B64}*)\$({B64}+)", pbkdf2),
    form(r"\$([56])\$(?:rounds=([0-9]{1,9})\$)?([^$]{0,16})\$([./A-Za-z0-9]{43,86})", sha_crypt),
    form(r"(\$1\$|\$apr1\$)([^$]{0,8})\$([./A-Za-z0-9]{22})", md5_crypt),
    form(r"\$[PH]\$([./A-Za-z0-9])([./A-Za-z0-9]{8})([./A-Za-z0-9]{22})", phpass),
    # 64 bits in eleven characters: the last one has two bits to spare. `0` is one that `wrapping` left out.
    form(r"(?:crypt\$[./0-9A-Za-z]{0,2}\$)?([./0-9A-Za-z]{2})([./0-9A-Za-z]{10}[.026AEIMQUYcgkosw])", des_crypt),
    form(rf"(?i:\{{(S?)(MD5|SHA|SHA256|SHA512)\}})({B64}+)", ldap),
    form(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}|[0-9A-F]{32}", hexadecimal),
)
