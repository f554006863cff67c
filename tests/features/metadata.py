"""A list of authenticators as the FIDO Alliance publishes it, signed under a root of our own."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.primitives import tokens
from doorward.testing import Attestor

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def certificate(
    name: str, key: Any, issuer: str, signer: Any, *, authority: bool, days: int = 3650
) -> x509.Certificate:
    subject, above = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    builder = x509.CertificateBuilder(
        issuer_name=above,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=NOW,
        not_valid_after=NOW + timedelta(days=days),
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return builder.sign(signer, hashes.SHA256())


class Alliance:
    """Who signs lists: a root, an authority under it, and the certificate that signs; each is valid so many `days`
    from NOW."""

    def __init__(self, *, root: int = 3650, middle: int = 3650, signer: int = 3650) -> None:
        root_key, middle_key, self.key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
        anchor = certificate("Test root", root_key, "Test root", root_key, authority=True, days=root)
        between = certificate("Test CA", middle_key, "Test root", root_key, authority=True, days=middle)
        signing = certificate("Test list", self.key, "Test CA", middle_key, authority=False, days=signer)
        self.root = anchor.public_bytes(Encoding.PEM)
        self.chain = [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in (signing, between, anchor)]

    def signed(self, entries: list[Any], *, nextUpdate: str = "2026-12-01", **header: Any) -> bytes:
        head = {"alg": "RS256", "typ": "JWT", "x5c": self.chain[:2], **header}
        payload = {"legalHeader": "", "no": 1, "nextUpdate": nextUpdate, "entries": entries}
        message = b".".join(tokens.encode(json.dumps(part).encode()).encode() for part in (head, payload))
        signature = self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return message + b"." + tokens.encode(signature).encode()


def entry(maker: Attestor, *statuses: str) -> dict[str, Any]:
    """What the list says of a make."""
    root = base64.b64encode(maker.root.public_bytes(Encoding.DER)).decode()
    return {
        "aaguid": maker.aaguid,
        "statusReports": [{"status": one, "effectiveDate": "2026-01-01"} for one in statuses],
        "metadataStatement": {"description": "Test key", "attestationRootCertificates": [root]},
    }
