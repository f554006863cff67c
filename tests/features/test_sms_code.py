"""A code by text message: a second step beside a better one, once, for whose phone it is; and each costs money."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doorward.core.policy import Policy
from doorward.core.refusals import Refused
from doorward.core.steps import SMS, Factor, Prove
from doorward.features import account, email_code, phone_numbers, recovery_codes, sms_code, step_up, totp
from doorward.server.people import set_phone
from doorward.testing.doubles import Guest, House
from tests.features.people import (
    code_of,
    recovery,
    refused,
    second_step,
    signed_in,
    signed_up,
    wait_out_limits,
    with_totp,
)
from tests.features.phones import NUMBER, OTHER, SENDS, ann_of, asked, with_phone

Open = Callable[..., House]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_password_then_code_is_two_factors(open_house: Open) -> None:
    house, _, _ = ann_of(open_house)
    guest = house.browser()
    assert second_step(house, guest).hold == Prove(("totp", "sms"))
    sent = guest.do(sms_code.send)
    assert (sent.hold, sent.to) == (Prove(("sms",)), "+49 ••• 67")
    assert house.sms.last.to == NUMBER
    assert house.sms.text() == (
        f"{house.sms.code()} is your code for Doorward, good for 10 minutes. Give it to no one.\n\n"
        f"@app.example.com #{house.sms.code()}"
    )
    answer = guest.do(sms_code.sign_in, code=house.sms.code())
    assert answer.identity.amr == ("pwd", "sms", "mfa")
    assert answer.identity.aal == 2
    assert SMS.restricted
    assert SMS.factors == {Factor.HAS}
    assert not SMS.primary


def test_it_is_said_in_the_language_of_its_user(open_house: Open) -> None:
    house, ann, _ = ann_of(open_house)
    asked(house)
    assert "is your code for Doorward" in house.sms.text()
    signed_in(ann)
    ann.do(sms_code.send)
    ann.do(sms_code.sign_in, code=house.sms.code())
    ann.do(account.update, locale="de")
    asked(house)
    assert f"{house.sms.code()} ist Ihr Code für Doorward" in house.sms.text()


def test_a_code_works_once(open_house: Open) -> None:
    house, _, _ = ann_of(open_house)
    guest = asked(house)
    code, client = house.sms.code(), guest.client
    assert guest.do(sms_code.sign_in, code=code).identity is not None
    again = house.browser()
    again.client = client
    refused("no_sign_in_under_way", again.do, sms_code.sign_in, code=code)
    second_step(house, again)
    refused("wrong_code", again.do, sms_code.sign_in, code=code)


def test_of_forty_parallel_uses_one_gets_in(open_house: Open) -> None:
    house, _, _ = ann_of(open_house)
    guest, code = asked(house), house.sms.code()
    guests = [house.browser() for _ in range(40)]
    for one in guests:
        one.client = guest.client

    def attempt(one: Guest) -> bool:
        try:
            return one.do(sms_code.sign_in, code=code).identity is not None
        except Refused:
            return False

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(attempt, guests)) == 1


def test_forty_sends_at_once_leave_one_code_that_is_good_and_cost_no_more_than_the_budget(open_house: Open) -> None:
    house, _, _ = ann_of(open_house, policy=replace(Policy.standard(), texts_per_number=3))
    guest = house.browser()
    second_step(house, guest)
    before = len(house.sms.letters)
    guests = [house.browser() for _ in range(40)]
    for one in guests:
        one.client = guest.client

    def send(one: Guest) -> str:
        try:
            one.do(sms_code.send)
        except Refused as refusal:
            return refusal.reason
        return "sent"

    with ThreadPoolExecutor(40) as pool:
        outcomes = list(pool.map(send, guests))
    sent = house.sms.letters[before:]
    assert 1 <= len(sent) <= 3
    assert outcomes.count("sent") == len(sent)
    assert set(outcomes) <= {"sent", "too_many_attempts", "state_changed"}
    good = 0
    for letter in sent:
        one = house.browser()
        one.client = guest.client
        try:
            good += one.do(sms_code.sign_in, code=letter.words["code"]).identity is not None
        except Refused:
            continue
    assert good == 1


def test_a_code_of_one_attempt_is_wrong_in_another(open_house: Open) -> None:
    """ASVS 5.0 6.6.2: also for the same user in another browser."""
    house, _, _ = ann_of(open_house)
    first = asked(house)
    code = house.sms.code()
    second = asked(house)
    refused("wrong_code", second.do, sms_code.sign_in, code=code)
    assert first.do(sms_code.sign_in, code=code).identity is not None


def test_a_code_of_one_user_is_wrong_for_another(open_house: Open) -> None:
    house, _, _ = ann_of(open_house)
    bob = signed_up(house, "bob@example.com")
    with_totp(bob)
    with_phone(bob, OTHER)
    house.clock.forward(hours=24)
    guest = asked(house, email="bob@example.com")
    asked(house)
    refused("wrong_code", guest.do, sms_code.sign_in, code=house.sms.code())


def test_a_code_that_came_for_something_else_is_wrong(open_house: Open) -> None:
    """To add a number, or by mail: not to sign in."""
    house, ann, _ = ann_of(open_house)
    signed_in(ann)
    ann.do(sms_code.send)
    ann.do(sms_code.sign_in, code=house.sms.code())
    ann.do(phone_numbers.add, phone=OTHER)
    adding = house.sms.code()
    guest = asked(house)
    refused("wrong_code", guest.do, sms_code.sign_in, code=adding)
    mailed = house.browser()
    mailed.do(email_code.send, identifier="ann@example.com")
    refused("wrong_method", mailed.do, sms_code.sign_in, code=house.mail.code())
    refused("wrong_code", ann.do, phone_numbers.confirm, code=house.sms.code())


def test_an_attempt_has_five_tries_however_many_codes_it_asks_for(open_house: Open) -> None:
    """ASVS 5.0 6.6.3; BRUTE-14."""
    house, _, secret = ann_of(open_house)
    guest = asked(house)
    for _ in range(3):
        refused("wrong_code", guest.do, sms_code.sign_in, code=wrong(house.sms.code()))
    guest.do(sms_code.send)
    for _ in range(2):
        refused("wrong_code", guest.do, sms_code.sign_in, code=wrong(house.sms.code()))
    refused("attempt_expired", guest.do, sms_code.sign_in, code=house.sms.code())
    refused("no_sign_in_under_way", house.browser().do, totp.sign_in, code=code_of(house, secret))


def test_a_code_is_good_for_ten_minutes(open_house: Open) -> None:
    house, _, _ = ann_of(open_house, policy=replace(Policy.standard(), attempt_life=timedelta(hours=1)))
    guest = asked(house)
    house.clock.forward(minutes=9, seconds=59)
    other = asked(house)
    assert guest.do(sms_code.sign_in, code=house.sms.letters[-2].words["code"]).identity is not None
    house.clock.forward(minutes=10)
    refused("wrong_code", other.do, sms_code.sign_in, code=house.sms.code())


def test_only_exactly_six_ascii_digits(open_house: Open) -> None:
    house, _, _ = ann_of(open_house)
    guest = asked(house)
    code = house.sms.code()
    arabic = code.translate({48 + i: 0x660 + i for i in range(10)})
    for typed in (code[:5], code + "0", f"{code[:3]} {code[3:]}", arabic):
        refused("wrong_code", guest.do, sms_code.sign_in, code=typed)
    for typed in (int(code), [code], None, {"code": code}):
        refused("invalid_input", guest.do, sms_code.sign_in, code=typed)
    refused("invalid_input", guest.do, sms_code.sign_in, code=code, phone=NUMBER)
    refused("invalid_input", guest.do, sms_code.send, phone=NUMBER)


def test_nothing_is_sent_before_something_else_is_proved(open_house: Open) -> None:
    """So nobody can have messages sent to a phone, or learn whether there is one, by a name alone."""
    house, _, _ = ann_of(open_house)
    before = len(house.sms.letters)
    refused("no_sign_in_under_way", house.browser().do, sms_code.send)
    answers = [house.browser().do(sms_code.send, identifier=name) for name in ("ann@example.com", "nobody@example.com")]
    assert answers[0].hold == answers[1].hold == Prove(("password", "email", "passkey"))
    assert all(answer.attempt and not answer.to for answer in answers)
    waiting = house.browser()
    for identifier in ("ann@example.com", "nobody@example.com"):
        waiting.do(email_code.send, identifier=identifier)
        refused("wrong_method", waiting.do, sms_code.send)
        refused("wrong_method", waiting.do, sms_code.sign_in, code="123456")
    assert len(house.sms.letters) == before


def test_who_has_proved_a_mailbox_alone_does_not_learn_the_number(open_house: Open) -> None:
    """Rule 4: where a message went is told after a right password."""
    house, _, _ = ann_of(open_house)
    guest = house.browser()
    guest.do(email_code.send, identifier="ann@example.com")
    assert guest.do(email_code.sign_in, code=house.mail.code()).hold == Prove(("totp", "sms"))
    assert guest.do(sms_code.send).to == ""
    answer = guest.do(sms_code.sign_in, code=house.sms.code())
    assert answer.identity.aal == 1  # a mailbox is no factor


def test_a_number_alone_demands_no_second_step_and_is_none(open_house: Open) -> None:
    """NIST SP 800-63B-4 §3.2.9: it stands beside a better one."""
    house = open_house(**SENDS)
    ann = signed_up(house)
    with_phone(ann)
    house.clock.forward(hours=25)
    assert signed_in(house.browser(), NUMBER).identity is not None
    signed_in(ann)
    with_totp(ann)
    assert second_step(house, house.browser()).hold == Prove(("totp", "sms"))
    ann.do(totp.remove)
    assert signed_in(house.browser()).identity is not None


def test_where_the_policy_lets_it_stand_alone_it_does_at_once(open_house: Open) -> None:
    house = open_house(**SENDS, policy=replace(Policy.standard(), sms_alone=True))
    with_phone(signed_up(house))
    guest = house.browser()
    assert second_step(house, guest).hold == Prove(("sms",))
    guest.do(sms_code.send)
    assert guest.do(sms_code.sign_in, code=house.sms.code()).identity.aal == 2


def test_a_service_that_lost_its_way_to_send_lets_nobody_in_by_the_password_alone(open_house: Open) -> None:
    house = open_house(**SENDS, policy=replace(Policy.standard(), sms_alone=True))
    with_phone(signed_up(house))
    world = house.doorward.world
    house.doorward.world = replace(world, texts=False, offered=world.offered - {SMS.name})
    assert second_step(house, house.browser()).hold == Prove(())


@pytest.mark.parametrize("settings", [{}, {**SENDS, "policy": "strict"}])
def test_it_is_off_without_a_service_and_where_the_policy_is_strict(open_house: Open, settings: dict[str, str]) -> None:
    house = open_house(**settings)
    assert SMS.name not in house.doorward.world.offered
    if not settings:
        ann = signed_up(house)
        refused("wrong_method", ann.do, phone_numbers.add, phone=NUMBER)
        refused("wrong_method", ann.do, phone_numbers.confirm, code="123456")


def test_a_new_number_proves_nothing_for_a_day(open_house: Open) -> None:
    """Who moves a number to a phone of his own finds that its owner was told the day before."""
    house, ann, _ = ann_of(open_house)
    signed_in(ann)
    ann.do(sms_code.send)
    ann.do(sms_code.sign_in, code=house.sms.code())
    with_phone(ann, OTHER)
    assert second_step(house, house.browser()).hold == Prove(("totp",))
    house.clock.forward(hours=23, minutes=59)
    guest = house.browser()
    second_step(house, guest)
    refused("wrong_method", guest.do, sms_code.send)
    house.clock.forward(minutes=1)
    asked(house)
    assert house.sms.last.to == OTHER


def test_a_number_that_changes_between_code_and_proof_ends_the_code(open_house: Open) -> None:
    """MFA-22."""
    house, ann, _ = ann_of(open_house, policy=replace(Policy.standard(), sms_settling=timedelta(0)))
    guest = asked(house)
    code = house.sms.code()
    signed_in(ann)
    ann.do(sms_code.send)
    ann.do(sms_code.sign_in, code=house.sms.code())
    with_phone(ann, OTHER)
    refused("wrong_code", guest.do, sms_code.sign_in, code=code)
    house.run(lambda call: set_phone(call, "ann@example.com", NUMBER))
    refused("wrong_method", guest.do, sms_code.sign_in, code=code)


def test_it_makes_a_session_fresh_again(open_house: Open) -> None:
    house, _, _ = ann_of(open_house)
    ann = asked(house)
    ann.do(sms_code.sign_in, code=house.sms.code())
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", ann.do, phone_numbers.remove)
    assert ann.do(step_up.step_up).hold == Prove(("password",))
    assert signed_in(ann, attempt=ann.client.attempt).hold == Prove(("totp", "sms"))
    ann.do(sms_code.send)
    assert ann.do(sms_code.sign_in, code=house.sms.code()).identity.aal == 2
    ann.do(phone_numbers.remove)


def test_who_guesses_codes_is_told_of_and_the_owners_own_device_still_opens_the_door(open_house: Open) -> None:
    house, owner, _ = ann_of(open_house, policy=replace(Policy.standard(), texts_per_number=1000, texts_per_range=1000))
    thief = house.browser("198.51.100.6")
    for _ in range(17):
        wait_out_limits(house)
        asked(house, thief)
        for _ in range(5):
            refused("wrong_code", thief.do, sms_code.sign_in, code=wrong(house.sms.code()))
    assert house.mail.to("ann@example.com").count("second_step_closed") == 1
    wait_out_limits(house)
    asked(house, thief)
    refused("wrong_code", thief.do, sms_code.sign_in, code=house.sms.code())
    asked(house, owner)
    assert owner.do(sms_code.sign_in, code=house.sms.code()).identity is not None


def test_the_page_of_the_second_step_names_the_method_used_last_first(open_house: Open) -> None:
    """What stands in for a lost factor comes last, also where it was used last."""
    house, _, secret = ann_of(open_house)
    ann = asked(house)

    def offered() -> Any:
        guest = house.browser()
        second_step(house, guest)
        return guest.run(step_up.load_step, {})["methods"]

    assert offered() == ("totp", "sms")  # the app, when it was set up
    ann.do(sms_code.sign_in, code=house.sms.code())
    codes = recovery(ann)
    assert offered() == ("sms", "totp", "recovery_code")
    house.clock.forward(minutes=1)
    second_step(house, ann)
    ann.do(totp.sign_in, code=code_of(house, secret))
    assert offered() == ("totp", "sms", "recovery_code")
    house.clock.forward(minutes=1)
    second_step(house, ann)
    ann.do(recovery_codes.sign_in, code=codes[0])
    assert offered() == ("totp", "sms", "recovery_code")
