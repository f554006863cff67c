"""Sign-in by a mailed link: a page that asks, the browser that says yes, once, and no more than mail is worth."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from doorward.core.records import User
from doorward.core.steps import Prove
from doorward.features import email_code, magic_link, password, reset_password, sessions, totp
from doorward.testing.doubles import Guest, House
from tests.features.forgetful import ANN, NEW, change, forgot, rows
from tests.features.people import PASSWORD, code_of, refused, signed_up, with_totp


def asked(house: House, identifier: str = ANN, **more: object) -> Guest:
    guest = house.browser("192.0.2.9")
    guest.do(magic_link.send, identifier=identifier, **more)
    return guest


def test_a_link_signs_in_where_it_was_asked_for_and_elsewhere(house: House) -> None:
    signed_up(house)
    guest = asked(house, return_to="/shelf")
    token = house.mail.token()
    answer = guest.do(magic_link.sign_in, token=token)
    assert (answer.identity.amr, answer.identity.aal, answer.return_to) == (("email",), 1, "/shelf")
    waiting, elsewhere = asked(house, return_to="/shelf"), house.browser("203.0.113.5")
    assert elsewhere.do(magic_link.sign_in, token=house.mail.token()).return_to == ""
    refused("not_signed_in", waiting.do, sessions.session)


def test_known_and_unknown_get_one_answer_and_cost_the_same(house: House) -> None:
    signed_up(house)
    answers, costs = [], []
    for identifier in (ANN, "nobody@example.com"):
        before, worked = rows(house), house.hash.worked
        answers.append(house.program().do(magic_link.send, identifier=identifier))
        costs.append((rows(house) - before, house.hash.worked - worked))
    assert len({(answer.hold, len(answer.attempt), answer.expires_in) for answer in answers}) == 1
    assert costs[0] == costs[1]


def test_looking_changes_nothing_and_says_what_will_happen(house: House) -> None:
    signed_up(house)
    guest = asked(house)
    token = house.mail.token()
    for _ in range(2):
        shown = house.run(magic_link.load_link, {"token": token})
        assert shown == {"token": token, "to": "a•••@example.com", "here": False}
    assert guest.run(magic_link.load_link, {"token": token})["here"] is True
    assert guest.do(magic_link.sign_in, token=token).identity is not None
    for refusing in (guest, house.browser()):
        refused("invalid_token", refusing.do, magic_link.sign_in, token=token)


def test_a_second_factor_is_asked_for(house: House) -> None:
    secret = with_totp(signed_up(house))
    guest = asked(house)
    assert guest.do(magic_link.sign_in, token=house.mail.token()).hold == Prove(("totp",))
    refused("not_signed_in", guest.do, sessions.session)
    answer = guest.do(totp.sign_in, code=code_of(house, secret))
    assert (answer.identity.amr, answer.identity.aal) == (("email", "otp"), 1)


def test_a_password_changed_between_the_two_steps_ends_it(house: House) -> None:
    owner = signed_up(house)
    secret = with_totp(owner)
    guest = asked(house)
    guest.do(magic_link.sign_in, token=house.mail.token())
    owner.do(password.change, current_password=PASSWORD, new_password=NEW)
    refused("attempt_expired", guest.do, totp.sign_in, code=code_of(house, secret))


@pytest.mark.parametrize("what", ["time", "password", "reset", "disabled"])
def test_a_link_does_not_outlive_what_it_was_sent_under(house: House, what: str) -> None:
    owner = signed_up(house)
    asked(house)
    token = house.mail.token()
    if what == "time":
        house.clock.forward(minutes=10)
    elif what == "password":
        owner.do(password.change, current_password=PASSWORD, new_password=NEW)
    elif what == "reset":
        forgot(house).do(reset_password.reset, code=house.mail.code(), new_password=NEW)
    else:
        change(house, User, {}, active=False)
    refused("invalid_token", house.browser().do, magic_link.sign_in, token=token)


def test_links_are_for_one_purpose(house: House) -> None:
    signed_up(house)
    asked(house)
    token = house.mail.token()
    refused("invalid_token", house.browser().do, reset_password.reset, token=token, new_password=NEW)
    forgot(house)
    for other in (house.mail.token(), "A" * 43, "x"):
        refused("invalid_token", house.browser().do, magic_link.sign_in, token=other)
    for bad in ("", None, 7, []):
        refused("invalid_input", house.browser().do, magic_link.sign_in, token=bad)
    refused("wrong_code", asked(house).do, email_code.sign_in, code="123456")


def test_no_program_gets_tokens_by_a_link(house: House) -> None:
    """Rule 5."""
    signed_up(house)
    refusal = refused("invalid_input", house.program().do, magic_link.send, identifier=ANN, issue="tokens")
    assert refusal.errors[0].field == "issue"
    guest = house.browser("192.0.2.9")
    guest.do(email_code.send, identifier=ANN, issue="tokens")
    house.browser().do(magic_link.send, identifier=ANN)
    answer = guest.do(magic_link.sign_in, token=house.mail.token())
    assert (answer.tokens, bool(guest.session)) == (None, True)


def test_strict_lets_nobody_in_by_mail(open_house: Callable[..., House]) -> None:
    house = open_house(policy="strict")
    for action, given in ((magic_link.send, {"identifier": ANN}), (magic_link.sign_in, {"token": "x"})):
        refused("wrong_method", house.browser().do, action, **given)
    assert house.mail.messages == []
