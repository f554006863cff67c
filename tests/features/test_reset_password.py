"""A forgotten password: one answer for everybody, letters that are good once, and no way round the gates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from doorward.core import links
from doorward.core.by_mail import LINKS, RESET_LINK
from doorward.core.records import Authenticator, EmailAddress, User
from doorward.core.steps import Enroll, Prove
from doorward.features import email_code, password, recovery_codes, reset_password, sessions, totp, verify_email
from doorward.testing.doubles import House
from tests.features.forgetful import ANN, NEW, by_code, by_link, change, forgot, of_the_host, rows
from tests.features.people import PASSWORD, code_of, refused, signed_in, signed_up, with_totp

# One answer


def test_known_and_unknown_get_one_answer_and_cost_the_same(house: House) -> None:
    signed_up(house)
    signed_up(house, "closed@example.com")
    change(house, User, {"email": "closed@example.com"}, active=False)
    answers, costs = [], []
    for email in (ANN, "nobody@example.com", "closed@example.com"):
        before, worked, letters = rows(house), house.hash.worked, len(house.mail.letters)
        guest = house.program()
        answers.append(guest.do(reset_password.forgot, email=email))
        costs.append((rows(house) - before, house.hash.worked - worked))
        assert len(house.mail.letters) - letters == (email == ANN)
    assert {(answer.hold, len(answer.attempt), answer.expires_in) for answer in answers} == {
        (Prove(("email",)), 43, 30 * 60)
    }
    assert costs[0] == costs[1] == costs[2]
    assert house.mail.messages[-1].kind == "nothing"


def test_an_attempt_of_nobody_fails_as_a_wrong_code_does_in_all_ways(house: House) -> None:
    signed_up(house, name="Bartholomew")
    for email in (ANN, "nobody@example.com"):
        guest = forgot(house, email)
        attempt = guest.client.attempt
        refused("wrong_method", signed_in, guest, attempt=attempt)
        refused("wrong_method", guest.do, totp.sign_in, code="123456")
        refused("wrong_method", guest.do, totp.begin, attempt=attempt)
        # What an account is called is not said before the code is right.
        refused("wrong_code", by_code, guest, "000000", "Bartholomew 12345")
        for _ in range(3):
            refused("wrong_code", by_code, guest, "000000")
        refused("attempt_expired", by_code, guest, "000000")


def test_it_asks_for_an_address_and_is_limited(house: House) -> None:
    for wrong in ("", "annie", "ann@localhost", "a@b", 7, None, ["ann@example.com"], "ann@example.com\0"):
        refused("invalid_input", house.browser().do, reset_password.forgot, email=wrong)
    refused("invalid_input", house.browser().do, reset_password.forgot, email=ANN, user_id="x")
    refused("invalid_input", house.browser().do, reset_password.forgot, email=ANN, return_to="https://evil.example/")
    for email in (ANN, "nobody@example.com"):
        most = house.doorward.world.policy.letters_per_day
        for number in range(most):
            forgot(house, email, ip=f"198.51.100.{number}")
        refused("too_many_attempts", forgot, house, email.upper())


# The way back in


def test_the_code_sets_a_password_and_signs_in(house: House) -> None:
    owner = signed_up(house)
    guest = forgot(house, "Ann@Example.COM")
    assert house.mail.last.to == ANN
    answer = by_code(guest)
    assert (answer.identity.user.email, answer.identity.amr, answer.identity.aal) == (ANN, ("email",), 1)
    assert house.mail.to(ANN)[-1] == "password_reset"
    refused("not_signed_in", owner.do, sessions.session)
    refused("wrong_credentials", signed_in, house.browser())
    assert signed_in(house.browser(), password_=NEW).identity is not None


def test_the_link_works_anywhere_and_keeps_what_was_asked_for_where_it_was(house: House) -> None:
    signed_up(house)
    guest = forgot(house, return_to="/shelf", remember=True)
    assert by_link(guest).return_to == "/shelf"
    forgot(house, return_to="/shelf")
    elsewhere = house.browser("203.0.113.5")
    answer = by_link(elsewhere, new=PASSWORD)
    assert (answer.identity.user.email, answer.return_to) == (ANN, "")
    forgot(house)
    program = house.program()
    given = program.do(reset_password.reset, token=house.mail.token(), new_password=NEW, issue="tokens")
    assert given.tokens["token_type"] == "Bearer"


def test_looking_at_a_link_changes_nothing_and_shows_the_account_masked(house: House) -> None:
    signed_up(house)
    forgot(house)
    token = house.mail.token()
    for _ in range(3):
        shown = house.run(reset_password.load_reset, {"token": token})
        assert shown == {"token": token, "to": "a•••@example.com", "username": ""}
    assert by_link(house.browser(), token).identity is not None
    refused("invalid_token", house.run, reset_password.load_reset, {"token": token})


def test_a_password_that_is_not_taken_costs_neither_code_nor_link(house: House) -> None:
    signed_up(house, name="Bartholomew")
    guest = forgot(house)
    code, token = house.mail.code(), house.mail.token()
    for bad, reason in (("short", "password_too_short"), ("password12345678", "password_known")):
        refused(reason, by_code, guest, code, bad)
        refused(reason, by_link, guest, token, bad)
    refused("password_context", by_link, guest, token, "Bartholomew 1234")
    refused("password_context", by_code, guest, code, "Bartholomew 1234")
    assert by_code(guest, code).identity is not None


# Letters are good once, for a while, for one thing


@pytest.mark.parametrize("by", [by_code, by_link])
def test_either_is_good_once_and_ends_the_other(house: House, by: Callable[..., Any]) -> None:
    signed_up(house)
    other = forgot(house)
    olders, older = house.mail.code(), house.mail.token()
    guest = forgot(house)
    code, token, kept = house.mail.code(), house.mail.token(), guest.client
    by(guest)
    guest.client = kept
    refused("no_sign_in_under_way", by_code, guest, code)
    for used in (older, token):
        refused("invalid_token", by_link, house.browser(), used)
    refused("attempt_expired", by_code, other, olders)


def test_a_code_that_is_used_is_used_also_while_more_is_asked(house: House) -> None:
    with_totp(signed_up(house))
    guest = forgot(house)
    code = house.mail.code()
    assert by_code(guest, code).hold == Prove(("totp",))
    refused("wrong_code", by_code, guest, code, PASSWORD)


def test_wrong_codes_never_disable_the_link(house: House) -> None:
    signed_up(house)
    guest = forgot(house)
    token = house.mail.token()
    for _ in range(5):
        refused("wrong_code", by_code, guest, "000000")
    refused("attempt_expired", by_code, guest, house.mail.code())
    assert by_link(guest, token).identity is not None


def test_the_three_newest_links_are_good(house: House) -> None:
    signed_up(house)
    tokens = []
    for _ in range(4):
        forgot(house)
        tokens.append(house.mail.token())
        house.clock.forward(seconds=1)
    refused("invalid_token", by_link, house.browser(), tokens[0])
    assert by_link(house.browser(), tokens[1]).identity is not None


def test_a_letter_lasts_half_an_hour_and_its_code_ten_minutes(house: House) -> None:
    signed_up(house)
    guest = forgot(house)
    code, token = house.mail.code(), house.mail.token()
    house.clock.forward(minutes=10)
    refused("wrong_code", by_code, guest, code)
    house.clock.forward(minutes=19, seconds=59)
    house.run(reset_password.load_reset, {"token": token})
    house.clock.forward(seconds=1)
    refused("invalid_token", by_link, guest, token)
    refused("attempt_expired", by_code, guest, code)


def test_a_token_of_another_kind_or_of_nothing_is_refused(house: House) -> None:
    owner = signed_up(house)
    sign_up_link = house.mail.token()
    guest = forgot(house)
    for token in (sign_up_link, owner.session, guest.client.attempt, "A" * 43, "x"):
        refused("invalid_token", by_link, house.browser(), token)
    refused("invalid_token", house.browser().do, verify_email.verify, token=house.mail.token())
    for given in ({}, {"token": ""}, {"token": None}, {"token": []}, {"token": "x", "code": "123456"}):
        refused("invalid_input", guest.do, reset_password.reset, new_password=NEW, **given)


def test_a_code_is_good_where_it_was_asked_for_only(house: House) -> None:
    signed_up(house)
    signed_up(house, "bob@example.com")
    guest = forgot(house)
    code = house.mail.code()
    other = forgot(house, "bob@example.com", ip="203.0.113.5")
    if code != house.mail.code():
        refused("wrong_code", by_code, other, code)
    stranger = house.browser("203.0.113.5")
    stolen = {"code": code, "new_password": NEW}
    refused("no_sign_in_under_way", stranger.do, reset_password.reset, attempt=guest.client.attempt, **stolen)
    refused("no_sign_in_under_way", stranger.do, verify_email.verify, code=code)


@pytest.mark.parametrize("what", ["password", "address", "links", "disabled"])
def test_what_changes_the_account_ends_letters_on_their_way(house: House, what: str) -> None:
    owner = signed_up(house)
    guest = forgot(house)
    code, token = house.mail.code(), house.mail.token()
    if what == "password":
        owner.do(password.change, current_password=PASSWORD, new_password="twelve green bottles hang")
    elif what == "address":
        moved = {"address": "new@example.com", "canonical": "new@example.com", "verified_key": "new@example.com"}
        change(house, EmailAddress, {"canonical": ANN}, **moved)
    elif what == "links":
        house.run(links.remove_links, owner.do(sessions.session).identity.user.id, *LINKS)
    else:
        change(house, User, {}, active=False)
    refused("invalid_token", by_link, house.browser(), token)
    if what != "links":
        refused("attempt_expired" if what == "password" else "wrong_code", by_code, guest, code)


# Gates


def test_a_second_factor_is_asked_for_and_mail_is_none(house: House) -> None:
    """RESET-19, ASVS 6.4.3."""
    secret = with_totp(signed_up(house))
    guest = forgot(house)
    assert by_code(guest).hold == Prove(("totp",))
    refused("not_signed_in", guest.do, sessions.session)
    refused("wrong_method", guest.do, totp.begin, attempt=guest.client.attempt)
    answer = guest.do(totp.sign_in, code=code_of(house, secret))
    assert (answer.identity.amr, answer.identity.aal) == (("email", "otp"), 1)


def test_what_needs_a_fresh_second_factor_needs_the_new_password_too(house: House) -> None:
    """Mail and app are AAL1: rule 26 asks for the highest level that this user can reach."""
    secret = with_totp(signed_up(house))
    guest = forgot(house)
    by_code(guest)
    guest.do(totp.sign_in, code=code_of(house, secret))
    refusal = refused("fresh_proof_required", guest.do, recovery_codes.generate)
    assert refusal.methods == ("password",)
    refused("fresh_proof_required", guest.do, password.change, current_password=NEW, new_password=PASSWORD)


def test_the_proof_that_reset_the_password_enrols_nothing(house: House) -> None:
    """Rule 7."""
    signed_up(house)
    guest = forgot(house)
    by_code(guest)
    for action in (totp.begin, recovery_codes.generate):
        refused("fresh_proof_required", guest.do, action)
    signed_in(guest, password_=NEW)
    assert guest.do(totp.begin).secret


def test_nor_does_it_on_the_way_in(open_house: Callable[..., House]) -> None:
    house = open_house(policy="strict")
    of_the_host(house, "bob", email="bob@example.com")
    guest = forgot(house, "bob@example.com")
    assert by_code(guest).hold == Prove(("password",))
    held = signed_in(guest, "bob@example.com", NEW, attempt=guest.client.attempt)
    assert held.hold == Prove(("email",))
    refused("wrong_method", guest.do, totp.begin)
    guest.do(email_code.send)
    assert guest.do(email_code.sign_in, code=house.mail.code()).hold == Enroll(("passkey", "totp"))
    assert guest.do(totp.begin).secret


def test_a_reset_binds_a_password_anew_that_was_guessed_at(house: House) -> None:
    signed_up(house)
    change(house, Authenticator, {"kind": "password"}, failures=80, known_failures=20, disabled_at=house.clock.now)
    refused("wrong_credentials", signed_in, house.browser())
    guest = forgot(house)
    by_link(guest)
    assert signed_in(house.browser("203.0.113.5"), password_=NEW).identity is not None


def test_who_reset_has_the_tries_that_strangers_can_not_use_up(house: House) -> None:
    """Rule 12: else strangers who guess at codes would keep the owner out for ever."""
    secret = with_totp(signed_up(house))
    change(house, Authenticator, {"kind": "totp"}, failures=80)
    stranger = house.browser("203.0.113.5")
    signed_in(stranger)
    refused("wrong_code", stranger.do, totp.sign_in, code=code_of(house, secret))
    guest = forgot(house)
    by_code(guest)
    assert guest.do(totp.sign_in, code=code_of(house, secret)).identity is not None


def test_programs_are_signed_out_as_well(house: House) -> None:
    """RESET-20."""
    signed_up(house)
    program = house.program()
    program.bearer = signed_in(program, issue="tokens").tokens["access_token"]
    assert program.do(sessions.session).identity is not None
    by_code(forgot(house))
    refused("invalid_bearer", program.do, sessions.session)


def test_the_purpose_is_part_of_the_link(house: House) -> None:
    signed_up(house)
    forgot(house)
    token = house.mail.token()
    refused("invalid_token", house.run, links.find_link, "magic", token)
    assert house.run(links.find_link, RESET_LINK, token).subject == ANN
    guest = house.browser()
    guest.client = replace(guest.client, attempt=token)
    refused("no_sign_in_under_way", by_code, guest, "123456")
