"""AAL falls with time and silence, in sessions and tokens; and a step-up ends in what was asked for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doorward.core.action import Needs, demanded
from doorward.core.call import Call
from doorward.core.doorward import require
from doorward.core.policy import Policy
from doorward.core.records import Authenticator
from doorward.core.refusals import Refused
from doorward.core.session import Session
from doorward.core.sign_in import advance, current
from doorward.core.steps import Factor, Method, Proof, Prove
from doorward.features import password, refresh_tokens, sessions, sign_up, step_up, totp, verify_email
from doorward.http.answers import session_shape
from doorward.server import people
from doorward.testing.doubles import Guest, House
from tests.features.forgetful import ANN
from tests.features.people import PASSWORD, code_of, refused, second_step, signed_in, signed_up, with_totp
from tests.features.test_policy import demand


async def shown(call: Call) -> Any:
    return session_shape(call, call.signed_in.session)


# AAL falls with time (rule 26, NIST SP 800-63B-4 §2.2.3)


def at_aal2(house: House) -> Guest:
    guest = signed_up(house, remember=True)
    with_totp(guest)
    return guest


def level(guest: Guest) -> tuple[int, tuple[str, ...]]:
    identity = guest.do(sessions.session).identity
    return identity.aal, identity.amr


def test_aal2_lasts_a_day_and_the_session_goes_on(house: House) -> None:
    guest = at_aal2(house)
    for _ in range(47):
        house.clock.forward(minutes=30)
        assert level(guest) == (2, ("pwd", "email", "otp", "mfa"))
    house.clock.forward(minutes=30)
    assert level(guest) == (1, ("pwd", "email", "otp"))


def test_an_hour_of_silence_ends_aal2_and_use_does_not_bring_it_back(house: House) -> None:
    guest = at_aal2(house)
    house.clock.forward(minutes=62)
    assert level(guest)[0] == 1
    for _ in range(3):
        house.clock.forward(seconds=1)
        assert level(guest)[0] == 1
    assert guest.run(shown)["aal"] == 1
    guest.do(step_up.step_up)
    guest.do(password.sign_in, password=PASSWORD, attempt=guest.client.attempt)
    assert level(guest)[0] == 1, "half a step-up raises nothing"


def test_a_step_up_brings_it_back(house: House) -> None:
    guest = signed_up(house)
    secret = with_totp(guest)
    house.clock.forward(hours=2)
    assert level(guest)[0] == 1
    guest.do(step_up.step_up, acr_values="aal2")
    guest.do(password.sign_in, password=PASSWORD, attempt=guest.client.attempt)
    guest.do(totp.sign_in, code=code_of(house, secret))
    assert level(guest) == (2, ("pwd", "email", "otp", "mfa"))


def test_what_asks_for_aal2_asks_again_when_it_has_fallen(house: House) -> None:
    guest = at_aal2(house)
    assert not lacks(guest, aal=2)
    house.clock.forward(hours=2)
    refusal = lacks(guest, aal=2)
    assert (refusal.reason, refusal.acr) == ("fresh_proof_required", "aal2")
    assert refusal.methods == ("password",)


def lacks(guest: Guest, **wants: Any) -> Any:
    async def ask(call: Call) -> Refused | None:
        try:
            await require(call, demanded(**wants))
        except Refused as refused:
            return refused
        return None

    return guest.run(ask)


def test_tokens_say_the_level_of_now_and_refresh_never_raises_it(house: House) -> None:
    secret = with_totp(signed_up(house))
    program = house.program()
    second_step(house, program, issue="tokens")
    given = program.do(totp.sign_in, code=code_of(house, secret), attempt=program.client.attempt).tokens
    assert claims(given)["acr"] == "aal2"
    proved_at = claims(given)["auth_time"]
    house.clock.forward(minutes=62)
    again = program.do(refresh_tokens.refresh, refresh_token=given["refresh_token"])
    assert {name: claims(again)[name] for name in ("acr", "amr", "auth_time")} == {
        "acr": "aal1",
        "amr": ["pwd", "otp"],
        "auth_time": proved_at,
    }
    house.clock.forward(seconds=1)
    third = program.do(refresh_tokens.refresh, refresh_token=again["refresh_token"])
    assert claims(third)["acr"] == "aal1"


def claims(tokens: Any) -> dict[str, Any]:
    body = tokens["access_token"].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_after_a_step_up_a_program_has_a_token_that_says_so(house: House) -> None:
    secret = with_totp(signed_up(house))
    program = house.program()
    second_step(house, program, issue="tokens")
    given = program.do(totp.sign_in, code=code_of(house, secret), attempt=program.client.attempt).tokens
    house.clock.forward(minutes=62)
    program.bearer = program.do(refresh_tokens.refresh, refresh_token=given["refresh_token"])["access_token"]
    assert lacks(program, aal=2).reason == "fresh_proof_required"
    held = program.do(step_up.step_up, acr_values="aal2", max_age=600)
    program.do(password.sign_in, password=PASSWORD, attempt=held.attempt)
    done = program.do(totp.sign_in, code=code_of(house, secret), attempt=held.attempt)
    assert claims(done.tokens)["acr"] == "aal2"
    program.bearer = done.tokens["access_token"]
    assert lacks(program, aal=2) is None


def test_in_strict_a_session_ends_when_it_falls_below_two(open_house: Callable[..., House]) -> None:
    house = open_house(policy="strict")
    guest = house.browser()
    guest.do(sign_up.sign_up, email=ANN, password=PASSWORD)
    guest.do(verify_email.verify, code=house.mail.code())
    secret = base64.b32decode(guest.do(totp.begin).secret)
    guest.do(totp.confirm, code=code_of(house, secret))
    for _ in range(23):
        house.clock.forward(minutes=30)
        assert level(guest)[0] == 2
    house.clock.forward(minutes=30)
    refused("not_signed_in", guest.do, sessions.session)


def test_in_strict_a_session_of_before_that_is_at_one_ends(open_house: Callable[..., House]) -> None:
    house = open_house()
    guest = signed_up(house)
    house.doorward.world = replace(house.doorward.world, policy=Policy.strict())
    house.clock.forward(seconds=1)
    refused("not_signed_in", guest.do, sessions.session)


def test_the_fall_is_written_down_once(house: House) -> None:
    guest = at_aal2(house)
    house.clock.forward(minutes=62)
    level(guest)
    (row,) = house.run(lambda call: call.store.find(Session))
    assert row.lapsed_at == house.clock.now - timedelta(hours=1)
    house.clock.forward(minutes=62)
    level(guest)
    (again,) = house.run(lambda call: call.store.find(Session))
    assert again.lapsed_at == row.lapsed_at


# What a step-up is to end in (RFC 9470)


def test_a_fresher_proof_than_usual_can_be_asked_for(house: House) -> None:
    guest = signed_up(house)
    house.clock.forward(minutes=5)
    assert lacks(guest, fresh=True) is None
    refusal = lacks(guest, fresh=timedelta(minutes=2))
    assert (refusal.reason, refusal.max_age, refusal.acr) == ("fresh_proof_required", 120, "aal1")
    assert guest.do(step_up.step_up).hold is None, "fresh enough for most"
    assert guest.do(step_up.step_up, max_age=refusal.max_age, acr_values=refusal.acr).hold == Prove(("password",))
    guest.do(password.sign_in, password=PASSWORD, attempt=guest.client.attempt)
    assert lacks(guest, fresh=timedelta(minutes=2)) is None


@pytest.mark.parametrize("given", [{"max_age": -1}, {"max_age": "60"}, {"acr_values": "aal3"}, {"acr_values": ""}])
def test_what_no_challenge_asks_for_is_refused(house: House, given: dict[str, Any]) -> None:
    refused("invalid_input", signed_up(house).do, step_up.step_up, **given)


def test_nobody_asks_for_a_staler_proof_than_the_policy_allows(house: House) -> None:
    guest = signed_up(house)
    house.clock.forward(minutes=11)
    assert guest.do(step_up.step_up, max_age=10**12).hold == Prove(("password",))


def test_what_resists_phishing_is_asked_of_who_has_it_and_set_up_by_who_has_not(house: House) -> None:
    guest = signed_up(house)
    with_totp(guest)
    refusal = lacks(guest, phishing_resistant=True)
    assert (refusal.reason, refusal.acr) == ("second_factor_required", "phr")
    add_key(house)
    refusal = lacks(guest, phishing_resistant=True)
    assert (refusal.reason, refusal.acr, refusal.methods) == ("fresh_proof_required", "phr", ("key",))
    assert guest.do(step_up.step_up, acr_values="phr").hold == Prove(("key",))
    prove_by_key(house, guest)
    assert lacks(guest, phishing_resistant=True) is None
    assert lacks(guest, needs=Needs.FRESH, phishing_resistant=True) is None
    house.clock.forward(minutes=11)
    assert lacks(guest, phishing_resistant=True) is None
    assert lacks(guest, needs=Needs.FRESH, phishing_resistant=True).acr == "phr"


def test_a_demand_that_resists_phishing_is_met_by_nothing_that_one_types(house: House) -> None:
    owner = signed_up(house)
    secret = with_totp(owner)
    add_key(house)
    demand(house, "phishing-resistant")
    guest = house.browser()
    assert signed_in(guest).hold == Prove(("key",))
    assert guest.do(totp.sign_in, code=code_of(house, secret)).hold == Prove(("key",))
    refused("not_signed_in", guest.do, sessions.session)
    prove_by_key(house, guest)
    assert level(guest)[0] == 2


KEY = Method("key", "hwk", frozenset({Factor.HAS, Factor.IS}), second=True, enrolls=True, phishing_resistant=True)


def add_key(house: House) -> None:
    """A method that resists phishing, and one of it enrolled."""
    world = house.doorward.world
    house.doorward.world = replace(world, methods={**world.methods, KEY.name: KEY}, offered=world.offered | {KEY.name})

    async def enrol(call: Call) -> None:
        user = await people.find(call, ANN)
        await call.store.add(Authenticator(id=call.new_id(), user_id=user.id, kind=KEY.name, created_at=call.now))

    house.run(enrol)


def prove_by_key(house: House, guest: Guest) -> Any:
    async def story(call: Call) -> Any:
        under_way = await current(call, None)
        user = await people.find(call, ANN)
        return await advance(call, under_way, user, Proof(KEY.name, KEY.amr, KEY.factors, call.now))

    return guest.run(story)
