"""Sign in by passkey: whose it is, what it proves, and that no answer is good twice, late or elsewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.call import Call
from doorward.core.events import CounterWentBack
from doorward.core.possession import SpentProof
from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.core.steps import Prove
from doorward.features import magic_link, passkeys, password, sessions, step_up
from doorward.features.passkeys.decoys import is_decoy
from doorward.primitives import tokens, webauthn
from doorward.testing import NotAllowed, SoftAuthenticator
from doorward.testing.doubles import Guest, House
from tests.features.passkeys_used import let_in, not_taken, registered, second
from tests.features.people import PASSWORD, refused, signed_in, signed_up, wait_out_limits

# Sign-in


def test_an_identifier_names_its_passkeys(house: House) -> None:
    guest, device = signed_up(house, username="ann-smith"), SoftAuthenticator()
    registered(guest, device)
    for name in ("ann@example.com", "ANN@example.com", "ann-smith"):
        browser = house.browser()
        begun = browser.do(passkeys.sign_in_begin, identifier=name)
        assert [one["id"] for one in begun.options["allowCredentials"]] == [tokens.encode(device.credentials[0].id)]
        device.credentials[0].discoverable = False  # so that it says nothing of whose it is
        credential = device.authenticate(begun.options)
        assert credential["response"]["userHandle"] is None
        assert browser.do(passkeys.sign_in_finish, credential=credential).identity is not None
    # Without a name nobody would know: it must be said.
    refused("wrong_credentials", let_in_by, house.browser(), device)


def let_in_by(guest: Guest, device: SoftAuthenticator) -> Any:
    begun = guest.do(passkeys.sign_in_begin)
    return guest.do(
        passkeys.sign_in_finish, credential=device.authenticate(begun.options, credential=device.credentials[0])
    )


def test_unknown_names_have_passkeys_too(house: House) -> None:
    signed_up(house)  # who has none, and whose name is known
    guest = house.browser()
    shapes = set()
    for name in ("ann@example.com", "nobody@example.com", *(f"user{n}" for n in range(17))):
        first, again = (guest.do(passkeys.sign_in_begin, identifier=name).options for _ in range(2))
        assert first.keys() == guest.do(passkeys.sign_in_begin).options.keys()
        assert first["allowCredentials"] == again["allowCredentials"]
        assert first["challenge"] != again["challenge"]
        for one in first["allowCredentials"]:
            assert one["type"] == "public-key"
            assert set(one["transports"]) <= set(webauthn.TRANSPORTS)
            shapes.add(len(tokens.decode(one["id"]) or b""))
        wait_out_limits(house)
    assert len(shapes) > 2
    upper = guest.do(passkeys.sign_in_begin, identifier="NOBODY@example.com").options
    lower = guest.do(passkeys.sign_in_begin, identifier="nobody@example.com").options
    assert upper["allowCredentials"] == lower["allowCredentials"]


def test_a_name_that_was_given_is_the_only_one_that_comes_in(house: House) -> None:
    ann, bob = SoftAuthenticator(), SoftAuthenticator()
    registered(signed_up(house), ann)
    registered(signed_up(house, "bob@example.com"), bob)
    for name in ("ann@example.com", "nobody@example.com"):
        browser = house.browser()
        begun = browser.do(passkeys.sign_in_begin, identifier=name)
        credential = bob.authenticate(begun.options, credential=bob.credentials[0])
        refused("wrong_credentials", browser.do, passkeys.sign_in_finish, credential=credential)


def test_what_is_answered_to_a_listed_id_tells_nobody_who_has_passkeys(house: House) -> None:
    """Neither to a challenge of that name nor to one of nobody's, nor when it is sent again, nor who registers it."""
    registered(signed_up(house), SoftAuthenticator())  # ann has some, bob has none, and nobody is nobody
    signed_up(house, "bob@example.com")
    eve, device = signed_up(house, "eve@example.com"), SoftAuthenticator()
    registered(eve, device)
    seen = set()
    for name in ("ann@example.com", "bob@example.com", "nobody@example.com"):
        wait_out_limits(house)
        told: list[object] = []
        for anybodys in (False, True):
            browser = house.browser()
            named = browser.do(passkeys.sign_in_begin, identifier=name).options
            options = browser.do(passkeys.sign_in_begin).options if anybodys else named
            credential = device.authenticate(options, credential=device.credentials[0])
            credential["id"] = credential["rawId"] = named["allowCredentials"][0]["id"]
            for _ in range(2):
                with pytest.raises(Refused) as refusal:
                    browser.do(passkeys.sign_in_finish, credential=credential)
                told.append((refusal.value.reason, refusal.value.detail))
        seen.add(tuple(told))
    ((first, again, *_),) = seen
    assert (first[0], again[0]) == ("wrong_credentials", "state_changed")


def test_nobody_registers_an_id_that_was_made_up(house: House) -> None:
    named = house.browser().do(passkeys.sign_in_begin, identifier="nobody@example.com").options
    made_up = tokens.decode(named["allowCredentials"][0]["id"])
    assert made_up is not None
    assert house.run(_is_decoy, made_up)
    assert not house.run(_is_decoy, made_up[:-1] + bytes([made_up[-1] ^ 1]))


async def _is_decoy(call: Call, id: bytes) -> bool:
    return is_decoy(call, id)


def test_as_a_second_factor_it_need_not_verify_the_user(house: House) -> None:
    guest, key = signed_up(house), SoftAuthenticator(verifies_users=False)
    registered(guest, key)
    browser = house.browser()
    answer = signed_in(browser)
    assert answer.hold == Prove(("passkey",))
    done = second(browser, answer.attempt, key)
    assert done.identity.amr == ("pwd", "hwk", "mfa")
    assert done.identity.aal == 2
    # Alone it is nothing: who finds the key has not the password.
    with pytest.raises(NotAllowed):
        let_in(house.browser(), key)
    key.obedient = False
    not_taken("wrong_credentials", house.browser(), key)


def test_a_touch_alone_is_no_fresh_proof(house: House) -> None:
    """Without user verification a passkey stands beside the password and never in its place, in a step-up either."""
    guest, key = signed_up(house), SoftAuthenticator(verifies_users=False)
    registered(guest, key)
    house.clock.forward(minutes=11)
    asked = guest.do(step_up.step_up)
    assert asked.hold == Prove(("password", "passkey"))
    answer = second(guest, asked.attempt, key)
    assert answer.hold == Prove(("password", "passkey"))
    done = guest.do(password.sign_in, password=PASSWORD, attempt=answer.attempt)
    assert done.identity is not None


def test_a_step_up_by_passkey_makes_a_session_fresh(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator()
    registered(guest, device)
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", guest.do, passkeys.register_begin)
    asked = guest.do(step_up.step_up)
    assert second(guest, asked.attempt, device).identity.session.id == guest.do(sessions.session).identity.session.id
    guest.do(passkeys.register_begin)


def test_a_step_up_takes_no_passkey_of_another_user(house: House) -> None:
    ann, bob = signed_up(house), signed_up(house, "bob@example.com")
    hers, his = SoftAuthenticator(), SoftAuthenticator()
    registered(ann, hers)
    registered(bob, his)
    house.clock.forward(minutes=11)
    attempt = ann.do(step_up.step_up).attempt
    begun = ann.do(passkeys.sign_in_begin, attempt=attempt)
    credential = his.authenticate(begun.options, credential=his.credentials[0])
    refused("wrong_credentials", ann.do, passkeys.sign_in_finish, credential=credential, attempt=attempt)
    refused("fresh_proof_required", ann.do, passkeys.register_begin)


def test_a_link_by_mail_still_wants_the_passkey(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator()
    registered(guest, device)
    browser = house.browser()
    asked = browser.do(magic_link.send, identifier="ann@example.com")
    answer = browser.do(magic_link.sign_in, token=house.mail.token())
    assert isinstance(answer.hold, Prove)
    assert "passkey" in answer.hold.methods
    begun = browser.do(passkeys.sign_in_begin, attempt=answer.attempt)
    assert begun.options["userVerification"] == "required"
    assert second(browser, answer.attempt, device).identity.aal == 2
    assert asked.attempt


def test_without_an_attempt_that_asks_there_is_no_second_step(house: House) -> None:
    guest = signed_up(house)
    begun = house.browser()
    refused("no_sign_in_under_way", begun.do, passkeys.sign_in_begin, attempt="x" * 43)
    attempt = guest.do(step_up.step_up).attempt
    if attempt:
        refused("wrong_method", guest.do, passkeys.sign_in_begin, attempt=attempt)


LIES_OF_USE = [
    {"origin": "https://evil.example"},
    {"origin": "https://app.example.com:444"},
    {"rp_id": "evil.example"},
    {"type": "webauthn.create"},
    {"user_present": False},
    {"user_verified": False},
    {"cross_origin": True},
    {"user_handle": b"somebody else"},
    {"user_handle": b""},
    {"backup_eligible": True},
    {"change_signature": lambda raw: raw[:-1]},
    {"change_data": lambda raw: raw + b"\x00"},
]


@pytest.mark.parametrize("lie", LIES_OF_USE)
def test_a_lie_lets_nobody_in(open_house: Any, lie: dict[str, Any]) -> None:
    house, device = open_house(), SoftAuthenticator()
    registered(signed_up(house), device)
    browser = house.browser()
    not_taken("wrong_credentials", browser, device, **lie)
    refused("not_signed_in", browser.do, sessions.session)
    assert let_in(browser, device).identity is not None


def test_a_challenge_is_good_once_for_five_minutes_in_its_browser(house: House) -> None:
    device = SoftAuthenticator()
    registered(signed_up(house), device)
    browser, other = house.browser(), house.browser()
    begun = browser.do(passkeys.sign_in_begin)
    credential = device.authenticate(begun.options)
    refused("no_sign_in_under_way", other.do, passkeys.sign_in_finish, credential=credential, attempt=begun.attempt)
    refused("no_sign_in_under_way", other.do, passkeys.sign_in_finish, credential=credential)
    program = house.program()
    refused("no_sign_in_under_way", program.do, passkeys.sign_in_finish, credential=credential, attempt=begun.attempt)
    browser.do(passkeys.sign_in_finish, credential=credential, attempt=begun.attempt)
    browser.client = replace(browser.client, attempt=begun.attempt)
    refused("state_changed", browser.do, passkeys.sign_in_finish, credential=credential, attempt=begun.attempt)
    late = other.do(passkeys.sign_in_begin)
    credential = device.authenticate(late.options)
    house.clock.forward(minutes=5)
    refused("state_changed", other.do, passkeys.sign_in_finish, credential=credential, attempt=late.attempt)


def test_a_wrong_answer_spends_its_challenge(house: House) -> None:
    device = SoftAuthenticator()
    registered(signed_up(house), device)
    browser = house.browser()
    begun = browser.do(passkeys.sign_in_begin)
    wrong = device.authenticate(begun.options, user_verified=False)
    right = device.authenticate(begun.options)
    refused("wrong_credentials", browser.do, passkeys.sign_in_finish, credential=wrong)
    refused("state_changed", browser.do, passkeys.sign_in_finish, credential=right)


def test_of_forty_parallel_uses_one_gets_in(house: House) -> None:
    device = SoftAuthenticator()
    registered(signed_up(house), device)
    begun = house.program().do(passkeys.sign_in_begin)
    credential = device.authenticate(begun.options)

    def once(_: int) -> bool:
        try:
            house.program().do(passkeys.sign_in_finish, credential=credential, attempt=begun.attempt)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(once, range(40))) == 1


def test_ten_thousand_beginnings_store_nothing(open_house: Any) -> None:
    house = open_house()

    async def rows(call: Any) -> int:
        return int(await call.store.count(SpentProof))

    guest = house.browser()
    for _ in range(10_000 // 500):
        for _ in range(500):
            guest.do(passkeys.sign_in_begin)
        wait_out_limits(house)
    assert house.run(rows) == 0
    for _ in range(1000):
        guest.do(passkeys.sign_in_begin)
    refused("too_many_attempts", guest.do, passkeys.sign_in_begin)


def test_tokens_are_issued_to_programs(house: House) -> None:
    device, program = SoftAuthenticator(), house.program()
    registered(signed_up(house), device)
    begun = program.do(passkeys.sign_in_begin)
    credential = device.authenticate(begun.options)
    answer = program.do(passkeys.sign_in_finish, credential=credential, attempt=begun.attempt, issue="tokens")
    assert answer.tokens["refresh_token"]
    program.bearer = answer.access_token
    assert program.do(sessions.session).identity.aal == 2


def test_who_is_disabled_does_not_come_in(house: House) -> None:
    device, guest = SoftAuthenticator(), signed_up(house)
    registered(guest, device)
    user = guest.do(sessions.session).identity.user

    async def disable(call: Any) -> None:
        await call.store.change(User, {"id": user.id}, active=False)

    house.run(disable)
    not_taken("wrong_credentials", house.browser(), device)


def test_a_passkey_that_is_gone_is_named_as_unknown(house: House) -> None:
    """So that the page can tell the passkey manager (Signal API)."""
    guest, device = signed_up(house), SoftAuthenticator()
    registered(guest, device)
    (mine,) = guest.do(passkeys.list_passkeys).items
    guest.do(passkeys.remove, id=mine.id)
    not_taken("unknown_passkey", house.browser(), device)


# Counters and backups


def test_a_copy_of_a_device_is_refused_and_told(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator()
    heard: list[CounterWentBack] = []
    house.doorward.on(CounterWentBack)(heard.append)
    registered(guest, device)
    copied = device.clone()
    for _ in range(3):
        let_in(house.browser(), device)
    not_taken("wrong_credentials", house.browser(), copied)
    assert house.mail.last.template == "passkey_copied"
    assert [event.refused for event in heard] == [True]
    letters = len(house.mail.letters)
    not_taken("wrong_credentials", house.browser(), copied)
    assert len(house.mail.letters) == letters  # once a day
    not_taken("wrong_credentials", house.browser(), device, counter=0)
    assert let_in(house.browser(), device).identity is not None


def test_a_copy_of_a_synced_passkey_is_noted_and_let_in(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator(synced=True)
    heard: list[CounterWentBack] = []
    house.doorward.on(CounterWentBack)(heard.append)
    registered(guest, device)
    for _ in range(2):
        let_in(house.browser(), device)
    assert not heard  # it counts nothing
    let_in(house.browser(), device, counter=7)
    assert let_in(house.browser(), device, counter=3).identity is not None
    assert [event.refused for event in heard] == [False]
    (letter,) = (one for one in house.mail.letters if one.template == "passkey_counted_back")
    assert letter.words["device"] == guest.do(passkeys.list_passkeys).items[0].name
    assert "/not-me?token=" in letter.words["not_me_link"]
    house.clock.forward(days=3)
    for counter in (2, 8, 4):
        let_in(house.browser(), device, counter=counter)
    assert [event.refused for event in heard] == [False] * 3
    assert [one.template for one in house.mail.letters].count("passkey_counted_back") == 1


def test_the_backup_state_is_kept_and_shown(house: House) -> None:
    guest, device = signed_up(house), SoftAuthenticator(synced=True)
    registered(guest, device, backed_up=False)
    (shown,) = guest.do(passkeys.list_passkeys).items
    assert (shown.synced, shown.backed_up) == (True, False)
    let_in(house.browser(), device)
    (shown,) = guest.do(passkeys.list_passkeys).items
    assert (shown.synced, shown.backed_up) == (True, True)
