"""Passkeys: two factors where the user is verified; good for one ceremony, one user, one browser; never copied."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.records import Authenticator
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.settings import load_settings
from doorward.core.steps import Enroll, Prove
from doorward.features import passkeys, password, sessions, sign_out, sign_up, step_up, verify_email
from doorward.features.passkeys import decoys
from doorward.primitives import cose, tokens, webauthn
from doorward.testing import NotAllowed, SoftAuthenticator
from doorward.testing.doubles import ORIGIN, SECRET, Guest, House
from tests.features.metadata import NOW
from tests.features.passkeys_used import let_in, not_taken, registered
from tests.features.people import PASSWORD, refused, signed_in, signed_up, with_totp

YUBIKEY = "ee882879-721c-4913-9775-3dfcce97072a"
GOOGLE = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"


# Registration


def test_register_and_sign_in_with_nothing_else(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator(aaguid=YUBIKEY)
    answer = registered(guest, device)
    assert answer.identity.aal == 2
    assert "YubiKey 5" in answer.extra["passkey"]["name"]
    assert house.mail.last.template == "authenticator_added"
    assert house.mail.last.words["kind"] == "passkey"
    other = house.browser()
    answer = let_in(other, device)
    assert answer.identity.amr == ("hwk", "user", "mfa")
    assert answer.identity.aal == 2
    assert other.do(sessions.session).identity.user.email == "ann@example.com"
    (shown,) = other.do(passkeys.list_passkeys).items
    assert shown.last_used_at == house.clock.now
    assert not shown.synced
    assert shown.alone


@pytest.mark.parametrize("algorithm", webauthn.algorithms())
def test_every_algorithm_that_is_asked_for_signs_in(open_house: Any, algorithm: int) -> None:
    house, device = open_house(), SoftAuthenticator(algorithms=[algorithm])
    registered(signed_up(house), device)
    assert device.credentials[0].algorithm == algorithm
    assert let_in(house.browser(), device).identity is not None


def test_one_may_have_several_and_a_device_makes_one(house: House) -> None:
    guest, phone, key = signed_up(house), SoftAuthenticator(synced=True, aaguid=GOOGLE), SoftAuthenticator()
    registered(guest, phone)
    registered(guest, key)
    with pytest.raises(NotAllowed):
        registered(guest, phone)
    assert phone.credentials[0].user_handle == key.credentials[0].user_handle
    listed = guest.do(passkeys.list_passkeys)
    assert {one.name for one in listed.items} == {"Google Password Manager", ""}
    assert {tokens.decode(id) for id in listed.signal["allAcceptedCredentialIds"]} == {
        phone.credentials[0].id,
        key.credentials[0].id,
    }
    for device in (phone, key):
        assert let_in(house.browser(), device).identity is not None
    assert let_in(house.browser(), phone).identity.amr == ("swk", "user", "mfa")


def test_a_user_has_twenty_at_most(house: House) -> None:
    guest = signed_up(house)
    for _ in range(20):
        registered(guest, SoftAuthenticator())
    assert refused("invalid_input", guest.do, passkeys.register_begin).errors[0].reason == "too_many"


def test_who_begins_often_ends_with_twenty_as_well(house: House) -> None:
    guest = signed_up(house)
    devices = [SoftAuthenticator() for _ in range(24)]
    made = [device.register(guest.do(passkeys.register_begin).options) for device in devices]
    for credential in made[:20]:
        guest.do(passkeys.register_finish, credential=credential)
    for credential in made[20:]:
        refused("invalid_input", guest.do, passkeys.register_finish, credential=credential)
    assert len(guest.do(passkeys.list_passkeys).items) == 20


def test_registration_wants_a_fresh_proof_of_all_factors(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator()
    begun = guest.do(passkeys.register_begin)
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", guest.do, passkeys.register_begin)
    refused("fresh_proof_required", guest.do, passkeys.register_finish, credential=device.register(begun.options))
    refused("not_signed_in", house.browser().do, passkeys.register_begin)
    guest = signed_up(house, "bob@example.com")
    with_totp(guest)
    half = house.browser()
    answer = signed_in(half, "bob@example.com")
    refused("wrong_method", half.do, passkeys.register_begin, attempt=answer.attempt)
    refused("wrong_method", half.do, passkeys.register_begin)


LIES = [
    {"origin": "https://evil.example"},
    {"rp_id": "evil.example"},
    {"type": "webauthn.get"},
    {"user_present": False},
    {"backed_up": True},
    {"cross_origin": True},
    {"challenge": bytes(58)},
    {"challenge": b"short"},
]


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_registers_nothing(open_house: Any, lie: dict[str, Any]) -> None:
    house = open_house()
    guest = signed_up(house)
    refused("invalid_input", registered, guest, SoftAuthenticator(), **lie)
    assert not guest.do(passkeys.list_passkeys).items


def test_what_is_no_credential_is_refused(house: House) -> None:
    guest = signed_up(house)
    for action in (passkeys.register_finish, passkeys.sign_in_finish):
        for wrong in ({}, {"id": "x"}, {"type": "public-key", "response": {}}, {"type": "public-key", "response": []}):
            refused("invalid_input", guest.do, action, credential=wrong)
        for wrong in (None, "text", [], 1):
            with pytest.raises(Refused):
                guest.do(action, credential=wrong)
        refused("invalid_input", guest.do, action, credential={}, challenge="mine")


def test_a_credential_is_registered_once(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator()
    begun = guest.do(passkeys.register_begin)
    credential = device.register(begun.options)
    guest.do(passkeys.register_finish, credential=credential)
    refused("state_changed", guest.do, passkeys.register_finish, credential=credential)
    # Another user claims the same id, with a key of their own (WebAuthn §7.1).
    thief, theirs = signed_up(house, "bob@example.com"), SoftAuthenticator()
    id = device.credentials[0].id
    refused("state_changed", registered, thief, theirs, credential_id=id)
    assert not thief.do(passkeys.list_passkeys).items
    assert let_in(house.browser(), device).identity.user.email == "ann@example.com"


def test_a_registration_belongs_to_who_began_it(house: House) -> None:
    ann, bob, device = signed_up(house), signed_up(house, "bob@example.com"), SoftAuthenticator()
    begun = ann.do(passkeys.register_begin)
    refused("invalid_input", bob.do, passkeys.register_finish, credential=device.register(begun.options))
    # Nor is what one ceremony asked good in the other.
    asked = ann.do(passkeys.sign_in_begin)
    options = {**ann.do(passkeys.register_begin).options, "challenge": asked.options["challenge"]}
    refused("invalid_input", ann.do, passkeys.register_finish, credential=SoftAuthenticator().register(options))
    late = ann.do(passkeys.register_begin)
    house.clock.forward(minutes=5)
    refused("state_changed", ann.do, passkeys.register_finish, credential=SoftAuthenticator().register(late.options))


def test_of_forty_parallel_registrations_one_is_kept(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator()
    credential = device.register(guest.do(passkeys.register_begin).options)

    def once(_: int) -> bool:
        rival = house.browser()
        rival.session = guest.session
        try:
            rival.do(passkeys.register_finish, credential=credential)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(once, range(40))) == 1


def test_a_silent_upgrade_needs_a_session_and_proves_nothing(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator(synced=True)
    house.clock.forward(seconds=1)
    begun = guest.do(passkeys.register_begin, conditional=True)
    silent = {"user_present": False, "user_verified": False}
    answer = guest.do(passkeys.register_finish, credential=device.register(begun.options, **silent))
    assert answer.identity.aal == 1
    assert let_in(house.browser(), device).identity.aal == 2


# One's own


def test_rename_and_remove(house: House) -> None:
    guest, device, other = signed_up(house), SoftAuthenticator(), SoftAuthenticator()
    registered(guest, device)
    registered(guest, other)
    first = guest.do(passkeys.list_passkeys).items[-1]
    listed = guest.do(passkeys.rename, id=first.id, name="<b>Key</b> at home")
    assert "<b>Key</b> at home" in {one.name for one in listed.items}
    refused("invalid_input", guest.do, passkeys.rename, id=first.id, name="x" * 61)
    refused("invalid_input", guest.do, passkeys.rename, id=first.id, name="")
    left = guest.do(passkeys.remove, id=first.id)
    assert [one.id for one in left.items] != [first.id]
    assert len(left.signal["allAcceptedCredentialIds"]) == 1
    assert house.mail.last.template == "authenticator_removed"
    refused("not_found", guest.do, passkeys.remove, id=first.id)
    gone = guest.do(passkeys.remove, id=left.items[0].id)
    assert gone.signal["allAcceptedCredentialIds"] == []
    assert guest.do(passkeys.list_passkeys).signal == gone.signal


def test_nobody_touches_the_passkeys_of_others(house: House) -> None:
    ann, bob, device = signed_up(house), signed_up(house, "bob@example.com"), SoftAuthenticator()
    registered(ann, device)
    (hers,) = ann.do(passkeys.list_passkeys).items
    assert not bob.do(passkeys.list_passkeys).items
    refused("not_found", bob.do, passkeys.rename, id=hers.id, name="mine")
    refused("not_found", bob.do, passkeys.remove, id=hers.id)
    refused("not_signed_in", house.browser().do, passkeys.list_passkeys)
    refused("not_signed_in", house.browser().do, passkeys.remove, id=hers.id)
    assert ann.do(passkeys.list_passkeys).items[0].name == ""


def test_an_authenticator_of_another_kind_is_no_passkey(house: House) -> None:
    guest = signed_up(house)
    user = guest.do(sessions.session).identity.user

    async def password_row(call: Any) -> Any:
        return await call.store.get(Authenticator, user_id=user.id, kind="password")

    row = house.run(password_row)
    refused("not_found", guest.do, passkeys.rename, id=row.id, name="x")
    refused("not_found", guest.do, passkeys.remove, id=row.id)


def test_removal_wants_a_fresh_second_factor(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator()
    registered(guest, device)
    (mine,) = guest.do(passkeys.list_passkeys).items
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", guest.do, passkeys.remove, id=mine.id)
    asked = guest.do(step_up.step_up)
    answer = guest.do(password.sign_in, password=PASSWORD, attempt=asked.attempt)
    assert answer.hold == Prove(("passkey",))


def held_for_a_second_factor(house: House) -> tuple[Guest, Any]:
    """Somebody who signs up where everybody needs a second factor."""
    guest = house.browser()
    guest.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    return guest, guest.do(verify_email.verify, code=house.mail.code())


ENFORCED = {"base": "standard", "second_factor_required": True}


def test_it_is_enrolled_while_signing_in_where_it_is_demanded(open_house: Any) -> None:
    house, device = open_house(policy=ENFORCED), SoftAuthenticator()
    guest, answer = held_for_a_second_factor(house)
    assert answer.hold == Enroll(("passkey", "totp"))
    begun = guest.do(passkeys.register_begin, attempt=answer.attempt)
    refused("invalid_input", guest.do, passkeys.register_begin, attempt=answer.attempt, conditional=True)
    done = guest.do(passkeys.register_finish, credential=device.register(begun.options), attempt=begun.attempt)
    assert done.identity.aal == 2
    assert let_in(house.browser(), device).identity is not None


def test_a_security_key_is_enrolled_beside_the_password(open_house: Any) -> None:
    house, key = open_house(policy=ENFORCED), SoftAuthenticator(verifies_users=False)
    guest, answer = held_for_a_second_factor(house)
    begun = guest.do(passkeys.register_begin, attempt=answer.attempt, hint="security-key")
    assert begun.options["hints"] == ["security-key"]
    done = guest.do(passkeys.register_finish, credential=key.register(begun.options), attempt=begun.attempt)
    assert done.identity.amr == ("pwd", "email", "hwk", "mfa")


def test_the_last_second_factor_stays_where_everybody_needs_one(open_house: Any) -> None:
    house, device, other = open_house(policy=ENFORCED), SoftAuthenticator(), SoftAuthenticator()
    guest, answer = held_for_a_second_factor(house)
    begun = guest.do(passkeys.register_begin, attempt=answer.attempt)
    guest.do(passkeys.register_finish, credential=device.register(begun.options), attempt=begun.attempt)
    (mine,) = guest.do(passkeys.list_passkeys).items
    refused("last_authenticator", guest.do, passkeys.remove, id=mine.id)
    registered(guest, other)
    assert len(guest.do(passkeys.remove, id=mine.id).items) == 1


def test_the_end_of_a_session_ends_what_it_began(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator()
    begun = guest.do(passkeys.register_begin)
    guest.do(sign_out.sign_out)
    refused("not_signed_in", guest.do, passkeys.register_finish, credential=device.register(begun.options))
    signed_in(guest)
    credential = device.register({**begun.options, "excludeCredentials": []})
    refused("invalid_input", guest.do, passkeys.register_finish, credential=credential)


def test_keys_that_were_replaced_still_read_their_challenges(house: House) -> None:
    device = SoftAuthenticator()
    registered(signed_up(house), device)
    browser = house.browser()
    begun = browser.do(passkeys.sign_in_begin)
    ring = house.doorward.world.keyring
    newer = type(ring)([("newer", b"n" * 48), *ring._masters.items()])
    house.doorward.world = replace(house.doorward.world, keyring=newer)
    assert browser.do(passkeys.sign_in_finish, credential=device.authenticate(begun.options)).identity is not None


# Settings


def test_the_rp_id_is_the_host_of_the_origin_or_above_it(open_house: Any) -> None:
    house = open_house(rp_id="example.com")
    device = SoftAuthenticator()
    registered(signed_up(house), device)
    assert device.credentials[0].rp_id == "example.com"
    assert let_in(house.browser(), device).identity is not None
    for wrong in ("evil.example", "xapp.example.com", "ample.com", "www.app.example.com"):
        with pytest.raises(Misconfigured, match=r"passkeys\.E2"):
            passkeys.Passkeys().check(load_settings({"secret": SECRET, "origin": ORIGIN, "rp_id": wrong}), NOW)
    with pytest.raises(Misconfigured, match=r"settings\.E2"):
        load_settings({"secret": SECRET, "origin": ORIGIN, "rp_id": "https://example.com"})


@pytest.mark.parametrize(
    ("origin", "rp_id"), [("https://app.example.com", "com"), ("http://app.localhost:8000", "localhost")]
)
def test_an_rp_id_that_every_browser_refuses_stops_the_start(origin: str, rp_id: str) -> None:
    with pytest.raises(Misconfigured, match=r"passkeys\.E4"):
        passkeys.Passkeys().check(load_settings({"secret": SECRET, "origin": origin, "rp_id": rp_id}), NOW)
    with pytest.raises(Misconfigured, match=r"settings\.E2"):  # what is above an address is nothing
        load_settings({"secret": SECRET, "origin": "https://10.0.0.5", "rp_id": "0.0.5"})


def test_an_intranet_and_a_developer_have_one_label() -> None:
    for origin in ("https://auth", "http://localhost:8000", "http://app.localhost:8000"):
        passkeys.Passkeys().check(load_settings({"secret": SECRET, "origin": origin}), NOW)


def test_related_origins_sign_in_and_others_do_not(open_house: Any) -> None:
    house = open_house(related_origins="https://example.de, https://example.org")
    device = SoftAuthenticator()
    registered(signed_up(house), device)
    assert let_in(house.program(), device, origin="https://example.de").identity is not None
    not_taken("wrong_credentials", house.program(), device, origin="https://example.net")


def test_while_developing_every_port_of_the_own_machine_will_do(open_house: Any) -> None:
    house = open_house(origin="http://localhost:8000", debug=True)
    device = SoftAuthenticator(origin="http://localhost:5000")
    registered(signed_up(house), device)
    assert let_in(house.browser(), device).identity is not None
    for origin in ("http://evil.example", "nonsense", "http://localhost.evil.example"):
        not_taken("wrong_credentials", house.browser(), device, origin=origin)
    strict = open_house(origin="http://localhost:8000", debug=False)
    refused("invalid_input", registered, signed_up(strict, "bob@example.com"), SoftAuthenticator(origin=device.origin))


def test_without_the_extra_the_feature_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webauthn, "is_available", lambda: False)
    with pytest.raises(Misconfigured, match=r"doorward\[passkeys\]"):
        passkeys.Passkeys().check(load_settings({"secret": SECRET, "origin": ORIGIN}), NOW)


def test_decoys_differ_between_installations(house: House, open_house: Any) -> None:
    async def made(call: Any) -> Any:
        return decoys.decoys_for(call, "nobody")

    other = open_house(secret="other:9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_4YvXq2oM")
    assert house.run(made) == house.run(made) != other.run(made)
    assert cose.ES256 in webauthn.algorithms()


def test_other_domains_and_passkey_managers_are_told_where_to_go(open_house: Any) -> None:
    house = open_house(related_origins="https://example.de")
    origins = house.browser().do(passkeys.related_origins).origins
    assert origins == ("https://app.example.com", "https://example.de")
    assert house.browser().do(passkeys.endpoints).manage == "https://app.example.com/auth/passkeys"
