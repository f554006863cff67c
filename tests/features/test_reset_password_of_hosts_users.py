"""Users whom a host had before us reset by the host's address, also those who never had a password."""

from __future__ import annotations

from contextlib import suppress

import pytest

from doorward.core.records import Authenticator
from doorward.core.refusals import Refused
from doorward.features import reset_password, sessions
from doorward.testing.doubles import House
from tests.features.forgetful import ANN, NEW, by_code, by_link, change, forgot, of_the_host
from tests.features.people import PASSWORD, refused, signed_in, signed_up


@pytest.mark.parametrize("stored", ["!", "", None])
def test_who_never_had_a_password_gets_one(house: House, stored: str | None) -> None:
    of_the_host(house, "ann", password=stored, username="annie")
    assert by_code(forgot(house)).identity.user.id == "ann"
    assert signed_in(house.browser(), "annie", NEW).identity is not None


def test_several_who_share_an_address_get_a_link_each_that_names_them(house: House) -> None:
    """Rule 3."""
    for id, name in (("1", "ann"), ("2", "bob"), ("3", "closed")):
        of_the_host(house, id, username=name, email="Ann@example.com" if id == "2" else ANN, active=id != "3")
    guest = forgot(house)
    letters = house.mail.letters[-2:]
    assert [letter.template for letter in letters] == ["reset_password_of_one"] * 2
    assert {letter.words["username"]: letter.to for letter in letters} == {"ann": ANN, "bob": "Ann@example.com"}
    refused("wrong_code", by_code, guest, "123456")
    (of_bob,) = [letter.words["link"].partition("token=")[2] for letter in letters if letter.words["username"] == "bob"]
    assert house.run(reset_password.load_reset, {"token": of_bob})["username"] == "bob"
    assert by_link(house.browser(), of_bob).identity.user.id == "2"
    assert signed_in(house.browser(), "bob", NEW).identity is not None
    refused("wrong_credentials", signed_in, house.browser(), "ann", NEW)
    refused("wrong_credentials", signed_in, house.browser(), ANN, NEW)


def test_an_address_that_somebody_proved_is_theirs_alone(house: House) -> None:
    signed_up(house)
    of_the_host(house, "other", username="other")
    forgot(house)
    assert house.mail.last.template == "reset_password"
    assert by_link(house.browser()).identity.user.username is None


@pytest.mark.parametrize("typed", ["ann@exаmple.com", "ａnn@example.com", "ann@example.com.", "ann+x@example.com"])
def test_a_letter_goes_to_what_is_stored_and_to_nothing_that_looks_like_it(house: House, typed: str) -> None:
    """RESET-01."""
    signed_up(house)
    before = len(house.mail.letters)
    with suppress(Refused):
        forgot(house, typed)
    assert {letter.to for letter in house.mail.letters[before:]} <= {ANN}


# The first password


def test_who_has_no_password_sets_one_with_a_fresh_proof(house: House) -> None:
    of_the_host(house, "ann", password=None, username="annie")
    guest, other = forgot(house), house.browser()
    by_code(guest)
    signed_in(guest, password_=NEW)
    signed_in(other, password_=NEW)
    refused("wrong_method", guest.do, reset_password.set_first, new_password=PASSWORD)
    change(house, Authenticator, {"kind": "password"}, data="")
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", guest.do, reset_password.set_first, new_password=PASSWORD)
    house.clock.forward(minutes=-11)
    refused("password_too_short", guest.do, reset_password.set_first, new_password="short")
    guest.do(reset_password.set_first, new_password=PASSWORD)
    assert house.mail.to(ANN)[-1] == "authenticator_added"
    assert guest.do(sessions.session).identity is not None
    refused("not_signed_in", other.do, sessions.session)
    assert signed_in(house.browser(), "annie").identity is not None
