"""Sign-in by password: one answer for all failures, tries counted before anything is looked at."""

from __future__ import annotations

import pytest

from doorward.core.call import Call
from doorward.core.records import Authenticator, User
from doorward.core.steps import Prove
from doorward.features import password, sessions, totp
from doorward.testing.doubles import CHEAP, Guest, House
from tests.features.people import PASSWORD, code_of, refused, signed_in, signed_up, wait_out_limits, with_totp


def tries(house: House) -> tuple[int, int]:
    async def read(call: Call) -> tuple[int, int]:
        row = await call.store.get(Authenticator, kind="password")
        assert row is not None
        return row.failures, row.known_failures

    found: tuple[int, int] = house.run(read)
    return found


def change(house: House, **values: object) -> None:
    async def changed(call: Call) -> None:
        await call.store.change(User, {}, **values)

    house.run(changed)


def test_the_right_password_signs_in_and_every_spelling_of_the_address_does(house: House) -> None:
    signed_up(house, username="annie")
    for identifier in ("ann@example.com", "Ann@EXAMPLE.com", "annie", "ANNIE"):
        guest = house.browser()
        answer = signed_in(guest, identifier)
        assert answer.identity.amr == ("pwd",)
        assert guest.do(sessions.session).identity.user.email == "ann@example.com"


def test_unknown_wrong_and_disabled_are_one_answer_and_one_amount_of_work(house: House) -> None:
    signed_up(house)
    refusals = []
    for prepare, identifier, typed in (
        (None, "nobody@example.com", PASSWORD),
        (None, "no such name", PASSWORD),
        (None, "ann@example.com", "wrong password it is"),
        ({"active": False}, "ann@example.com", PASSWORD),
        ({"password": "!unusable"}, "ann@example.com", PASSWORD),
        ({"password": ""}, "ann@example.com", ""),
    ):
        if prepare:
            change(house, **prepare)
        before = house.hash.worked
        if typed:
            refusals.append(refused("wrong_credentials", signed_in, house.browser(), identifier, typed))
            assert house.hash.worked == before + 1
        else:
            refused("invalid_input", signed_in, house.browser(), identifier, typed)
    assert len({(r.reason, r.detail, r.retry_after, tuple(r.errors)) for r in refusals}) == 1


def test_a_try_for_nobody_costs_a_write_too(house: House) -> None:
    async def spent(call: Call) -> int:
        return sum(row.failures for row in await call.store.find(Authenticator, kind="decoy"))

    for identifier in ("nobody@example.com", "nobody at all", "nobody@example.com"):
        refused("wrong_credentials", signed_in, house.browser(), identifier)
    assert house.run(spent) >= 1
    assert signed_up(house).do(sessions.session).identity is not None


def test_a_second_factor_shows_only_after_the_right_password(house: House) -> None:
    with_totp(signed_up(house))
    refused("wrong_credentials", signed_in, house.browser(), password_="wrong password it is")
    assert signed_in(house.browser()).hold == Prove(("totp",))


def test_tries_are_spent_before_the_password_is_looked_at(house: House) -> None:
    signed_up(house)
    for expected in range(1, 6):
        refused("wrong_credentials", signed_in, house.browser(), password_="wrong password it is")
        assert tries(house) == (expected, 0)
    signed_in(house.browser())
    assert tries(house) == (0, 0)


def test_strangers_close_the_password_to_strangers_only(house: House) -> None:
    """Rule 12: 80 of 100 tries are theirs; the owner's known device still opens the door, and one letter says why."""
    owner = signed_up(house)
    for _ in range(80):
        wait_out_limits(house)
        refused("wrong_credentials", signed_in, house.browser("198.51.100.6"), password_="wrong password it is")
    wait_out_limits(house)
    refused("wrong_credentials", signed_in, house.browser("198.51.100.6"))
    refused("wrong_credentials", signed_in, house.browser("198.51.100.6"))
    assert house.mail.to("ann@example.com").count("password_closed") == 1
    assert signed_in(owner).identity is not None
    refused("wrong_credentials", signed_in, house.browser("198.51.100.6"))


def test_a_hundred_failures_disable_the_password(house: House) -> None:
    """NIST SP 800-63B-4 §3.2.2."""
    owner = signed_up(house)
    for guest, count in ((house.browser("198.51.100.6"), 81), (owner, 21)):
        for _ in range(count):
            wait_out_limits(house)
            refused("wrong_credentials", signed_in, guest, password_="wrong password it is")
    wait_out_limits(house)
    refused("wrong_credentials", signed_in, owner)


def test_short_term_limits_come_before_the_hash(house: House) -> None:
    signed_up(house)
    for identifier in ("ann@example.com", "nobody@example.com"):
        for _ in range(house.doorward.world.policy.tries_per_identifier):
            refused("wrong_credentials", signed_in, house.browser(), identifier, "wrong password it is")
        worked, spent = house.hash.worked, tries(house)
        refusal = refused("too_many_attempts", signed_in, house.browser(), identifier, "wrong password it is")
        assert isinstance(refusal.retry_after, int)
        assert refusal.retry_after > 0
        assert (house.hash.worked, tries(house)) == (worked, spent)


def test_an_old_hash_is_made_anew_and_sessions_stay(house: House) -> None:
    guest = signed_up(house)
    old = CHEAP.preferred.__class__(memory_kib=32, time_cost=1).hash(PASSWORD, salt=b"0123456789abcdef")
    change(house, password=old)
    guest = Guest(house, guest.client)
    signed_in(guest)

    async def read(call: Call) -> str:
        user = await call.store.get(User)
        assert user is not None
        assert user.password is not None
        return user.password

    assert not house.hash.needs_rehash(house.run(read))
    assert guest.do(sessions.session).identity is not None


def test_a_change_takes_the_old_password_and_ends_other_sessions(house: House) -> None:
    guest = signed_up(house)
    other = house.browser()
    signed_in(other)
    new = "another flock of swallows"
    refused("wrong_credentials", guest.do, password.change, current_password="wrong password it is", new_password=new)
    refused("password_too_short", guest.do, password.change, current_password=PASSWORD, new_password="short")
    guest.do(password.change, current_password=PASSWORD, new_password=new)
    assert guest.do(sessions.session).identity is not None
    refused("not_signed_in", other.do, sessions.session)
    assert house.mail.last.template == "password_changed"
    refused("wrong_credentials", signed_in, house.browser())
    assert signed_in(house.browser(), password_=new).identity is not None


def test_a_change_needs_a_fresh_second_factor_where_there_is_one(house: House) -> None:
    guest = signed_up(house)
    secret = with_totp(guest)
    house.clock.forward(minutes=11)
    arguments = {"current_password": PASSWORD, "new_password": "another flock of swallows"}
    refused("fresh_proof_required", guest.do, password.change, **arguments)
    guest = house.browser()
    signed_in(guest)
    guest.do(totp.sign_in, code=code_of(house, secret))
    guest.do(password.change, **arguments)


def test_a_sign_in_under_way_does_not_survive_a_change(house: House) -> None:
    guest = signed_up(house)
    secret = with_totp(guest)
    thief = house.browser("198.51.100.6")
    assert signed_in(thief).hold == Prove(("totp",))
    guest.do(password.change, current_password=PASSWORD, new_password="another flock of swallows")
    refused("attempt_expired", thief.do, totp.sign_in, code=code_of(house, secret))


@pytest.mark.parametrize("typed", ["x" * 1025, 7, None, ["x"], {"a": 1}, True, "\ud800"])
def test_bad_passwords_are_named(house: House, typed: object) -> None:
    refusal = refused("invalid_input", house.browser().do, password.sign_in, identifier="a", password=typed)
    assert refusal.errors[0].field == "password"


def test_a_sign_in_under_way_does_not_survive_a_change_by_the_host(house: House) -> None:
    """Rule 20: SQL edits and `set_password` of a host end what was proved with the password before."""
    secret = with_totp(signed_up(house))
    thief = house.browser("198.51.100.6")
    assert signed_in(thief).hold == Prove(("totp",))
    change(house, password="argon2$set by the host")
    refused("attempt_expired", thief.do, totp.sign_in, code=code_of(house, secret))
