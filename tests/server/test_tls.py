"""Certificates: those brought are checked, and those made here vouch for this machine and nobody else."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from doorward.core.refusals import Misconfigured
from doorward.primitives.urls import Origin
from doorward.server import tls

NOW = datetime.now(UTC)
LOCAL = Origin.parse("https://localhost:8000")


def test_a_made_certificate_is_trusted_for_every_name_of_this_machine(tmp_path: Path) -> None:
    made = tls.development(tmp_path, LOCAL, NOW)
    for name in ("localhost", "127.0.0.1", "::1"):
        assert _shakes_hands(made, made.ca, name) == "TLSv1.3"


def test_the_origin_is_among_its_names(tmp_path: Path) -> None:
    origin = Origin.parse("https://auth.lan.test")
    made = tls.development(tmp_path, origin, NOW)
    assert tls.covers(tls.certificate_in(made.cert), origin)
    assert _shakes_hands(made, made.ca, "auth.lan.test") == "TLSv1.3"


def test_who_does_not_know_its_authority_refuses_it(tmp_path: Path) -> None:
    made = tls.development(tmp_path / _made(tmp_path, "a"), LOCAL, NOW)
    other = tls.development(tmp_path / _made(tmp_path, "b"), LOCAL, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shakes_hands(made, other.ca, "localhost")


def test_its_authority_may_vouch_for_nothing_else_and_has_no_key(tmp_path: Path) -> None:
    made = tls.development(tmp_path, LOCAL, NOW)
    assert made.ca is not None
    authority = tls.certificate_in(made.ca)
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    allowed = {str(name.value) for name in limits.value.permitted_subtrees or ()}
    assert allowed == {"localhost", "127.0.0.1/32", "::1/128"}
    keys = [path for path in tmp_path.iterdir() if b"PRIVATE" in path.read_bytes()]
    assert keys == [made.key]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_it_is_kept_until_it_expires_or_the_origin_changes(tmp_path: Path) -> None:
    first = tls.development(tmp_path, LOCAL, NOW).cert.read_bytes()
    assert tls.development(tmp_path, LOCAL, NOW).cert.read_bytes() == first
    assert tls.development(tmp_path, LOCAL, NOW + timedelta(days=391)).cert.read_bytes() != first
    second = tls.development(tmp_path, LOCAL, NOW).cert.read_bytes()
    assert tls.development(tmp_path, Origin.parse("https://b.test"), NOW).cert.read_bytes() != second


def test_how_to_trust_it_is_told(tmp_path: Path) -> None:
    made = tls.development(tmp_path, LOCAL, NOW)
    assert str(made.ca) in tls.how_to_trust(made)


def test_brought_files_must_belong_together(tmp_path: Path) -> None:
    one, two = _brought(tmp_path, "one"), _brought(tmp_path, "two")
    assert tls.brought(*one) == tls.Tls(*one)
    with pytest.raises(Misconfigured, match="do not belong together"):
        tls.brought(one[0], two[1])
    with pytest.raises(Misconfigured, match="can't be read"):
        tls.brought(tmp_path / "none.pem", one[1])
    with pytest.raises(Misconfigured, match="in PEM"):
        tls.brought(one[1], one[1])


def test_a_key_with_a_password_is_refused_and_not_asked_for(tmp_path: Path) -> None:
    cert, key = _brought(tmp_path, "one")
    from_file = serialization.load_pem_private_key(key.read_bytes(), None)
    sealed = serialization.BestAvailableEncryption(b"secret")
    key.write_bytes(from_file.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed))
    with pytest.raises(Misconfigured, match="unencrypted"):
        tls.brought(cert, key)


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        (["a.example"], "a.example", True),
        (["*.example.com"], "a.example.com", True),
        (["*.example.com"], "a.b.example.com", False),
        (["*.example.com"], "example.com", False),
        (["b.example"], "a.example", False),
        (["192.0.2.1"], "192.0.2.1", True),
    ],
)
def test_a_certificate_covers_its_names_only(names: list[str], host: str, covered: bool, tmp_path: Path) -> None:
    trustme.CA().issue_cert(*names).cert_chain_pems[0].write_to_path(tmp_path / "c.pem")
    assert tls.covers(tls.certificate_in(tmp_path / "c.pem"), Origin.parse(f"https://{host}")) is covered


def _made(folder: Path, name: str) -> str:
    (folder / name).mkdir()
    return name


def _brought(folder: Path, name: str) -> tuple[Path, Path]:
    certificate = trustme.CA().issue_cert("localhost")
    cert, key = folder / f"{name}-cert.pem", folder / f"{name}-key.pem"
    certificate.cert_chain_pems[0].write_to_path(cert)
    certificate.private_key_pem.write_to_path(key)
    return cert, key


def _shakes_hands(made: tls.Tls, ca: Path | None, name: str) -> str | None:
    """The version of TLS that a client who trusts `ca` settles on; raises what the client raises."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.cert, made.key)
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client = ssl.create_default_context(cafile=str(ca))
    try:
        with client.wrap_socket(here, server_hostname=name) as connection:
            return connection.version()
    finally:
        thread.join(10)
