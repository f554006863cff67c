"""Notices: a sign-in from a new place is told once, and who did not do what a letter tells of ends it by its link."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.links import MailedLink
from doorward.core.records import EmailAddress
from doorward.core.refusals import Refused
from doorward.features import notices, password, sessions, step_up, totp
from doorward.presets import standard
from doorward.testing.doubles import House
from tests.features.people import PASSWORD, code_of, refused, second_step, signed_in, signed_up, with_totp

ADDRESS = "ann@example.com"


def told(house: House) -> list[str]:
    """The notices that Ann got since she signed up."""
    return house.mail.to(ADDRESS)[1:]


def token(house: House) -> str:
    """The token of «this was not me» in the last letter."""
    found = re.search(r"/not-me\?token=([\w-]+)$", house.mail.last.words["not_me_link"])
    assert found is not None
    return found[1]


# New places


def test_the_sign_in_that_ends_a_sign_up_tells_nothing(house: House) -> None:
    signed_up(house)
    assert told(house) == []


def test_a_new_device_is_told_once(house: House) -> None:
    signed_up(house)
    other = house.browser()
    signed_in(other)
    assert told(house) == ["new_sign_in"]
    assert house.mail.last.words["network"] == "192.0.2.7"
    for _ in range(3):
        signed_in(other)  # it is known by its cookie from now on
    assert told(house) == ["new_sign_in"]


def test_a_new_network_of_a_known_device_is_told_once(house: House) -> None:
    ann = signed_up(house)
    signed_in(house.browser("192.0.2.99"))  # so that there is a session to compare with: told as a device
    ann.client = replace(ann.client, ip="192.0.2.200")
    signed_in(ann)  # the same /24
    assert told(house) == ["new_sign_in"]
    ann.client = replace(ann.client, ip="198.51.100.4")
    signed_in(ann)
    signed_in(ann)
    assert told(house) == ["new_sign_in"] * 2
    ann.client = replace(ann.client, ip="192.0.2.7")
    signed_in(ann)  # home again
    assert told(house) == ["new_sign_in"] * 2


def test_a_program_is_known_by_its_name_and_network(house: House) -> None:
    signed_up(house)
    for _ in range(3):
        signed_in(house.program())
    assert told(house) == ["new_sign_in"]
    signed_in(house.program("203.0.113.5"))
    assert told(house) == ["new_sign_in"] * 2


def test_a_step_up_is_no_sign_in(house: House) -> None:
    ann = signed_up(house)
    secret = with_totp(ann)
    house.clock.forward(minutes=20)
    before = told(house)
    attempt = ann.do(step_up.step_up).attempt
    ann.do(password.sign_in, password=PASSWORD, attempt=attempt)
    ann.do(totp.sign_in, code=code_of(house, secret), attempt=attempt)
    assert told(house) == before


def test_half_a_sign_in_is_not_told(house: House) -> None:
    ann = signed_up(house)
    secret = with_totp(ann)
    before = told(house)
    thief = house.browser("203.0.113.66")
    second_step(house, thief)
    assert told(house) == before
    thief.do(totp.sign_in, code=code_of(house, secret))
    assert told(house) == [*before, "new_sign_in"]


def test_nobody_is_flooded(house: House) -> None:
    signed_up(house)
    for number in range(notices.MOST_A_DAY + 5):
        signed_in(house.browser(f"198.51.{number}.4"))
        house.clock.forward(minutes=6)
    assert len(told(house)) == notices.MOST_A_DAY
    house.clock.forward(days=2)
    signed_in(house.browser("203.0.113.9"))
    assert len(told(house)) == notices.MOST_A_DAY + 1


def test_every_verified_address_is_told(house: House) -> None:
    ann = signed_up(house)
    user_id = ann.do(sessions.session).identity.user.id

    async def second(call: Any) -> None:
        for name, key in (("two@example.com", "two@example.com"), ("three@example.com", None)):
            row = EmailAddress(
                id=call.new_id(), user_id=user_id, address=name, canonical=name, verified_key=key, created_at=call.now
            )
            await call.store.add(row)

    house.run(second)
    signed_in(house.browser())
    assert told(house) == ["new_sign_in"]
    assert house.mail.to("two@example.com") == ["new_sign_in"]
    assert house.mail.to("three@example.com") == []


# This was not me


def test_it_ends_every_session_and_opens_nothing(house: House) -> None:
    ann, thief, program = signed_up(house), house.browser("203.0.113.66"), house.program("203.0.113.66")
    signed_in(thief)
    signed_in(program, issue="tokens")
    by_letter = house.browser("198.51.100.1")
    assert by_letter.do(notices.not_me, token=token(house)) is None
    for guest in (ann, thief, by_letter):
        refused("not_signed_in", guest.do, sessions.session)
    assert by_letter.session == ""


def test_it_ends_sign_ins_under_way_and_leaves_the_second_step(house: House) -> None:
    ann = signed_up(house)
    secret = with_totp(ann)
    thief = house.browser("203.0.113.66")
    second_step(house, thief)
    house.run(notices.not_me.run, token=token(house))
    house.clock.forward(seconds=30)
    refused("attempt_expired", thief.do, totp.sign_in, code=code_of(house, secret))
    assert second_step(house, house.browser()).hold.methods == ("totp",)


def test_what_a_thief_changes_does_not_take_the_link_away(house: House) -> None:
    signed_up(house)
    thief = house.browser("203.0.113.66")
    signed_in(thief)
    link = token(house)
    thief.do(password.change, current_password=PASSWORD, new_password="of the thief's own choice")
    house.clock.forward(days=6, hours=23)
    house.run(notices.not_me.run, token=link)
    refused("not_signed_in", thief.do, sessions.session)


def test_it_works_once_and_for_seven_days(house: House) -> None:
    signed_up(house)
    signed_in(house.browser())
    first = token(house)
    signed_in(house.browser("203.0.113.1"))
    house.run(notices.not_me.run, token=token(house))
    for spent in (token(house), first):  # one ends all: the owner has acted
        refused("invalid_token", house.run, notices.not_me.run, token=spent)
    signed_in(house.browser("203.0.113.2"))
    house.clock.forward(days=7)
    refused("invalid_token", house.run, notices.not_me.run, token=token(house))


def test_a_token_of_anything_else_is_refused_and_looking_changes_nothing(house: House) -> None:
    signed_up(house)
    signed_in(house.browser())
    link = token(house)
    for wrong in ("A" * 43, link[:-1], link + "A", link.swapcase()):
        refused("invalid_token", house.run, notices.not_me.run, token=wrong)
        refused("invalid_token", house.run, notices.load_link, {"token": wrong})
    for _ in range(3):
        assert house.run(notices.load_link, {"token": link}) == {"token": link, "to": "a•••@example.com"}
    assert house.run(notices.load_link, {}) == {"token": "", "to": ""}
    house.run(notices.not_me.run, token=link)


def test_somebody_else_s_sessions_stay(house: House) -> None:
    signed_up(house)
    bob = signed_up(house, "bob@example.com")
    signed_in(house.browser("203.0.113.66"))
    assert house.mail.last.to == ADDRESS
    house.run(notices.not_me.run, token=token(house))
    assert bob.do(sessions.session).identity is not None


def test_forty_at_once_have_one_winner(open_house: Callable[..., House]) -> None:
    house = open_house()
    signed_up(house)
    signed_in(house.browser())
    link = token(house)

    def one(_: int) -> str:
        try:
            house.run(notices.not_me.run, token=link)
        except Refused as refused_:
            return refused_.reason
        return "done"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(one, range(40)))
    assert sorted(outcomes) == ["done"] + ["invalid_token"] * 39


def test_only_a_digest_of_the_link_is_kept(house: House) -> None:
    signed_up(house)
    signed_in(house.browser())

    async def rows(call: Any) -> list[MailedLink]:
        return list(await call.store.find(MailedLink, purpose="not_me"))

    (row,) = house.run(rows)
    assert token(house) not in repr(row)
    assert row.auth_epoch == ""


@pytest.mark.parametrize("switched_on", [True, False])
def test_letters_have_the_link_where_something_answers_to_it(house: House, switched_on: bool) -> None:
    if not switched_on:
        without = {kind: f for kind, f in house.doorward.features.items() if kind is not notices.Notices}
        house.doorward.features.clear()
        house.doorward.features.update(without)
    ann = signed_up(house)
    ann.do(password.change, current_password=PASSWORD, new_password=PASSWORD + "!")
    assert house.mail.last.template == "password_changed"
    assert bool(house.mail.last.words["not_me_link"]) == switched_on


def test_it_is_in_the_standard_set() -> None:
    assert any(isinstance(feature, notices.Notices) for feature in standard())
