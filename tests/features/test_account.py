"""One's own account: what is changed, what is given out, and that closing it can be undone until it is erased."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doorward.core import cursors
from doorward.core.erasure import erase_due
from doorward.core.events import AccountClosing, AccountErased, AccountKept
from doorward.core.links import MailedLink
from doorward.core.records import Account, Authenticator, EmailAddress, User, about_users
from doorward.core.refusals import Refused
from doorward.core.session import Session
from doorward.core.steps import Confirm, Prove
from doorward.features import account, password, recovery_codes, sessions, sign_up, totp, verify_email
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, code_of, refused, second_step, signed_in, signed_up, with_totp


def count(house: House, kind: type, **where: Any) -> int:
    async def counted(call: Any) -> int:
        return int(await call.store.count(kind, **where))

    return int(house.run(counted))


def user_id(guest: Guest) -> str:
    return guest.do(sessions.session).identity.user.id


def closed(house: House, email: str = "ann@example.com") -> str:
    """Somebody signs up and closes the account; the token of the letter's link."""
    signed_up(house, email).do(account.close)
    return house.mail.token()


def test_only_what_is_given_changes(house: House) -> None:
    ann = signed_up(house, name="Ann", username="annie")
    before = ann.do(account.account)
    assert (before.user.name, before.user.username, before.locale, before.time_zone) == ("Ann", "annie", "", "")
    ann.do(account.update, locale="DE-at")
    ann.do(account.update, time_zone="Europe/Vienna")
    now = ann.do(account.update, name="Ann Lee")
    assert (now.user.name, now.user.username, now.locale, now.time_zone) == (
        "Ann Lee",
        "annie",
        "de-AT",
        "Europe/Vienna",
    )
    ann.do(account.update, name="", locale="", time_zone="")
    now = ann.do(account.account)
    assert (now.user.name, now.user.username, now.locale, now.time_zone) == ("", "annie", "", "")


@pytest.mark.parametrize("locale", ["xx", "english", "de_AT", "de-", "-de", "de-u-co-phonebk", "x-private", "d", "де"])
def test_a_language_that_there_is_not_is_refused(house: House, locale: str) -> None:
    ann = signed_up(house)
    assert refused("invalid_input", ann.do, account.update, locale=locale).errors[0].field == "locale"
    assert ann.do(account.account).locale == ""


@pytest.mark.parametrize("zone", ["Europe/Vulgaria", "europe/vienna", "../../etc/passwd", "/Europe/Vienna", "CET+1"])
def test_a_time_zone_that_there_is_not_is_refused(house: House, zone: str) -> None:
    error = refused("invalid_input", signed_up(house).do, account.update, time_zone=zone, name="Eve")
    assert error.errors[0].field == "time_zone"


def test_a_user_name_is_claimed_as_at_sign_up_and_every_address_hears_of_it(house: House) -> None:
    signed_up(house, "ben@example.com", username="benny")
    ann = signed_up(house, username="annie")
    for taken in ("benny", "Benny", "Bеnny"):  # the last one with a Cyrillic letter
        refused("username_taken", ann.do, account.update, username=taken, name="changed too")
    refused("invalid_input", ann.do, account.update, username="ben@example.com")
    assert ann.do(account.account).user.name == ""
    ann.do(account.update, username="ann.lee")
    assert house.mail.to("ann@example.com")[-1] == "username_changed"
    refused("wrong_credentials", signed_in, house.browser(), email="annie")
    assert signed_in(house.browser(), email="ann.lee").identity is not None
    cas = signed_up(house, "cas@example.com")
    refused("username_taken", cas.do, account.update, username="annie")  # hers for a while
    refused("invalid_input", cas.do, account.update, username="support")


def test_ones_own_name_may_be_spelt_otherwise(house: House) -> None:
    ann = signed_up(house, username="annie")
    ann.do(account.update, username="Annie")
    assert ann.do(account.account).user.username == "Annie"
    letters = len(house.mail.letters)
    ann.do(account.update, username="Annie")
    assert len(house.mail.letters) == letters


def test_who_has_a_second_factor_proves_it_before_another_user_name(house: House) -> None:
    ann = signed_up(house)
    with_totp(ann)
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", ann.do, account.update, username="annie")
    ann.do(account.update, name="Ann")


def test_of_two_who_want_one_name_one_gets_it(open_house: Callable[..., House]) -> None:
    house = open_house(policy={"tries_per_network": 10_000})
    people = [signed_up(house, f"p{n}@example.com") for n in range(8)]

    def claim(guest: Guest) -> str:
        try:
            guest.do(account.update, username="crown")
        except Refused as no:
            return no.reason
        return "claimed"

    with ThreadPoolExecutor(8) as rivals:
        assert sorted(rivals.map(claim, people)) == ["claimed", *["username_taken"] * 7]
    assert count(house, User, username="crown") == 1


def test_an_export_has_everything_and_nothing_secret(house: House) -> None:
    ann, ben = signed_up(house, name="Ann"), signed_up(house, "ben@example.com")
    with_totp(ann)
    codes = ann.do(recovery_codes.generate).codes
    second_step(house, house.browser("192.0.2.44"))
    given = ann.do(account.export)
    assert given.user["email"] == "ann@example.com"
    assert [row["address"] for row in given.records["email_address"]] == ["ann@example.com"]
    assert {row["kind"] for row in given.records["authenticator"]} == {"password", "totp", "recovery_code"}
    assert given.records["session"][0]["user_agent"] == "Mozilla/5.0"
    assert len(given.records["recovery_code"]) == len(codes)
    assert [row["network"] for row in given.records["attempt"]] == ["192.0.2.44"]
    text = str(given)
    assert "argon2" not in text
    assert user_id(ben) not in text
    assert "ben@example.com" not in text

    async def secrets(call: Any) -> list[str]:
        rows: list[Any] = [row for kind in about_users(call.world.records) for row in await call.store.find(kind)]
        names = ("data", "digest", "secret", "auth_epoch", "parent", "host_digest", "code", "handle")
        return [value for row in rows for name in names if (value := getattr(row, name, ""))]

    assert [secret for secret in house.run(secrets) if secret in text] == []


def test_more_rows_than_are_read_at_once_are_all_given(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = signed_up(house)
    for _ in range(4):
        signed_in(house.browser())
    monkeypatch.setattr(cursors, "READ_AT_ONCE", 2)
    assert len({row["id"] for row in ann.do(account.export).records["session"]}) == 5


def test_an_export_and_the_end_need_a_fresh_proof(house: House) -> None:
    ann = signed_up(house)
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", ann.do, account.export)
    refused("fresh_proof_required", ann.do, account.close)
    refused("not_signed_in", house.browser().do, account.export)
    refused("not_signed_in", house.browser().do, account.close, password=PASSWORD)


def test_the_password_does_in_the_place_of_a_fresh_proof_and_counts_as_a_try(house: House) -> None:
    ann = signed_up(house)
    house.clock.forward(minutes=11)
    refused("wrong_credentials", ann.do, account.close, password="wrong")
    assert count(house, Authenticator, failures=0, known_failures=1) == 1  # the browser is known by now
    ann.do(account.close, password=PASSWORD)
    assert count(house, Session) == 0


def test_the_password_alone_closes_nothing_for_who_has_a_second_factor(house: House) -> None:
    ann = signed_up(house)
    with_totp(ann)
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", ann.do, account.close, password=PASSWORD)
    assert ann.do(account.account).user.active


def test_closing_ends_all_sessions_and_tells_every_address(house: House) -> None:
    told: list[Any] = []
    house.doorward.on(AccountClosing)(told.append)
    ann, elsewhere = signed_up(house), house.browser("192.0.2.9")
    signed_in(elsewhere)
    until = ann.do(account.close).closes_at
    assert (until - house.clock.now).days == 14
    for guest in (ann, elsewhere):
        refused("not_signed_in", guest.do, sessions.session)
    assert house.mail.to("ann@example.com")[-1] == "account_closing"
    assert [event.closes_at for event in told] == [until]


def test_nobody_signs_in_to_a_closing_account_without_keeping_it(house: House) -> None:
    closed(house)
    refused("wrong_credentials", signed_in, house.browser(), password_="wrong")
    guest = house.browser()
    answer = signed_in(guest)
    assert answer.hold == Confirm("keep_account")
    refused("not_signed_in", guest.do, sessions.session)
    kept: list[Any] = []
    house.doorward.on(AccountKept)(kept.append)
    assert guest.do(account.keep_account).identity is not None
    assert len(kept) == 1
    assert guest.do(sessions.session).identity.user.email == "ann@example.com"
    assert house.mail.to("ann@example.com")[-1] == "account_kept"
    house.clock.forward(days=20)
    assert house.run(erase_due) == 0
    assert signed_in(house.browser()).identity is not None


def test_the_second_factor_comes_before_the_question(house: House) -> None:
    ann = signed_up(house)
    secret = with_totp(ann)
    ann.do(account.close)
    guest = house.browser()
    assert isinstance(signed_in(guest).hold, Prove)
    refused("wrong_method", guest.do, account.keep_account)
    house.clock.forward(seconds=30)
    assert guest.do(totp.sign_in, code=code_of(house, secret)).hold == Confirm("keep_account")
    assert guest.do(account.keep_account).identity.aal == 2


def test_no_other_attempt_keeps_an_account(house: House) -> None:
    closed(house)
    refused("no_sign_in_under_way", house.browser().do, account.keep_account)
    guest = house.browser()
    guest.do(sign_up.sign_up, email="new@example.com", password=PASSWORD)
    refused("wrong_method", guest.do, account.keep_account)
    held = signed_in(house.browser())
    refused("no_sign_in_under_way", house.browser().do, account.keep_account, attempt=held.attempt)


def test_the_link_keeps_the_account_once_and_signs_nobody_in(house: House) -> None:
    token = closed(house)
    guest = house.browser()
    assert guest.do(account.undo, token=token) is None
    refused("not_signed_in", guest.do, sessions.session)
    refused("invalid_token", guest.do, account.undo, token=token)
    assert signed_in(guest).identity is not None
    guest.do(account.close)
    refused("invalid_token", house.browser().do, account.undo, token=token)  # that of the time before
    assert count(house, Account, closes_at=None) == 0


def test_a_link_of_another_purpose_keeps_nothing(house: House) -> None:
    house.browser().do(sign_up.sign_up, email="new@example.com", password=PASSWORD)
    token = house.mail.token()
    closed(house)
    refused("invalid_token", house.browser().do, account.undo, token=token)
    refused("invalid_token", house.browser().do, verify_email.verify, token=house.mail.token())


def test_what_ends_sessions_does_not_end_the_way_back(house: House) -> None:
    """A thief who closes an account can't take the owner's link away by changing anything else: he is out, too."""
    ann = signed_up(house)
    thief = house.browser("198.51.100.6")
    signed_in(thief)
    thief.do(account.close)
    token = house.mail.token()
    refused("not_signed_in", thief.do, password.change, current_password=PASSWORD, new_password="x" * 20)
    refused("not_signed_in", ann.do, sessions.session)
    ann.do(account.undo, token=token)


def test_of_many_who_close_at_once_one_does(house: House) -> None:
    ann = signed_up(house)

    def close(_: int) -> str:
        guest = Guest(house, ann.client)
        guest.session = ann.session
        try:
            guest.do(account.close)
        except Refused as no:
            return no.reason
        return "closed"

    with ThreadPoolExecutor(8) as rivals:
        outcomes = list(rivals.map(close, range(8)))
    assert outcomes.count("closed") == 1
    assert set(outcomes) <= {"closed", "state_changed", "not_signed_in", "fresh_proof_required"}
    assert house.mail.to("ann@example.com").count("account_closing") == 1


def test_the_address_and_the_name_stay_taken_until_it_is_erased(house: House) -> None:
    signed_up(house, username="annie").do(account.close)
    hijacker = house.browser("198.51.100.6")
    hijacker.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    assert house.mail.to("ann@example.com")[-1] == "address_taken"
    refused(
        "username_taken",
        house.browser().do,
        sign_up.sign_up,
        email="eve@example.com",
        password=PASSWORD,
        username="annie",
    )
    house.clock.forward(days=14, seconds=1)
    assert house.run(erase_due) == 1
    assert signed_up(house, username="annie").session


def test_after_the_grace_everything_is_gone_and_nothing_brings_it_back(house: House) -> None:
    gone: list[Any] = []
    house.doorward.on(AccountErased)(gone.append)
    signed_up(house, "ben@example.com")
    ann = signed_up(house)
    id = user_id(ann)
    with_totp(ann)
    ann.do(recovery_codes.generate)
    ann.do(account.close)
    token = house.mail.token()
    waiting = house.browser()
    signed_in(waiting)  # an attempt that is left behind
    house.clock.forward(days=14, seconds=1)
    refused("wrong_credentials", signed_in, house.browser())
    refused("invalid_token", house.browser().do, account.undo, token=token)
    assert house.run(erase_due) == 1
    assert house.run(erase_due) == 0
    assert {kind.__name__: n for kind in house.doorward.records if (n := _about(house, kind, id))} == {}
    assert [event.user_id for event in gone] == [id]
    assert house.mail.to("ann@example.com")[-1] == "account_erased"
    refused("invalid_token", house.browser().do, account.undo, token=token)
    refused("wrong_credentials", signed_in, house.browser())
    assert signed_in(house.browser(), email="ben@example.com").identity is not None
    assert count(house, EmailAddress) == 1


def _about(house: House, kind: type, id: str) -> int:
    if kind is User:
        return count(house, User, id=id)
    return count(house, kind, user_id=id) if kind in about_users(house.doorward.records) else 0


def test_of_many_processes_one_erases_it(house: House) -> None:
    closed(house)
    house.clock.forward(days=14, seconds=1)
    with ThreadPoolExecutor(8) as rivals:
        assert sum(rivals.map(lambda _: house.run(erase_due), range(8))) == 1
    assert house.mail.to("ann@example.com").count("account_erased") == 1


def test_keeping_and_erasing_exclude_each_other(house: House) -> None:
    token = closed(house)
    house.clock.forward(days=13, hours=23)
    assert house.run(erase_due) == 0
    house.browser().do(account.undo, token=token)
    house.clock.forward(days=2)
    assert house.run(erase_due) == 0
    assert count(house, MailedLink, purpose=account.UNDO) == 0
