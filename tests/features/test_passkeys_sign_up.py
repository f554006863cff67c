"""An account with a passkey and no password: nothing exists before both the address and the passkey are proved."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.core.steps import Enroll, Prove
from doorward.features import magic_link, passkeys, sessions, sign_up, verify_email
from doorward.features.reset_password import set_first
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.stores import open_store
from doorward.testing import NotAllowed, SoftAuthenticator
from doorward.testing.doubles import Guest, House
from tests.features.passkeys_used import let_in, registered
from tests.features.people import PASSWORD, refused, signed_in


def asked(house: House, email: str = "ann@example.com", **more: Any) -> tuple[Guest, Any]:
    """Somebody whose address is proved, and who asked for an account without a password."""
    guest = house.browser()
    guest.do(sign_up.sign_up, email=email, **more)
    return guest, guest.do(verify_email.verify, code=house.mail.code())


def made(guest: Guest, attempt: str, device: SoftAuthenticator) -> Any:
    begun = guest.do(passkeys.register_begin, attempt=attempt)
    return guest.do(passkeys.register_finish, credential=device.register(begun.options), attempt=begun.attempt)


async def users(call: Any) -> int:
    return int(await call.store.count(User))


def test_an_account_is_made_with_its_passkey(house: House) -> None:
    device = SoftAuthenticator()
    guest, answer = asked(house, name="Ann", username="ann-smith")
    assert answer.hold == Enroll(("passkey",))
    assert house.run(users) == 0
    begun = guest.do(passkeys.register_begin, attempt=answer.attempt)
    assert begun.options["user"]["name"] == "ann@example.com"
    assert begun.options["authenticatorSelection"]["userVerification"] == "required"
    assert house.run(users) == 0
    done = guest.do(passkeys.register_finish, credential=device.register(begun.options), attempt=begun.attempt)
    assert done.identity.aal == 2
    assert done.identity.user.username == "ann-smith"
    assert let_in(house.browser(), device).identity.user.email == "ann@example.com"
    refused("wrong_credentials", signed_in, house.browser())


def test_the_answer_is_the_same_for_a_taken_address(house: House) -> None:
    asked_for = [house.browser().do(sign_up.sign_up, email="ann@example.com") for _ in range(2)]
    guest, answer = asked(house)
    made(guest, answer.attempt, SoftAuthenticator())
    taken = house.browser().do(sign_up.sign_up, email="ann@example.com")
    assert (taken.hold, taken.to) == (asked_for[0].hold, asked_for[0].to)
    assert house.mail.last.template == "address_taken"


def test_who_has_it_has_no_other_way_in(house: House) -> None:
    """A letter alone lets nobody in: the passkey stays asked for."""
    device = SoftAuthenticator()
    guest, answer = asked(house)
    made(guest, answer.attempt, device)
    browser = house.browser()
    browser.do(magic_link.send, identifier="ann@example.com")
    assert browser.do(magic_link.sign_in, token=house.mail.token()).hold == Prove(("passkey",))
    refused("last_authenticator", guest.do, passkeys.remove, id=guest.do(passkeys.list_passkeys).items[0].id)


def test_another_passkey_or_a_password_makes_it_removable(house: House) -> None:
    device, other = SoftAuthenticator(), SoftAuthenticator()
    guest, answer = asked(house)
    made(guest, answer.attempt, device)
    first = guest.do(passkeys.list_passkeys).items[0]
    key = SoftAuthenticator(verifies_users=False)
    registered(guest, key)
    refused("last_authenticator", guest.do, passkeys.remove, id=first.id)  # a touch alone lets nobody in
    registered(guest, other)
    guest.do(passkeys.remove, id=first.id)
    guest.do(set_first, new_password=PASSWORD)
    for one in guest.do(passkeys.list_passkeys).items:
        guest.do(passkeys.remove, id=one.id)
    assert signed_in(house.browser()).identity is not None


def test_a_device_that_verifies_nobody_makes_no_account(house: House) -> None:
    guest, answer = asked(house)
    with pytest.raises(NotAllowed):
        made(guest, answer.attempt, SoftAuthenticator(verifies_users=False))
    refused("invalid_input", made, guest, answer.attempt, SoftAuthenticator(verifies_users=False, obedient=False))
    assert house.run(users) == 0


def test_nothing_is_made_before_the_address_is_proved(house: House) -> None:
    guest = house.browser()
    attempt = guest.do(sign_up.sign_up, email="ann@example.com").attempt
    refused("wrong_method", guest.do, passkeys.register_begin, attempt=attempt)
    other = house.browser()
    answer = asked(house, "bob@example.com")[1]
    refused("no_sign_in_under_way", other.do, passkeys.register_begin, attempt=answer.attempt)


def test_of_forty_parallel_ends_one_makes_the_account(house: House) -> None:
    guest, answer = asked(house)
    begun = guest.do(passkeys.register_begin, attempt=answer.attempt)
    credentials = [SoftAuthenticator().register(begun.options)]
    credentials += [
        SoftAuthenticator().register(guest.do(passkeys.register_begin, attempt=answer.attempt).options)
        for _ in range(7)
    ]

    def once(number: int) -> bool:
        rival = house.browser()
        rival.client = replace(rival.client, attempt=answer.attempt)
        try:
            rival.do(passkeys.register_finish, credential=credentials[number % 8], attempt=answer.attempt)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(once, range(40))) == 1
    assert house.run(users) == 1


def test_a_link_opened_elsewhere_offers_both_ways(house: House) -> None:
    house.browser().do(sign_up.sign_up, email="ann@example.com", password=PASSWORD, name="Mallory")
    owner, device = house.browser(), SoftAuthenticator()
    answer = owner.do(verify_email.verify, token=house.mail.token())
    assert answer.hold == Enroll(("password", "passkey"))
    done = made(owner, answer.attempt, device)
    assert done.identity.user.name == ""
    refused("wrong_credentials", signed_in, house.browser())


def test_who_can_not_make_one_may_still_choose_a_password(house: House) -> None:
    guest, answer = asked(house)
    done = guest.do(sign_up.choose_password, new_password=PASSWORD, attempt=answer.attempt)
    assert done.identity is not None
    assert signed_in(house.browser()).identity is not None


def test_a_name_that_is_gone_is_chosen_anew_first(house: House) -> None:
    guest = house.browser()
    guest.do(sign_up.sign_up, email="ann@example.com", username="ann-smith")
    code = house.mail.code()
    rival, answer = asked(house, "bob@example.com", username="ann-smith")
    made(rival, answer.attempt, SoftAuthenticator())
    held = guest.do(verify_email.verify, code=code)
    assert held.hold == Enroll(("username",))
    refused("username_taken", guest.do, passkeys.register_begin, attempt=held.attempt)
    held = guest.do(sign_up.choose_username, username="ann-jones", attempt=held.attempt)
    assert held.hold == Enroll(("passkey",))
    assert made(guest, held.attempt, SoftAuthenticator()).identity.user.username == "ann-jones"


def test_without_passkeys_a_sign_up_wants_a_password() -> None:
    features = [one for one in standard() if not isinstance(one, passkeys.Passkeys)]
    house = House(features, lambda core: open_store("memory:", records=core.records), MemoryLimits(), os.urandom)
    assert refused("invalid_input", house.browser().do, sign_up.sign_up, email="ann@example.com").errors[0].field == (
        "password"
    )
    house.browser().do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    answer = house.browser().do(verify_email.verify, token=house.mail.token())
    assert answer.hold == Enroll(("password",))


def test_a_session_of_somebody_else_is_no_part_of_it(house: House) -> None:
    """An attempt in the body wins over who is signed in: the passkey is the new account's."""
    guest, answer = asked(house)
    device = SoftAuthenticator()
    made(guest, answer.attempt, device)
    bob = guest.house.browser()
    bob.session = guest.session
    bob.do(sign_up.sign_up, email="bob@example.com")
    held = bob.do(verify_email.verify, code=house.mail.code())
    done = made(bob, held.attempt, SoftAuthenticator())
    assert done.identity.user.email == "bob@example.com"
    assert bob.do(sessions.session).identity.user.email == "bob@example.com"
    assert len(bob.do(passkeys.list_passkeys).items) == 1
