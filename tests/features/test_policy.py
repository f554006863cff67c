"""What is demanded of whom: the strictest of installation, role and user; time to comply; AAL that falls."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doorward.core.call import Call
from doorward.core.demands import FactorDemand, FactorGrace, demand_named, demand_of_role, demand_of_user
from doorward.core.policy import Policy, SecondFactor
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.rights import grant
from doorward.core.steps import Enroll, Prove
from doorward.features import (
    email_code,
    password,
    recovery_codes,
    sessions,
    sign_up,
    totp,
    verify_email,
)
from doorward.features.roles import add_role, remove_role
from doorward.http.answers import moment, session_shape
from doorward.limits.memory import MemoryLimits
from doorward.server import people
from doorward.stores import open_store
from doorward.testing import SoftAuthenticator
from doorward.testing.doubles import Guest, House
from tests.features.forgetful import ANN, of_the_host
from tests.features.passkeys_used import registered
from tests.features.people import PASSWORD, code_of, recovery, refused, second_step, signed_in, signed_up, with_totp

GRACE = {"second_factor_required": True, "second_factor_grace": 14 * 86_400}


def demand(house: House, word: str, *, days: int = 0, role: str = "", email: str = ANN) -> Any:
    async def story(call: Call) -> Any:
        grace = timedelta(days=days)
        if role:
            return await demand_of_role(call, role, demand_named(word), grace=grace)
        return await demand_of_user(call, await people.find(call, email), demand_named(word), grace=grace)

    return house.run(story)


def given(house: House, role: str, email: str = ANN) -> None:
    async def story(call: Call) -> None:
        await grant(call, await people.find(call, email), role, by=None)

    house.run(story)


def enrolled_on_the_way(house: House, guest: Guest) -> Any:
    """From `prove email` to the end."""
    guest.do(email_code.send)
    assert guest.do(email_code.sign_in, code=house.mail.code()).hold == Enroll(("passkey", "totp"))
    secret = base64.b32decode(guest.do(totp.begin).secret)
    return guest.do(totp.confirm, code=code_of(house, secret))


# Enrolment on the way in


def test_who_must_enrol_proves_the_mailbox_in_the_same_attempt_first(house: House) -> None:
    """Rule 7: a password alone binds nothing."""
    signed_up(house)
    demand(house, "required")
    guest = house.browser()
    assert signed_in(guest).hold == Prove(("email",))
    for action in (totp.begin, recovery_codes.generate):
        with pytest.raises(Refused) as refusal:
            guest.do(action)
        assert refusal.value.reason in ("wrong_method", "not_signed_in")
    answer = enrolled_on_the_way(house, guest)
    assert (answer.identity.amr, answer.identity.aal) == (("pwd", "email", "otp", "mfa"), 2)


def test_the_code_goes_to_the_owners_mailbox_and_is_good_in_that_attempt_alone(house: House) -> None:
    signed_up(house)
    demand(house, "required")
    thief, owner = house.browser("203.0.113.66"), house.browser()
    signed_in(thief)
    thief.do(email_code.send)
    assert house.mail.last.to == ANN
    code = house.mail.code()
    signed_in(owner)
    owner.do(email_code.send)
    if code != house.mail.code():
        refused("wrong_code", owner.do, email_code.sign_in, code=code)
    refused("wrong_code", thief.do, email_code.sign_in, code="000000" if code != "000000" else "111111")
    refused("wrong_method", thief.do, totp.begin)
    refused("not_signed_in", thief.do, sessions.session)


def test_who_has_a_factor_proves_it_and_is_sent_no_code(house: House) -> None:
    with_totp(signed_up(house))
    demand(house, "required")
    guest = house.browser()
    assert second_step(house, guest).hold == Prove(("totp",))
    letters = len(house.mail.letters)
    refused("wrong_method", guest.do, email_code.send)
    refused("wrong_method", guest.do, totp.begin)
    assert len(house.mail.letters) == letters


def test_strict_sends_that_code_too_though_mail_lets_nobody_in(open_house: Callable[..., House]) -> None:
    house = open_house(policy="strict")
    of_the_host(house, "ann", email=ANN, password=None, username="ann")
    guest = house.browser()
    guest.do(sign_up.sign_up, email="new@example.com", password=PASSWORD)
    guest.do(verify_email.verify, code=house.mail.code())
    again = house.browser()  # left before anything was enrolled
    assert signed_in(again, "new@example.com").hold == Prove(("email",))
    assert enrolled_on_the_way(house, again).identity.aal == 2
    refused("wrong_method", house.browser().do, email_code.send, identifier="new@example.com")


def test_who_has_no_mailbox_is_told_so_by_an_empty_list(house: House) -> None:
    signed_up(house)
    of_the_host(house, "tom", email="", username="tom", password=_hash(house))
    demand(house, "required", email="tom")
    guest = house.browser()
    assert signed_in(guest, "tom").hold == Prove(())
    refused("wrong_method", guest.do, email_code.send)
    refused("wrong_method", guest.do, totp.begin)


def _hash(house: House) -> str:
    return house.hash.passwords.hash(PASSWORD, salt=b"0123456789abcdef")


# Whose demand holds


def test_the_strictest_of_installation_role_and_user_holds(house: House) -> None:
    signed_up(house)
    signed_up(house, "bob@example.com")
    house.run(add_role, "editor")
    given(house, "editor")
    assert signed_in(house.browser()).identity is not None
    demand(house, "required", role="editor")
    assert signed_in(house.browser()).hold == Prove(("email",))
    assert signed_in(house.browser(), "bob@example.com").identity is not None
    demand(house, "optional")  # a user's own demand takes nothing away from the role's
    assert signed_in(house.browser()).hold == Prove(("email",))
    demand(house, "optional", role="editor")
    assert signed_in(house.browser()).identity is not None
    demand(house, "required", email="bob@example.com")
    assert signed_in(house.browser(), "bob@example.com").hold == Prove(("email",))


def test_a_role_that_is_removed_and_made_again_demands_nothing(house: House) -> None:
    signed_up(house)
    house.run(add_role, "editor")
    demand(house, "required", role="editor")
    house.run(remove_role, "editor")
    house.run(add_role, "editor")
    given(house, "editor")
    assert signed_in(house.browser()).identity is not None
    assert house.run(lambda call: call.store.count(FactorDemand)) == 0


def test_a_demand_of_one_user_ends_their_sessions_that_lack_it_at_once(house: House) -> None:
    lacking = signed_up(house)
    secret = with_totp(signed_in_anew(house))
    both = house.browser()
    second_step(house, both)
    both.do(totp.sign_in, code=code_of(house, secret))
    house.clock.forward(seconds=1)
    assert demand(house, "required") == 1
    house.clock.forward(seconds=1)
    refused("not_signed_in", lacking.do, sessions.session)
    assert both.do(sessions.session).identity.aal == 2


def test_a_demand_of_what_resists_phishing_ends_sessions_that_only_reach_aal2(house: House) -> None:
    signed_up(house)
    typed = signed_in_anew(house)
    with_totp(typed)
    assert typed.do(sessions.session).identity.aal == 2
    house.clock.forward(seconds=1)
    assert demand(house, "phishing-resistant") == 2
    house.clock.forward(seconds=1)
    refused("not_signed_in", typed.do, sessions.session)


def test_a_session_that_resists_phishing_stays_under_that_demand(house: House) -> None:
    by_passkey = signed_up(house)
    registered(by_passkey, SoftAuthenticator())
    house.clock.forward(seconds=1)
    assert demand(house, "phishing-resistant") == 0
    house.clock.forward(seconds=1)
    assert by_passkey.do(sessions.session).identity is not None


def signed_in_anew(house: House) -> Guest:
    guest = house.browser()
    assert signed_in(guest).identity is not None
    return guest


@pytest.mark.parametrize("word", ["", "never", "REQUIRED ", "phishing"])
def test_words_that_are_no_demand_are_refused(house: House, word: str) -> None:
    signed_up(house)
    refused("invalid_input", demand, house, word)


def test_a_role_that_there_is_not_has_no_demand(house: House) -> None:
    refused("not_found", demand, house, "required", role="nobody-made-it")


def test_who_must_have_a_factor_keeps_the_last_one(house: House) -> None:
    guest = signed_up(house)
    with_totp(guest)
    demand(house, "required")
    refused("last_authenticator", guest.do, totp.remove)
    demand(house, "optional")
    guest.do(totp.remove)


def test_recovery_codes_are_no_second_factor_to_keep(house: House) -> None:
    guest = signed_up(house)
    with_totp(guest)
    recovery(guest)
    demand(house, "required")
    refused("last_authenticator", guest.do, totp.remove)


def test_a_demand_that_nobody_could_meet_is_no_start() -> None:
    """MFA-24."""
    with pytest.raises(Misconfigured, match=r"policy\.E1"):
        open_house_without_factors(policy="strict")
    with pytest.raises(Misconfigured, match=r"policy\.E1"):
        open_house_without_factors(policy={"phishing_resistant_required": True})


def open_house_without_factors(**settings: Any) -> House:
    features = [password.Password(), sign_up.SignUp()]
    return House(features, lambda ward: open_store("memory:", records=ward.records), MemoryLimits(), bytes, **settings)


# Time to comply


def test_during_the_grace_one_gets_in_and_is_told_how_long_it_lasts(open_house: Callable[..., House]) -> None:
    house = open_house(policy=GRACE)
    guest = signed_up(house)
    began = house.clock.now
    shape = guest.run(shown)
    assert shape["enroll_by"] == moment(began + timedelta(days=14))
    house.clock.forward(days=13)
    again = house.browser()
    assert signed_in(again).identity is not None
    assert again.run(shown)["enroll_by"] == moment(began + timedelta(days=14)), "it began with the first sign-in"


async def shown(call: Call) -> Any:
    return session_shape(call, call.signed_in.session)


def test_after_the_grace_nobody_gets_in_without_and_nobody_stays_in(open_house: Callable[..., House]) -> None:
    house = open_house(policy=GRACE)
    signed_up(house)
    house.clock.forward(days=13, hours=23)
    late = house.browser()
    signed_in(late, remember=True)
    house.clock.forward(hours=1)
    refused("not_signed_in", late.do, sessions.session)
    assert signed_in(late).hold == Prove(("email",))
    assert enrolled_on_the_way(house, late).identity.aal == 2
    assert "enroll_by" not in late.run(shown)


def test_who_enrols_in_time_is_told_nothing_more_and_stays(open_house: Callable[..., House]) -> None:
    house = open_house(policy={**GRACE, "second_factor_grace": 86_400})
    guest = signed_up(house)
    with_totp(guest)
    assert "enroll_by" not in guest.run(shown)
    house.clock.forward(hours=23)
    assert guest.do(sessions.session).identity is not None
    house.clock.forward(hours=0.9)
    assert guest.do(sessions.session).identity is not None


def test_who_gives_the_factor_up_again_gets_no_second_grace(open_house: Callable[..., House]) -> None:
    house = open_house(policy=GRACE)
    guest = signed_up(house)
    with_totp(guest)
    guest.do(totp.remove)
    house.clock.forward(days=15)
    assert signed_in(house.browser()).hold == Prove(("email",))


def test_a_grace_begins_for_each_user_when_the_demand_begins_to_hold_for_them(house: House) -> None:
    signed_up(house)
    house.run(add_role, "editor")
    demand(house, "required", role="editor", days=7)
    house.clock.forward(days=300)
    assert signed_in(house.browser()).identity is not None
    given(house, "editor")
    house.clock.forward(days=300)
    guest = house.browser()
    signed_in(guest)
    assert guest.run(shown)["enroll_by"] == moment(house.clock.now + timedelta(days=7))
    house.clock.forward(days=7)
    assert signed_in(house.browser()).hold == Prove(("email",))


def test_a_demand_without_grace_does_not_wait_for_one_with(open_house: Callable[..., House]) -> None:
    house = open_house(policy=GRACE)
    signed_up(house)
    demand(house, "required")
    assert signed_in(house.browser()).hold == Prove(("email",))


def test_a_grace_that_is_given_anew_begins_anew(house: House) -> None:
    signed_up(house)
    demand(house, "required", days=7)
    assert signed_in(house.browser()).identity is not None
    house.clock.forward(days=8)
    assert signed_in(house.browser()).hold == Prove(("email",))
    demand(house, "required", days=7)
    assert house.run(lambda call: call.store.count(FactorGrace)) == 0
    assert signed_in(house.browser()).identity is not None


def test_with_a_grace_passwords_stay_as_long_as_they_must_be_alone() -> None:
    """Rule 17: 8 suffice only where everybody has a second factor."""
    policy = replace(Policy.standard(), second_factor_required=True)
    assert policy.password_min == 8
    assert replace(policy, second_factor_grace=timedelta(days=1)).password_min == 15
    assert policy.second_factor is SecondFactor.REQUIRED
