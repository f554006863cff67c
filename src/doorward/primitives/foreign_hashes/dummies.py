"""For each scheme a well-formed hash that no password matches, as costly as a real one: what to try for nobody."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from doorward.primitives.foreign_hashes.crypts import CRYPT64

# Zeros throughout: that a password derives to them is as likely as meeting any digest by chance.
SALT_B64, SALT_BCRYPT, SALT_TEXT = "A" * 22, "." * 22, "." * 16
DIGEST_BCRYPT = "." * 31


def _b64(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


def _bare(size: int) -> str:
    return _b64(size).rstrip("=")


@dataclass(frozen=True, slots=True)
class Dummy:
    """`write` puts costs into the scheme's form; `costs` are those that its systems use by default."""

    costs: tuple[int, ...]
    write: Callable[..., str]


def _argon2(kind: str) -> Dummy:
    return Dummy((19456, 2, 1), lambda m, t, p: f"$argon2{kind}$v=19$m={m},t={t},p={p}${SALT_B64}${_bare(32)}")


def _modular_pbkdf2(name: str, rounds: int, size: int) -> Dummy:
    return Dummy((rounds,), lambda n: f"$pbkdf2{name}${n}${SALT_B64}${_bare(size)}")


def _keycloak(name: str, rounds: int) -> Dummy:
    secret = {"value": _b64(64), "salt": _b64(16)}
    return Dummy(
        (rounds,),
        lambda n: json.dumps({"credentialData": {"algorithm": name, "hashIterations": n}, "secretData": secret}),
    )


def _ldap(name: str, size: int) -> Dummy:
    return Dummy((), lambda: f"{{{name}}}{_b64(size)}")


def _salted(name: str, size: int) -> Dummy:
    return Dummy((), lambda: f"{name}${SALT_TEXT}${'0' * 2 * size}")


def _hex(size: int) -> Dummy:
    return Dummy((), lambda: "0" * 2 * size)


def _aspnet_v3(prf: int, rounds: int) -> str:
    head = b"\x01" + b"".join(number.to_bytes(4, "big") for number in (prf, rounds, 16))
    return base64.b64encode(head + bytes(16 + 32)).decode()


DUMMIES: Mapping[str, Dummy] = {
    "argon2d": _argon2("d"),
    "argon2i": _argon2("i"),
    "argon2id": _argon2("id"),
    "bcrypt": Dummy((12,), lambda c: f"$2b${c:02}${SALT_BCRYPT}{DIGEST_BCRYPT}"),
    "bcrypt_sha256": Dummy((12,), lambda c: f"$bcrypt-sha256$v=2,t=2b,r={c}${SALT_BCRYPT}${DIGEST_BCRYPT}"),
    "bcrypt_sha256_v1": Dummy((12,), lambda c: f"$bcrypt-sha256$2b,{c}${SALT_BCRYPT}${DIGEST_BCRYPT}"),
    "wordpress_bcrypt": Dummy((10,), lambda c: f"$wp$2y${c:02}${SALT_BCRYPT}{DIGEST_BCRYPT}"),
    "scrypt": Dummy(
        (65536, 8, 1), lambda n, r, p: f"$scrypt$ln={n.bit_length() - 1},r={r},p={p}${SALT_B64}${_bare(32)}"
    ),
    "pbkdf2_sha1": _modular_pbkdf2("", 131000, 20),
    "pbkdf2_sha256": _modular_pbkdf2("-sha256", 29000, 32),
    "pbkdf2_sha512": _modular_pbkdf2("-sha512", 25000, 64),
    "sha256_crypt": Dummy((535000,), lambda n: f"$5$rounds={n}${SALT_TEXT}${'.' * 43}"),
    "sha512_crypt": Dummy((656000,), lambda n: f"$6$rounds={n}${SALT_TEXT}${'.' * 86}"),
    "md5_crypt": Dummy((), lambda: f"$1$........${'.' * 22}"),
    "des_crypt": Dummy((), lambda: "." * 13),
    "apr_md5_crypt": Dummy((), lambda: f"$apr1$........${'.' * 22}"),
    "phpass": Dummy((13,), lambda n: f"$P${CRYPT64[min(n, 63)]}........{'.' * 22}"),
    "ldap_md5": _ldap("MD5", 16),
    "ldap_sha1": _ldap("SHA", 20),
    "ldap_sha256": _ldap("SHA256", 32),
    "ldap_sha512": _ldap("SHA512", 64),
    "ldap_salted_md5": _ldap("SMD5", 24),
    "ldap_salted_sha1": _ldap("SSHA", 28),
    "ldap_salted_sha256": _ldap("SSHA256", 40),
    "ldap_salted_sha512": _ldap("SSHA512", 72),
    "hex_md5": _hex(16),
    "hex_sha1": _hex(20),
    "hex_sha256": _hex(32),
    "hex_sha512": _hex(64),
    "salted_md5": _salted("md5", 16),
    "salted_sha1": _salted("sha1", 20),
    "salted_sha256": _salted("sha256", 32),
    "salted_sha512": _salted("sha512", 64),
    "django_pbkdf2_sha1": Dummy((1_000_000,), lambda n: f"pbkdf2_sha1${n}${SALT_TEXT}${_b64(20)}"),
    "django_pbkdf2_sha256": Dummy((1_000_000,), lambda n: f"pbkdf2_sha256${n}${SALT_TEXT}${_b64(32)}"),
    "django_scrypt": Dummy((16384, 8, 5), lambda n, r, p: f"scrypt${n}${SALT_TEXT}${r}${p}${_b64(64)}"),
    "django_bcrypt_sha256": Dummy((12,), lambda c: f"bcrypt_sha256$$2b${c:02}${SALT_BCRYPT}{DIGEST_BCRYPT}"),
    "werkzeug_scrypt": Dummy((32768, 8, 1), lambda n, r, p: f"scrypt:{n}:{r}:{p}${SALT_TEXT}${'0' * 128}"),
    "werkzeug_pbkdf2_sha1": Dummy((1_000_000,), lambda n: f"pbkdf2:sha1:{n}${SALT_TEXT}${'0' * 40}"),
    "werkzeug_pbkdf2_sha256": Dummy((1_000_000,), lambda n: f"pbkdf2:sha256:{n}${SALT_TEXT}${'0' * 64}"),
    "werkzeug_pbkdf2_sha512": Dummy((1_000_000,), lambda n: f"pbkdf2:sha512:{n}${SALT_TEXT}${'0' * 128}"),
    "firebase_scrypt": Dummy(
        (16384, 8, 1),
        lambda n, r, p: f"$fbscrypt$v=1,n={n.bit_length() - 1},r={r},p={p},ss=Bw==,sk={_b64(64)}${_b64(12)}${_b64(64)}",
    ),
    "keycloak_pbkdf2_sha1": _keycloak("pbkdf2", 20000),
    "keycloak_pbkdf2_sha256": _keycloak("pbkdf2-sha256", 27500),
    "keycloak_pbkdf2_sha512": _keycloak("pbkdf2-sha512", 210000),
    "aspnet_v2": Dummy((), lambda: _b64(49)),
    "aspnet_v3": Dummy((2, 100000), _aspnet_v3),
}


def dummy_hash(kind: str) -> str:
    """A hash of that kind that nothing matches. `kind` is a scheme (`argon2id`) or one with costs
    (`argon2id:19456,2,1`), as `scheme_of` gives it. KeyError for an unknown scheme, ValueError for wrong costs."""
    scheme, _, written = kind.partition(":")
    dummy = DUMMIES[scheme]
    costs = tuple(map(int, written.split(","))) if written else dummy.costs
    if len(costs) != len(dummy.costs) or not all(0 <= cost < 1 << 31 for cost in costs):
        raise ValueError(f"{scheme} has {len(dummy.costs)} costs, of 31 bits each")
    return dummy.write(*costs)
