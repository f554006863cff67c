"""Phone numbers: one signs in by them, in every spelling; people prove their own, or an operator vouches for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.attempt import Attempt
from doorward.core.call import Call
from doorward.core.policy import Policy
from doorward.core.records import Authenticator, OutboxMessage, PhoneNumber, User
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.steps import Verify
from doorward.core.users import canonical_identifier, find_user
from doorward.features import change_email, phone_numbers, recovery_codes, sign_up, verify_email
from doorward.http.answers import user_shape
from doorward.server.people import set_phone
from doorward.testing.doubles import Guest, House
from tests.features.people import refused, signed_in, signed_up, wait_out_limits, with_totp
from tests.features.phones import OTHER, SENDS, with_phone

NUMBER = "+49 171 1234567"


def test_one_signs_in_by_it_in_every_spelling(open_house: Callable[..., House]) -> None:
    house = open_house(phone_region="DE")
    ann = signed_up(house)
    assert house.run(lambda call: set_phone(call, "ann@example.com", NUMBER))["phone"] == "+491711234567"
    for typed in (NUMBER, "0171 1234567", "+49-171-1234567"):
        assert signed_in(house.browser(), typed).identity is not None
        assert canonical_identifier(typed, region="DE") == "+491711234567"

    async def shape(call: Call) -> object:
        (user,) = await call.store.find(User)
        return (await user_shape(call, user))["phone"]

    assert ann.house.run(shape) == "+491711234567"


def test_a_number_has_one_user_and_a_user_one_number(house: House) -> None:
    signed_up(house)
    signed_up(house, "bob@example.com")
    house.run(lambda call: set_phone(call, "ann@example.com", NUMBER))
    refused("state_changed", house.run, lambda call: set_phone(call, "bob@example.com", "+49 (171) 123 4567"))
    house.run(lambda call: set_phone(call, "ann@example.com", "+49 171 7654321"))
    refused("wrong_credentials", signed_in, house.browser(), NUMBER)
    house.run(lambda call: set_phone(call, "bob@example.com", NUMBER))
    house.run(lambda call: set_phone(call, NUMBER, None))
    assert house.run(lambda call: find_user(call, NUMBER)) is None


def test_a_number_that_nobody_vouches_for_is_nobodys(house: House) -> None:
    signed_up(house)

    async def unproved(call: Call) -> object:
        (user,) = await call.store.find(User)
        row = PhoneNumber(id="x", user_id=user.id, number="+491711234567", created_at=call.now)
        await call.store.add(row)
        return await find_user(call, NUMBER), (await user_shape(call, user))["phone"]

    assert house.run(unproved) == (None, None)


@pytest.mark.parametrize("number", ["112", "+1 900 234 5678", "0171 1234567", "ann@example.com", "+49"])
def test_what_is_no_number_of_a_person_is_given_to_nobody(house: House, number: str) -> None:
    signed_up(house)
    refused("invalid_input", house.run, lambda call: set_phone(call, "ann@example.com", number))


def test_a_region_that_is_none_is_named_at_start(open_house: Callable[..., House]) -> None:
    with pytest.raises(Misconfigured, match="expected a region"):
        open_house(phone_region="Germany")


# Numbers that people add themselves


@pytest.fixture
def sending(open_house: Callable[..., House]) -> House:
    """A house that sends text messages to Germany."""
    return open_house(**SENDS)


def number_of(guest: Guest) -> Any:
    return [(one.phone, one.verified, one.second_step) for one in guest.do(phone_numbers.list_phones).items]


def test_a_number_is_added_by_the_code_that_comes_to_it(sending: House) -> None:
    ann = signed_up(sending)
    answer = ann.do(phone_numbers.add, phone="0171 1234567")
    assert (answer.hold, answer.to, answer.expires_in) == (Verify("phone"), "+49 ••• 67", 600)
    assert answer.attempt == ""
    assert number_of(ann) == [("+491711234567", False, False)]
    refused("wrong_credentials", signed_in, sending.browser(), NUMBER)
    assert sending.sms.text().startswith(f"{sending.sms.code()} is the code that adds this number")
    ann.do(phone_numbers.confirm, code=sending.sms.code())
    assert number_of(ann) == [("+491711234567", True, False)]
    assert sending.mail.to("ann@example.com")[-1] == "authenticator_added"
    assert sending.mail.last.words["device"] == "+49 ••• 67"
    assert signed_in(sending.browser(), "0171 1234567").identity is not None
    assert refused("invalid_input", ann.do, phone_numbers.add, phone=NUMBER).errors[0].reason == "known"


def test_a_change_waits_for_its_proof_and_is_told_to_all_addresses(sending: House) -> None:
    ann = signed_up(sending)
    ann.do(change_email.add, email="second@example.com")
    ann.do(verify_email.verify, code=sending.mail.code())
    with_phone(ann)
    ann.do(phone_numbers.add, phone=OTHER)
    assert number_of(ann) == [("+491711234567", True, False), (OTHER, False, False)]
    assert signed_in(sending.browser(), NUMBER).identity is not None
    before = len(sending.mail.letters)
    ann.do(phone_numbers.confirm, code=sending.sms.code())
    told = [(one.to, one.template) for one in sending.mail.letters[before:]]
    for address in ("ann@example.com", "second@example.com"):
        assert (address, "authenticator_removed") in told
        assert (address, "authenticator_added") in told
    assert number_of(ann) == [(OTHER, True, False)]
    refused("wrong_credentials", signed_in, sending.browser(), NUMBER)


def test_a_number_of_somebody_else_answers_the_same_and_its_owner_is_told(sending: House) -> None:
    """Rule 14: no 409, the same rows; and no code is right."""
    ann, bob = signed_up(sending), signed_up(sending, "bob@example.com")
    with_phone(ann)
    free = bob.do(phone_numbers.add, phone=OTHER)
    rows = sending.run(_rows)
    taken = bob.do(phone_numbers.add, phone=NUMBER)
    assert replace(taken, to="") == replace(free, to="")
    assert sending.run(_rows) == (rows[0], rows[1] + 1)
    assert (sending.sms.last.to, sending.sms.last.template) == ("+491711234567", "phone_wanted")
    assert "code" not in sending.sms.last.words
    for number in range(5):
        refused("wrong_code", bob.do, phone_numbers.confirm, code=f"{number:06d}")
    assert signed_in(sending.browser(), NUMBER).identity.user.email == "ann@example.com"


async def _rows(call: Call) -> tuple[int, int]:
    return await call.store.count(Attempt), await call.store.count(OutboxMessage)


def test_of_two_who_prove_one_number_the_first_has_it(sending: House) -> None:
    ann, bob = signed_up(sending), signed_up(sending, "bob@example.com")
    ann.do(phone_numbers.add, phone=NUMBER)
    anns = sending.sms.code()
    bob.do(phone_numbers.add, phone=NUMBER)
    ann.do(phone_numbers.confirm, code=anns)
    refused("state_changed", bob.do, phone_numbers.confirm, code=sending.sms.code())
    assert number_of(bob) == [("+491711234567", False, False)]
    assert sending.run(lambda call: call.store.count(Authenticator, kind="sms")) == 1


def test_of_forty_confirmations_at_once_one_adds_it(sending: House) -> None:
    ann = signed_up(sending)
    ann.do(phone_numbers.add, phone=NUMBER)
    code, before = sending.sms.code(), len(sending.mail.letters)

    def confirm(_: int) -> str:
        twin = sending.browser()
        twin.session = ann.session
        try:
            twin.do(phone_numbers.confirm, code=code)
        except Refused as refusal:
            return refusal.reason
        return "added"

    with ThreadPoolExecutor(40) as pool:
        outcomes = list(pool.map(confirm, range(40)))
    assert outcomes.count("added") == 1, outcomes
    assert set(outcomes) <= {"added", "wrong_code", "state_changed", "attempt_expired"}
    assert len(sending.mail.letters) == before + 1


def test_a_code_is_good_for_its_number_in_its_session_alone(sending: House) -> None:
    ann = signed_up(sending)
    elsewhere = sending.browser()
    signed_in(elsewhere)
    ann.do(phone_numbers.add, phone=NUMBER)
    first = sending.sms.code()
    refused("state_changed", elsewhere.do, phone_numbers.confirm, code=first)
    bob = signed_up(sending, "bob@example.com")
    refused("state_changed", bob.do, phone_numbers.confirm, code=first)
    ann.do(phone_numbers.add, phone=OTHER)
    refused("wrong_code", ann.do, phone_numbers.confirm, code=first)
    refused("wrong_code", ann.do, phone_numbers.confirm, code=sending.mail.code())
    ann.do(phone_numbers.confirm, code=sending.sms.code())
    assert number_of(ann) == [(OTHER, True, False)]
    refused("state_changed", ann.do, phone_numbers.confirm, code=sending.sms.code())


def test_a_code_has_five_tries_and_ten_minutes(sending: House) -> None:
    ann = signed_up(sending)
    ann.do(phone_numbers.add, phone=NUMBER)
    for _ in range(5):
        refused("wrong_code", ann.do, phone_numbers.confirm, code="abcdef")
    refused("state_changed", ann.do, phone_numbers.confirm, code=sending.sms.code())
    ann.do(phone_numbers.add, phone=NUMBER)
    sending.clock.forward(minutes=10)
    refused("state_changed", ann.do, phone_numbers.confirm, code=sending.sms.code())


def test_adding_and_removing_need_a_fresh_proof_of_both_factors(sending: House) -> None:
    """Rule 43; NIST SP 800-63B-4 §3.1.3.3: to set a number is to bind an authenticator. Confirming goes on with it."""
    ann = signed_up(sending)
    with_totp(ann)
    refused("not_signed_in", sending.browser().do, phone_numbers.add, phone=NUMBER)
    waiting = sending.browser()
    signed_in(waiting)
    for action, given in ((phone_numbers.add, {"phone": NUMBER}), (phone_numbers.remove, {})):
        refused("not_signed_in", waiting.do, action, **given)
    refused("not_signed_in", waiting.do, phone_numbers.confirm, code="123456")
    ann.do(phone_numbers.add, phone=NUMBER)
    sending.clock.forward(minutes=9, seconds=59)
    ann.do(phone_numbers.confirm, code=sending.sms.code())
    sending.clock.forward(minutes=1)
    for action, given in ((phone_numbers.add, {"phone": OTHER}), (phone_numbers.remove, {})):
        refused("fresh_proof_required", ann.do, action, **given)


def test_remove(sending: House) -> None:
    ann = signed_up(sending)
    refused("not_found", ann.do, phone_numbers.remove)
    with_phone(ann)
    ann.do(phone_numbers.add, phone=OTHER)
    ann.do(phone_numbers.remove)
    assert sending.mail.to("ann@example.com")[-1] == "authenticator_removed"
    assert number_of(ann) == []
    refused("wrong_credentials", signed_in, sending.browser(), NUMBER)
    refused("state_changed", ann.do, phone_numbers.confirm, code=sending.sms.code())
    bob = signed_up(sending, "bob@example.com")
    with_phone(bob)
    assert number_of(bob) == [("+491711234567", True, False)]


def test_the_last_second_factor_stays_where_one_is_demanded(open_house: Callable[..., House]) -> None:
    policy = replace(Policy.standard(), second_factor_required=True, sms_alone=True)
    house = open_house(**SENDS, policy=policy)
    ann = house.browser()
    ann.do(sign_up.sign_up, email="ann@example.com", password="plenty of brown sparrows")
    ann.do(verify_email.verify, code=house.mail.code())
    with_totp(ann)
    with_phone(ann)
    ann.do(phone_numbers.remove)
    with_phone(ann)
    house.run(lambda call: call.store.remove(Authenticator, kind="totp"))
    refused("last_authenticator", ann.do, phone_numbers.remove)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+1 900 234 5678", "not_valid"),  # premium
        ("+49 900 1234567", "not_valid"),
        ("+870 773 111632", "not_offered"),  # satellite
        ("+883 510 012345", "not_offered"),  # a network of no country
        ("112", "not_valid"),
        ("ann@example.com", "not_valid"),
        ("+49 30 123456", "not_offered"),  # a fixed line shows no message
        ("+43 664 1234567", "not_offered"),  # another country
        ("+1 876 555 0123", "not_offered"),  # +1, and yet far from cheap
        ("+49 171 1234567\u200b", "not_valid"),
        ("+" + "4" * 41, "not_valid"),
    ],
)
def test_what_gets_no_message(sending: House, number: str, reason: str) -> None:
    ann = signed_up(sending)
    assert refused("invalid_input", ann.do, phone_numbers.add, phone=number).errors[0].reason == reason
    assert sending.sms.letters == []


@pytest.mark.parametrize(
    "given",
    [{}, {"phone": 491711234567}, {"phone": [NUMBER]}, {"phone": NUMBER, "verified": True}, {"phone": "1" * 61}],
)
def test_inputs_are_closed(sending: House, given: dict[str, Any]) -> None:
    """RESET-13: nobody says of their own number that it is verified."""
    ann = signed_up(sending)
    refused("invalid_input", ann.do, phone_numbers.add, **given)
    refused("invalid_input", ann.do, phone_numbers.confirm, code=123456)
    refused("invalid_input", ann.do, phone_numbers.remove, phone=NUMBER)


def test_nobody_has_messages_sent_to_a_stranger_all_day(sending: House) -> None:
    """Five a day to a number that nobody has proved, whoever asks; and five by one who asks, whatever the number."""
    people = [signed_up(sending, f"{number}@example.com") for number in range(6)]
    for guest in people[:5]:
        guest.do(phone_numbers.add, phone=NUMBER)
    assert refused("too_many_attempts", people[5].do, phone_numbers.add, phone=NUMBER).retry_after
    wait_out_limits(sending)
    for last in range(5):
        people[0].do(phone_numbers.add, phone=f"+49 171 123456{last}")
    refused("too_many_attempts", people[0].do, phone_numbers.add, phone="+49 171 1234569")


def test_an_operator_who_gives_another_number_ends_the_factor_that_it_was(sending: House) -> None:
    ann = signed_up(sending)
    with_totp(ann)
    with_phone(ann)
    sending.clock.forward(hours=24)
    signed_in(ann)
    sending.run(lambda call: set_phone(call, "ann@example.com", OTHER))
    assert sending.run(lambda call: call.store.count(Authenticator, kind="sms")) == 0


def test_a_number_that_an_operator_vouched_for_becomes_a_factor_by_its_own_proof(sending: House) -> None:
    ann = signed_up(sending)
    with_totp(ann)
    sending.run(lambda call: set_phone(call, "ann@example.com", NUMBER))
    (one,) = ann.do(phone_numbers.list_phones).items
    assert (one.verified, one.second_step, one.settles_at) == (True, False, None)
    before = len(sending.mail.letters)
    with_phone(ann)
    assert [letter.template for letter in sending.mail.letters[before:]] == ["authenticator_added"]
    sending.clock.forward(hours=24)
    fresh = sending.browser()
    assert set(signed_in(fresh).hold.methods) == {"totp", "sms"}


def test_recovery_codes_are_not_what_a_number_can_stand_beside(sending: House) -> None:
    ann = signed_up(sending)
    with_phone(ann)
    ann.do(recovery_codes.generate)
    sending.clock.forward(hours=25)
    assert signed_in(sending.browser()).identity is not None
