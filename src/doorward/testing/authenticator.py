"""A software authenticator: makes and uses passkeys as a security key or a phone does, and lies where a test asks.

`SoftAuthenticator().register(options)` is `navigator.credentials.create({publicKey: options})` and then `toJSON()`;
`.authenticate(options)` is `get(…)`. The options are those that `passkeys.register.begin` and `sign_in.passkey.begin`
answer with. Its keys are as real as its signatures; they live in memory.
"""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib import import_module
from typing import Any
from uuid import UUID

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.primitives import cose, tokens
from doorward.testing.doubles import ORIGIN

# An authenticator of nobody's, so that no list of names knows it.
AAGUID = "d00d0000-0000-4000-8000-00000000d00d"
_OID_AAGUID = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")


class NotAllowed(Exception):
    """What a browser says when it has no passkey to use, may not make one, or the person did not want to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twists:
    """What this authenticator, or the browser before it, claims in the place of what is true. None: the truth.

    `change_signature`, `change_data` and `change_client_data` get the bytes and give others; the signature is made
    after the latter two. `credential_id` and `public_key` (COSE) are those that are claimed.
    """

    origin: str | None = None
    rp_id: str | None = None
    type: str | None = None
    challenge: bytes | None = None
    cross_origin: bool | None = None
    top_origin: str | None = None
    user_present: bool | None = None
    user_verified: bool | None = None
    backup_eligible: bool | None = None
    backed_up: bool | None = None
    counter: int | None = None
    user_handle: bytes | None = None
    credential_id: bytes | None = None
    public_key: bytes | None = None
    more_client_data: Mapping[str, Any] = field(default_factory=dict)
    change_client_data: Callable[[bytes], bytes] | None = None
    change_data: Callable[[bytes], bytes] | None = None
    change_signature: Callable[[bytes], bytes] | None = None


@dataclass(slots=True)
class SoftCredential:
    """A passkey in the memory of its authenticator."""

    id: bytes
    rp_id: str
    user_handle: bytes
    user_name: str
    algorithm: int
    key: Any
    discoverable: bool
    counter: int = 0


class Attestor:
    """A maker of authenticators, who vouches for them: a root of its own, and a certificate below it."""

    def __init__(self, aaguid: str = AAGUID, *, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.aaguid, self._now = aaguid, now
        self._root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _name("Test Attestation Root", unit="Test")
        self.root = self._certificate(root, root, self._root_key.public_key(), authority=True)
        leaf = _name("Test Authenticator", unit="Authenticator Attestation")
        self.certificate = self._certificate(leaf, root, self.key.public_key(), authority=False)

    @property
    def chain(self) -> list[bytes]:
        return [self.certificate.public_bytes(Encoding.DER)]

    def _certificate(self, subject: x509.Name, issuer: x509.Name, key: Any, *, authority: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(self._now).not_valid_after(self._now + timedelta(days=36_500))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if not authority:
            claimed = b"\x04\x10" + UUID(self.aaguid).bytes
            builder = builder.add_extension(x509.UnrecognizedExtension(_OID_AAGUID, claimed), critical=False)
        return builder.sign(self._root_key, hashes.SHA256())


def _name(common: str, *, unit: str) -> x509.Name:
    oid = x509.NameOID
    parts = {oid.COUNTRY_NAME: "DE", oid.ORGANIZATION_NAME: "Tests"}
    parts |= {oid.ORGANIZATIONAL_UNIT_NAME: unit, oid.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])


@dataclass(kw_only=True)
class SoftAuthenticator:
    """An authenticator and the browser before it, at `origin`. All of it can be changed at any time.

    `algorithms`: those it can, as COSE numbers, the one it likes best first. `verifies_users`: it has a PIN or reads
    fingerprints. `synced`: its passkeys are kept by a service and copied to other devices, and count nothing.
    `attestation`: `none`, `self`, or `packed` with the certificate of `attestor`. `obedient`: it heeds what options
    ask for, as browsers do. `twists`: lies, in all that it does; `register` and `authenticate` take more of them.
    """

    origin: str = ORIGIN
    algorithms: Sequence[int] = (cose.ES256, cose.EDDSA, cose.RS256, cose.ML_DSA_65, cose.ML_DSA_44, cose.ML_DSA_87)
    verifies_users: bool = True
    synced: bool = False
    attestation: str = "none"
    attestor: Attestor | None = None
    aaguid: str = AAGUID
    transports: Sequence[str] = ("internal", "hybrid")
    obedient: bool = True
    twists: Twists = field(default_factory=Twists)
    credentials: list[SoftCredential] = field(default_factory=list)

    def register(self, options: Mapping[str, Any], **twists: Any) -> dict[str, Any]:
        """Make a passkey; `credential.toJSON()`. Raises `NotAllowed` where a browser would."""
        lies = replace(self.twists, **twists)
        rp_id, selection = options["rp"]["id"], options.get("authenticatorSelection", {})
        self._check_user(selection.get("userVerification"))
        known = {tokens.encode(one.id) for one in self.credentials}
        if self.obedient and any(one["id"] in known for one in options.get("excludeCredentials", ())):
            raise NotAllowed("this authenticator has a passkey of this account")
        made = SoftCredential(
            id=secrets.token_bytes(32),
            rp_id=rp_id,
            user_handle=tokens.decode(options["user"]["id"]) or b"",
            user_name=options["user"]["name"],
            discoverable=selection.get("residentKey") != "discouraged",
            **self._made_key([one["alg"] for one in options["pubKeyCredParams"]]),
        )
        self.credentials.append(made)
        client_data = self._client_data("webauthn.create", options["challenge"], lies)
        key = lies.public_key or _cose(made)
        id = lies.credential_id or made.id
        attested = UUID(self.aaguid).bytes + len(id).to_bytes(2, "big") + id + key
        data = self._data(made, lies, attested)
        statement = self._statement(made, data + sha256(client_data).digest(), lies)
        object = cbor2.dumps({**statement, "authData": data}, canonical=True)
        return {
            **_ids(id),
            "response": {
                "clientDataJSON": tokens.encode(client_data),
                "attestationObject": tokens.encode(object),
                "authenticatorData": tokens.encode(data),
                "transports": list(self.transports),
                "publicKeyAlgorithm": made.algorithm,
            },
            "clientExtensionResults": {"credProps": {"rk": made.discoverable}},
        }

    def authenticate(
        self, options: Mapping[str, Any], *, credential: SoftCredential | None = None, **twists: Any
    ) -> dict[str, Any]:
        """Use a passkey, the last one that fits where `credential` does not name it; `credential.toJSON()`."""
        lies = replace(self.twists, **twists)
        self._check_user(options.get("userVerification"))
        used = credential or self._fitting(options)
        used.counter += 0 if self.synced else 1
        client_data = self._client_data("webauthn.get", options["challenge"], lies)
        data = self._data(used, lies)
        signature = _signed(used.key, data + sha256(client_data).digest())
        handle = used.user_handle if lies.user_handle is None else lies.user_handle
        return {
            **_ids(lies.credential_id or used.id),
            "response": {
                "clientDataJSON": tokens.encode(client_data),
                "authenticatorData": tokens.encode(data),
                "signature": tokens.encode(_changed(lies.change_signature, signature)),
                "userHandle": tokens.encode(handle) if handle and used.discoverable else None,
            },
            "clientExtensionResults": {},
        }

    def clone(self) -> SoftAuthenticator:
        """Another one with the same keys and counters, as a thief makes who can read them."""
        return replace(self, credentials=[copy.copy(one) for one in self.credentials])

    def _check_user(self, verification: str | None) -> None:
        if self.obedient and verification == "required" and not self.verifies_users:
            raise NotAllowed("this authenticator can't verify its user")

    def _fitting(self, options: Mapping[str, Any]) -> SoftCredential:
        allowed = {one["id"] for one in options.get("allowCredentials") or ()}
        for one in reversed(self.credentials):
            named = tokens.encode(one.id) in allowed if allowed else one.discoverable
            if one.rp_id == options["rpId"] and named:
                return one
        raise NotAllowed("no passkey fits")

    def _made_key(self, asked: Sequence[int]) -> dict[str, Any]:
        able = self.algorithms if self.obedient else self.algorithms[:1]
        for algorithm in able:
            if algorithm in asked or not self.obedient:
                return {"algorithm": algorithm, "key": _generated(algorithm)}
        raise NotAllowed("no algorithm in common")

    def _client_data(self, kind: str, challenge: str, lies: Twists) -> bytes:
        members: dict[str, Any] = {
            "type": lies.type or kind,
            "challenge": challenge if lies.challenge is None else tokens.encode(lies.challenge),
            "origin": lies.origin or self.origin,
            "crossOrigin": bool(lies.cross_origin),
            **({"topOrigin": lies.top_origin} if lies.top_origin else {}),
            **lies.more_client_data,
        }
        return _changed(lies.change_client_data, json.dumps(members, separators=(",", ":")).encode())

    def _data(self, used: SoftCredential, lies: Twists, attested: bytes = b"") -> bytes:
        truths = (
            (0x01, lies.user_present, True),
            (0x04, lies.user_verified, self.verifies_users),
            (0x08, lies.backup_eligible, self.synced),
            (0x10, lies.backed_up, self.synced),
            (0x40, None, bool(attested)),
        )
        flags = sum(bit for bit, lie, truth in truths if (truth if lie is None else lie))
        counter = used.counter if lies.counter is None else lies.counter
        hashed = sha256((lies.rp_id or used.rp_id).encode()).digest()
        return _changed(lies.change_data, hashed + bytes([flags]) + counter.to_bytes(4, "big") + attested)

    def _statement(self, made: SoftCredential, signed: bytes, lies: Twists) -> dict[str, Any]:
        if self.attestation == "none":
            return {"fmt": "none", "attStmt": {}}
        if self.attestation == "self" or self.attestor is None:
            said = {"alg": made.algorithm, "sig": _changed(lies.change_signature, _signed(made.key, signed))}
            return {"fmt": "packed", "attStmt": said}
        signature = _changed(lies.change_signature, _signed(self.attestor.key, signed))
        return {"fmt": "packed", "attStmt": {"alg": cose.ES256, "sig": signature, "x5c": self.attestor.chain}}


def _changed(change: Callable[[bytes], bytes] | None, raw: bytes) -> bytes:
    return raw if change is None else change(raw)


def _ids(id: bytes) -> dict[str, Any]:
    encoded = tokens.encode(id)
    return {"id": encoded, "rawId": encoded, "type": "public-key", "authenticatorAttachment": "platform"}


def _generated(algorithm: int) -> Any:
    if algorithm == cose.RS256:
        return rsa.generate_private_key(65537, 2048)
    if algorithm == cose.EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm in _LATTICES:
        return getattr(import_module(f"{_ASYMMETRIC}.mldsa"), _LATTICES[algorithm]).generate()
    return ec.generate_private_key(_CURVES[algorithm]())


# Imported when it is wanted: older releases of `cryptography` have no ML-DSA.
_ASYMMETRIC = "cryptography.hazmat.primitives.asymmetric"
_LATTICES = {
    cose.ML_DSA_44: "MLDSA44PrivateKey",
    cose.ML_DSA_65: "MLDSA65PrivateKey",
    cose.ML_DSA_87: "MLDSA87PrivateKey",
}
_CURVES: Mapping[int, Callable[[], ec.EllipticCurve]] = {
    cose.ES256: ec.SECP256R1,
    cose.ES384: ec.SECP384R1,
    cose.ES512: ec.SECP521R1,
}
_HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}


def _signed(key: Any, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(_HASHES[key.curve.name]()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    signature: bytes = key.sign(data)
    return signature


def _cose(made: SoftCredential) -> bytes:
    public, algorithm = made.key.public_key(), made.algorithm
    if algorithm in _CURVES:
        numbers, curve = public.public_numbers(), list(_CURVES).index(algorithm) + 1
        size = (public.key_size + 7) // 8
        x, y = (number.to_bytes(size, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: algorithm, -1: curve, -2: x, -3: y})
    if algorithm == cose.RS256:
        numbers = public.public_numbers()
        modulus = numbers.n.to_bytes(public.key_size // 8, "big")
        return cbor2.dumps({1: 3, 3: algorithm, -1: modulus, -2: numbers.e.to_bytes(3, "big")})
    if algorithm == cose.EDDSA:
        return cbor2.dumps({1: 1, 3: algorithm, -1: 6, -2: public.public_bytes_raw()})
    return cbor2.dumps({1: 7, 3: algorithm, -1: public.public_bytes_raw()})
