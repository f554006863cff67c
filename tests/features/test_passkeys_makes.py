"""Certified makes: what the FIDO Alliance's list says is believed where it is signed, entry by entry."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fido2.mds3 import parse_blob

from doorward.core.refusals import Misconfigured
from doorward.features import passkeys
from doorward.features.passkeys import Passkeys
from doorward.features.passkeys.makes import in_file
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.primitives import fido_metadata
from doorward.stores import open_store
from doorward.testing import Attestor, SoftAuthenticator
from doorward.testing.doubles import House
from tests.features.metadata import NOW, Alliance, entry
from tests.features.passkeys_used import let_in, registered
from tests.features.people import refused, signed_up

ALLIANCE, MAKER = Alliance(), Attestor()


def house_with(path: Path, blob: bytes) -> House:
    path.write_bytes(blob)
    features = [Passkeys(fido_root=ALLIANCE.root) if isinstance(one, Passkeys) else one for one in standard()]
    stores = lambda core: open_store("memory:", records=core.records)  # noqa: E731
    return House(features, stores, MemoryLimits(), os.urandom, fido_metadata=str(path))


def test_only_certified_makes_are_taken(tmp_path: Path) -> None:
    house = house_with(tmp_path / "list", ALLIANCE.signed([entry(MAKER, "FIDO_CERTIFIED_L1"), {"aaguid": 1}]))
    guest = signed_up(house)
    assert guest.do(passkeys.register_begin).options["attestation"] == "direct"
    device = SoftAuthenticator(attestation="packed", attestor=MAKER)
    registered(guest, device)
    assert let_in(house.browser(), device).identity is not None
    another = Attestor()  # of the same AAGUID, by its own word
    for false in (
        SoftAuthenticator(),
        SoftAuthenticator(attestation="self"),
        SoftAuthenticator(attestation="packed", attestor=another),
        SoftAuthenticator(attestation="packed", attestor=MAKER, aaguid="ee882879-721c-4913-9775-3dfcce97072a"),
    ):
        refused("invalid_input", registered, guest, false)
    assert len(guest.do(passkeys.list_passkeys).items) == 1


@pytest.mark.parametrize("statuses", [(), ("NOT_FIDO_CERTIFIED",), ("FIDO_CERTIFIED", "USER_VERIFICATION_BYPASS")])
def test_what_is_not_certified_or_known_to_be_unsafe_is_refused(tmp_path: Path, statuses: tuple[str, ...]) -> None:
    house = house_with(tmp_path / "list", ALLIANCE.signed([entry(MAKER, *statuses)]))
    device = SoftAuthenticator(attestation="packed", attestor=MAKER)
    assert refused("invalid_input", registered, signed_up(house), device).errors[0].reason == "not_certified"


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"a.b.c",
        Alliance().signed([]),  # under another root
        ALLIANCE.signed([])[:-4] + b"AAAA",
        ALLIANCE.signed([], alg="none"),
        ALLIANCE.signed([], alg="HS256"),
        ALLIANCE.signed([], x5c=[]),
    ],
)
def test_a_list_that_can_not_be_believed_stops_the_start(tmp_path: Path, blob: bytes) -> None:
    with pytest.raises(Misconfigured, match=r"passkeys\.E3"):
        house_with(tmp_path / f"list{len(blob)}{hash(blob)}", blob)


@pytest.mark.parametrize("over", ["middle", "signer"])
def test_a_list_is_believed_while_all_that_signs_it_is_valid(tmp_path: Path, over: str) -> None:
    """At the start, and in a process that goes on; the root's own times do not count, sent along or not."""
    alliance = Alliance(root=1, **{over: 400})
    for place, chain in enumerate((alliance.chain, alliance.chain[:2])):
        path = tmp_path / str(place)
        path.write_bytes(alliance.signed([], x5c=chain))
        for day in (0, 400):
            in_file(str(path), alliance.root, NOW + timedelta(days=day))
        for early_or_late in (NOW - timedelta(seconds=1), NOW + timedelta(days=400, seconds=1)):
            with pytest.raises(Misconfigured, match=r"passkeys\.E5"):
                in_file(str(path), alliance.root, early_or_late)


def test_a_running_process_makes_none_by_a_list_that_is_over(tmp_path: Path) -> None:
    house = house_with(tmp_path / "list", ALLIANCE.signed([entry(MAKER, "FIDO_CERTIFIED")]))
    guest = signed_up(house)
    device = SoftAuthenticator(attestation="packed", attestor=MAKER)
    registered(guest, device)
    house.clock.now = NOW + timedelta(days=3651)
    assert let_in(guest, device).identity is not None
    refused("unavailable", registered, guest, SoftAuthenticator(attestation="packed", attestor=MAKER))
    with pytest.raises(Misconfigured, match=r"passkeys\.E5"):
        Passkeys(fido_root=ALLIANCE.root).check(house.doorward.world.settings, house.clock.now)


def test_a_list_past_its_next_update_is_still_believed(tmp_path: Path) -> None:
    """What it certifies is certified; that a newer one is out is for the doctor to say."""
    house = house_with(tmp_path / "list", ALLIANCE.signed([entry(MAKER, "FIDO_CERTIFIED")], nextUpdate="2026-01-01"))
    guest, device = signed_up(house), SoftAuthenticator(attestation="packed", attestor=MAKER)
    registered(guest, device)
    assert let_in(guest, device).identity is not None


def test_a_malformed_entry_takes_no_other_with_it() -> None:
    broken: list[Any] = [
        None,
        {},
        {"aaguid": "x"},
        {**entry(MAKER), "metadataStatement": None},
        entry(MAKER, "REVOKED"),
    ]
    read = fido_metadata.read(ALLIANCE.signed([*broken, entry(MAKER, "FIDO_CERTIFIED")]), ALLIANCE.root)
    assert (read.malformed, len(read.makes)) == (4, 1)
    assert read.vouches(MAKER.aaguid, MAKER.chain, NOW)
    assert not read.vouches(MAKER.aaguid, [], NOW)
    assert not read.vouches(MAKER.aaguid, [b"nonsense"], NOW)
    assert not read.vouches(MAKER.aaguid, MAKER.chain, NOW.replace(year=2200))
    assert read.vouches(MAKER.aaguid, [*MAKER.chain, read.makes[MAKER.aaguid].roots[0]], NOW)


def test_the_list_reads_as_another_reader_reads_it() -> None:
    """The signature is right by the library's own check, too."""
    blob = ALLIANCE.signed([])
    root = x509.load_pem_x509_certificate(ALLIANCE.root).public_bytes(Encoding.DER)
    assert parse_blob(blob, root).next_update == fido_metadata.read(blob, ALLIANCE.root).next_update
    assert x509.load_pem_x509_certificate(fido_metadata.ROOT).subject.rfc4514_string().count("Root CA - R3") == 1
