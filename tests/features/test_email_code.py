"""Sign-in by a mailed code: one answer for everybody, five tries, once, and no more than the mailbox is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from doorward.core.policy import Policy
from doorward.core.records import User
from doorward.core.steps import Prove
from doorward.features import email_code, password, reset_password, sessions, step_up, totp
from doorward.testing.doubles import Guest, House
from tests.features.forgetful import ANN, change, of_the_host, rows
from tests.features.people import PASSWORD, code_of, refused, signed_in, signed_up, with_totp


def asked(house: House, identifier: str = ANN, **more: object) -> Guest:
    guest = house.browser("192.0.2.9")
    guest.do(email_code.send, identifier=identifier, **more)
    return guest


def test_a_code_signs_in_at_aal1(house: House) -> None:
    signed_up(house, username="annie")
    for identifier in ("Ann@Example.com", "annie"):
        guest = asked(house, identifier, return_to="/shelf")
        assert house.mail.last.to == ANN
        answer = guest.do(email_code.sign_in, code=house.mail.code())
        assert (answer.identity.amr, answer.identity.aal, answer.return_to) == (("email",), 1, "/shelf")


def test_known_and_unknown_get_one_answer_and_cost_the_same(house: House) -> None:
    signed_up(house, username="annie")
    answers, costs = [], []
    for identifier in (ANN, "nobody@example.com", "annie", "nobody"):
        before, worked = rows(house), house.hash.worked
        answers.append(house.program().do(email_code.send, identifier=identifier))
        costs.append((rows(house) - before, house.hash.worked - worked))
    assert len({(answer.hold, len(answer.attempt), answer.expires_in) for answer in answers}) == 1
    # The address behind a user name is nobody's to see.
    assert [answer.to for answer in answers] == ["a•••@example.com", "n•••@example.com", "", ""]
    assert costs[0] == costs[1] == costs[2] == costs[3]


def test_a_code_is_good_once_for_ten_minutes_and_five_tries(house: House) -> None:
    signed_up(house)
    guest = asked(house)
    kept, code = guest.client, house.mail.code()
    guest.do(email_code.sign_in, code=code)
    guest.client = kept
    refused("no_sign_in_under_way", guest.do, email_code.sign_in, code=code)
    guest = asked(house)
    for _ in range(5):
        refused("wrong_code", guest.do, email_code.sign_in, code="000000")
    refused("attempt_expired", guest.do, email_code.sign_in, code=house.mail.code())
    guest = asked(house)
    house.clock.forward(minutes=9, seconds=59)
    code = house.mail.code()
    house.clock.forward(seconds=1)
    refused("attempt_expired", guest.do, email_code.sign_in, code=code)


def test_a_second_factor_is_asked_for_and_two_letters_are_none(house: House) -> None:
    secret = with_totp(signed_up(house))
    guest = asked(house)
    code = house.mail.code()
    assert guest.do(email_code.sign_in, code=code).hold == Prove(("totp",))
    refused("not_signed_in", guest.do, sessions.session)
    refused("wrong_code", guest.do, email_code.sign_in, code=code)
    refused("wrong_method", guest.do, email_code.send)
    answer = guest.do(totp.sign_in, code=code_of(house, secret))
    assert (answer.identity.amr, answer.identity.aal) == (("email", "otp"), 1)
    change_it = {"current_password": PASSWORD, "new_password": "a heron stood by the weir"}
    refused("fresh_proof_required", guest.do, password.change, **change_it)


@pytest.mark.parametrize("what", ["password", "disabled"])
def test_a_code_does_not_outlive_what_it_was_sent_under(house: House, what: str) -> None:
    owner = signed_up(house)
    guest = asked(house)
    if what == "password":
        owner.do(password.change, current_password=PASSWORD, new_password="a heron stood by the weir")
        refused("attempt_expired", guest.do, email_code.sign_in, code=house.mail.messages and code_sent(house))
    else:
        change(house, User, {}, active=False)
        refused("wrong_code", guest.do, email_code.sign_in, code=code_sent(house))


def code_sent(house: House) -> str:
    return next(letter.words["code"] for letter in house.mail.letters[::-1] if "code" in letter.words)


def test_a_code_is_for_its_attempt_and_its_purpose(house: House) -> None:
    signed_up(house)
    asked(house)
    code = house.mail.code()
    other = house.browser("203.0.113.5")
    other.do(reset_password.forgot, email=ANN)
    refused("no_sign_in_under_way", other.do, email_code.sign_in, code=house.mail.code())
    refused("no_sign_in_under_way", other.do, email_code.send)
    refused("wrong_code", other.do, reset_password.reset, code=code, new_password="a heron stood by the weir")


def test_another_letter_ends_the_code_before_it_for_nobody_too(house: House) -> None:
    signed_up(house)
    guest = asked(house)
    code = house.mail.code()
    guest.do(email_code.send)
    if code != house.mail.code():
        refused("wrong_code", guest.do, email_code.sign_in, code=code)
    assert guest.do(email_code.sign_in, code=house.mail.code()).identity is not None
    nobody, letters = asked(house, "nobody@example.com"), len(house.mail.letters)
    assert nobody.do(email_code.send).hold == Prove(("email",))
    assert len(house.mail.letters) == letters


def test_who_has_no_password_proves_the_mailbox_afresh_and_sets_one(house: House) -> None:
    of_the_host(house, "ann", username="annie")
    guest = asked(house, "annie")
    guest.do(email_code.sign_in, code=house.mail.code())
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", guest.do, reset_password.set_first, new_password=PASSWORD)
    held = guest.do(step_up.step_up)
    assert held.hold == Prove(("email",))
    guest.do(email_code.send, attempt=held.attempt)
    guest.do(email_code.sign_in, code=house.mail.code())
    guest.do(reset_password.set_first, new_password=PASSWORD)
    assert signed_in(house.browser(), "annie").identity is not None


def test_programs_get_tokens(house: House) -> None:
    signed_up(house)
    program = house.program()
    held = program.do(email_code.send, identifier=ANN, issue="tokens")
    answer = program.do(email_code.sign_in, code=house.mail.code(), attempt=held.attempt)
    assert answer.tokens["token_type"] == "Bearer"


def test_strict_lets_nobody_in_by_mail(open_house: Callable[..., House]) -> None:
    house = open_house(policy="strict")
    refusal = refused("wrong_method", house.browser().do, email_code.send, identifier=ANN)
    assert refusal.detail.startswith("This service lets nobody in by mail alone")
    refused("no_sign_in_under_way", house.browser().do, email_code.sign_in, code="123456")
    assert house.mail.messages == []


def test_an_attempt_of_before_mail_let_nobody_in_is_good_no_more(open_house: Callable[..., House]) -> None:
    house = open_house()
    signed_up(house)
    guest = asked(house)
    house.doorward.world = replace(house.doorward.world, policy=Policy.strict())
    for action, given in ((email_code.sign_in, {"code": house.mail.code()}), (email_code.send, {})):
        refused("wrong_method", guest.do, action, **given)


@pytest.mark.parametrize("identifier", ["", 7, None, ["x"], "x" * 255, "a\0b"])
def test_bad_identifiers_are_named(house: House, identifier: object) -> None:
    guest = house.browser()
    reason = "no_sign_in_under_way" if identifier is None else "invalid_input"
    refused(reason, guest.do, email_code.send, identifier=identifier)
