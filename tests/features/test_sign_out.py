"""Sign-out: this session or all, on the server's side, and no error for who is out already."""

from __future__ import annotations

from doorward.features import sessions, sign_out
from doorward.testing.doubles import House
from tests.features.people import refused, signed_in, signed_up


def test_the_session_ends_on_the_server(house: House) -> None:
    guest = signed_up(house)
    kept = guest.session
    guest.do(sign_out.sign_out)
    assert guest.session == ""
    guest.session = kept
    refused("not_signed_in", guest.do, sessions.session)


def test_all_ends_every_one(house: House) -> None:
    guest, other = signed_up(house), house.browser()
    signed_in(other)
    guest.do(sign_out.sign_out, all=True)
    refused("not_signed_in", other.do, sessions.session)


def test_signing_out_twice_is_no_error(house: House) -> None:
    guest = signed_up(house)
    guest.do(sign_out.sign_out)
    assert guest.do(sign_out.sign_out) is None
    refused("invalid_input", guest.do, sign_out.sign_out, all="yes")
