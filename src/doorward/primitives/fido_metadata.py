"""The FIDO Alliance's list of authenticators (Metadata Service 3): who made them, and whether they are certified.

The list is one signed text. It is believed where its signature leads to the root below, and read entry by entry: some
of those published are malformed, and one such must not take the others with it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from doorward.primitives import tokens

# GlobalSign Root CA - R3, to which the list's signature leads (https://fidoalliance.org/metadata/).
ROOT = b"""\
-----BEGIN CERTIFICATE-----
MIIDXzCCAkegAwIBAgILBAAAAAABIVhTCKIwDQYJKoZIhvcNAQELBQAwTDEgMB4G
A1UECxMXR2xvYmFsU2lnbiBSb290IENBIC0gUjMxEzARBgNVBAoTCkdsb2JhbFNp
Z24xEzARBgNVBAMTCkdsb2JhbFNpZ24wHhcNMDkwMzE4MTAwMDAwWhcNMjkwMzE4
MTAwMDAwWjBMMSAwHgYDVQQLExdHbG9iYWxTaWduIFJvb3QgQ0EgLSBSMzETMBEG
A1UEChMKR2xvYmFsU2lnbjETMBEGA1UEAxMKR2xvYmFsU2lnbjCCASIwDQYJKoZI
hvcNAQEBBQADggEPADCCAQoCggEBAMwldpB5BngiFvXAg7aEyiie/QV2EcWtiHL8
RgJDx7KKnQRfJMsuS+FggkbhUqsMgUdwbN1k0ev1LKMPgj0MK66X17YUhhB5uzsT
gHeMCOFJ0mpiLx9e+pZo34knlTifBtc+ycsmWQ1z3rDI6SYOgxXG71uL0gRgykmm
KPZpO/bLyCiR5Z2KYVc3rHQU3HTgOu5yLy6c+9C7v/U9AOEGM+iCK65TpjoWc4zd
QQ4gOsC0p6Hpsk+QLjJg6VfLuQSSaGjlOCZgdbKfd/+RFO+uIEn8rUAVSNECMWEZ
XriX7613t2Saer9fwRPvm2L7DWzgVGkWqQPabumDk3F2xmmFghcCAwEAAaNCMEAw
DgYDVR0PAQH/BAQDAgEGMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFI/wS3+o
LkUkrk1Q+mOai97i3Ru8MA0GCSqGSIb3DQEBCwUAA4IBAQBLQNvAUKr+yAzv95ZU
RUm7lgAJQayzE4aGKAczymvmdLm6AC2upArT9fHxD4q/c2dKg8dEe3jgr25sbwMp
jjM5RcOO5LlXbKr8EpbsU8Yt5CRsuZRj+9xTaGdWPoO4zzUhw8lo/s7awlOqzJCK
6fBdRoyV3XpYKBovHd7NADdBj+1EbddTKJd+82cEHhXXipa0095MJ6RMG3NzdvQX
mcIfeg7jLQitChws/zyrVQ4PkX4268NXSb7hLi18YIvDQVETI53O9zJrlAGomecs
Mx86OyXShkDOOyyGeMlhLxS67ttVb9+E7gUJTb0o2HLO02JQZR7rkpeDMdmztcpH
WD9f
-----END CERTIFICATE-----
"""
LONGEST_CHAIN = 6
# After one of these an authenticator is not to be trusted (Metadata Service §3.1.4).
UNSAFE = frozenset(
    {
        "REVOKED",
        "USER_VERIFICATION_BYPASS",
        "ATTESTATION_KEY_COMPROMISE",
        "USER_KEY_REMOTE_COMPROMISE",
        "USER_KEY_PHYSICAL_COMPROMISE",
    }
)


@dataclass(frozen=True, slots=True)
class Make:
    """A make of authenticators. `roots` (DER) are what attestations of it lead to."""

    name: str
    certified: bool
    roots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Metadata:
    """The list: makes by AAGUID, how many entries could not be read, and when there is a newer one. `valid_from` and
    `valid_until`: what the certificates say that it is signed with, all of them."""

    makes: Mapping[str, Make]
    malformed: int
    next_update: date
    valid_from: datetime
    valid_until: datetime

    def vouches(self, aaguid: str, chain: Sequence[bytes], now: datetime) -> bool:
        """Whether this make is certified, and the chain of an attestation (DER, its own first) leads to its roots."""
        make = self.makes.get(aaguid)
        return make is not None and make.certified and _leads_to(chain, make.roots, now)


def read(blob: bytes, root: bytes = ROOT) -> Metadata:
    """The list in a file as it is published. Raises ValueError where it is not signed under `root` (PEM)."""
    parts = blob.strip().split(b".")
    if len(parts) != 3:
        raise ValueError("this is no signed metadata: a JWS has three parts")
    header, payload = (_json(part) for part in parts[:2])
    chain = [x509.load_der_x509_certificate(base64.b64decode(one)) for one in header.get("x5c") or ()]
    anchor = x509.load_pem_x509_certificate(root)
    if not 0 < len(chain) <= LONGEST_CHAIN or not _is_issued([*chain, *([] if chain[-1] == anchor else [anchor])]):
        raise ValueError("the metadata is not signed under the root of the FIDO Alliance")
    signers = [one for one in chain if one != anchor] or chain
    if not _verifies(chain[0], header.get("alg"), parts[2], b".".join(parts[:2])):
        raise ValueError("the signature of the metadata is wrong")
    makes, malformed = {}, 0
    for entry in payload["entries"]:
        try:
            aaguid, make = _make(entry)
        except (KeyError, TypeError, ValueError, AttributeError):
            malformed += 1
            continue
        if aaguid:
            makes[aaguid] = make
    return Metadata(
        makes,
        malformed,
        next_update=date.fromisoformat(payload["nextUpdate"]),
        # RFC 5280 §6.1: the anchor's own times do not count, whether it is sent along or not.
        valid_from=max(one.not_valid_before_utc for one in signers),
        valid_until=min(one.not_valid_after_utc for one in signers),
    )


def _json(part: bytes) -> dict[str, Any]:
    raw = tokens.decode(part.decode("ascii"))
    value = json.loads(raw or b"null")
    if not isinstance(value, dict):
        raise ValueError("this is no signed metadata")
    return value


def _verifies(signer: x509.Certificate, algorithm: object, signature: bytes, signed: bytes) -> bool:
    key, raw = signer.public_key(), tokens.decode(signature.decode("ascii")) or b""
    try:
        if algorithm == "RS256" and isinstance(key, rsa.RSAPublicKey):
            key.verify(raw, signed, padding.PKCS1v15(), hashes.SHA256())
            return True
        if algorithm == "ES256" and isinstance(key, ec.EllipticCurvePublicKey) and len(raw) == 64:
            r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
            return True
    except InvalidSignature:
        return False
    return False


def _make(entry: Mapping[str, Any]) -> tuple[str, Make]:
    """An entry of those that we look for: older ones, without an AAGUID, are for no passkeys."""
    statuses = {report["status"] for report in entry["statusReports"]}
    statement = entry["metadataStatement"]
    certified = any(one.startswith("FIDO_CERTIFIED") for one in statuses) and not statuses & UNSAFE
    roots = tuple(base64.b64decode("".join(one.split())) for one in statement["attestationRootCertificates"])
    return entry.get("aaguid", "").lower(), Make(str(statement["description"]), certified, roots)


def _leads_to(chain: Sequence[bytes], roots: Sequence[bytes], now: datetime) -> bool:
    try:
        certificates = [x509.load_der_x509_certificate(one) for one in chain[:LONGEST_CHAIN]]
        anchors = [x509.load_der_x509_certificate(one) for one in roots]
    except ValueError:
        return False
    if not certificates or len(chain) > LONGEST_CHAIN:
        return False
    if not all(one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in certificates):
        return False
    # A list may name the certificate of a make itself in the place of its root.
    ends = [[*certificates, anchor] for anchor in anchors if certificates[-1] != anchor]
    ends += [certificates for anchor in anchors if certificates[-1] == anchor]
    return any(_is_issued(end) for end in ends)


def _is_issued(chain: Sequence[x509.Certificate]) -> bool:
    """Whether each is issued by the next, which may issue."""
    for one, issuer in pairwise(chain):
        try:
            one.verify_directly_issued_by(issuer)
            constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        if not constraints.ca:
            return False
    return True
