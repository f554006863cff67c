"""Certificates: those an operator brings, and a local authority for trying https on one's own machine."""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from doorward.core.refusals import Misconfigured
from doorward.primitives.urls import Origin

LIFE = timedelta(days=397)  # browsers refuse server certificates that live longer than 398 days
RENEW_BEFORE = timedelta(days=7)
LOCAL = ("localhost", "127.0.0.1", "::1")
CA_FILE, CHAIN_FILE, KEY_FILE = "dev-ca.pem", "dev-cert.pem", "dev-key.pem"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of PEM. `ca` is the local authority to trust, where we made one."""

    cert: Path
    key: Path
    ca: Path | None = None


def brought(cert: Path, key: Path) -> Tls:
    """The files an operator names. Raises `Misconfigured` where they are missing or do not belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        why = "do not belong together" if "MISMATCH" in str(error) else "are no certificate and unencrypted key in PEM"
        raise Misconfigured("tls.E1", f"--tls-cert {cert} and --tls-key {key} {why}") from None
    except OSError as error:
        raise Misconfigured("tls.E2", f"{cert} or {key} can't be read: {error.strerror}") from None
    return Tls(cert, key)


def certificate_in(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file: the server's own."""
    return x509.load_pem_x509_certificates(path.read_bytes())[0]


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """The host names and addresses a certificate is for, as they stand in it."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
    return frozenset((*names.get_values_for_type(x509.DNSName), *addresses))


def covers(certificate: x509.Certificate, origin: Origin) -> bool:
    """Whether browsers take the certificate for this origin (RFC 6125: a wildcard stands for one label)."""
    host = origin.host.strip("[]")
    return not names_of(certificate).isdisjoint((host, "*." + host.partition(".")[2]))


def development(folder: Path, origin: Origin, now: datetime) -> Tls:
    """A certificate for this machine and `origin`, by an authority of its own: both in `folder`, made when needed.

    The authority's key is thrown away at once and it may vouch for these names only: who steals the folder can
    pretend to be this server, and nobody else.
    """
    made = Tls(folder / CHAIN_FILE, folder / KEY_FILE, folder / CA_FILE)
    if not _is_usable(made, origin, now):
        _make(made, origin, now)
    return made


def _is_usable(made: Tls, origin: Origin, now: datetime) -> bool:
    if made.ca is None or not (made.cert.exists() and made.key.exists() and made.ca.exists()):
        return False
    certificate = certificate_in(made.cert)
    return covers(certificate, origin) and now < certificate.not_valid_after_utc - RENEW_BEFORE


def _make(made: Tls, origin: Origin, now: datetime) -> None:
    names = [_general(name) for name in dict.fromkeys((origin.host.strip("[]"), *LOCAL))]
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _authority(ca_key, names, now)
    leaf = _leaf(key, ca, ca_key, names, now)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    authority = ca.public_bytes(Encoding.PEM)
    files = {made.key: pem, made.cert: leaf.public_bytes(Encoding.PEM) + authority, made.ca or made.cert: authority}
    for path, content in files.items():
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        draft.replace(path)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePublicKey, now: datetime) -> x509.CertificateBuilder:
    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    return (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def _authority(key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName], now: datetime) -> x509.Certificate:
    title = f"Doorward development, {now.astimezone(UTC):%Y-%m-%d %H:%M}"
    return (
        _builder(title, title, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.NameConstraints([_subtree(name) for name in names], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName],
    now: datetime,
) -> x509.Certificate:
    issuer = str(ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    known = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder("localhost", issuer, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    """A permitted subtree (RFC 5280 §4.2.1.10): an address is the network that holds nothing else."""
    if isinstance(name, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(str(name.value)))
    return name


def how_to_trust(tls: Tls) -> str:
    """What to do so that browsers and programs of this machine take the certificate."""
    return (
        f"The certificate comes from {tls.ca}, made for this machine alone (its key is thrown away). To trust it:\n"
        f"  Firefox, Chrome   Settings, Certificates, Authorities, Import\n"
        f"  Debian, Ubuntu    sudo cp {tls.ca} /usr/local/share/ca-certificates/doorward-dev.crt"
        " && sudo update-ca-certificates\n"
        f"  macOS             sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain {tls.ca}\n"
        f"  Windows           certutil -addstore -user Root {tls.ca}\n"
        f"  curl              curl --cacert {tls.ca} …"
    )
