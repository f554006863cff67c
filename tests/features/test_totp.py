"""TOTP: a code works once, a secret counts for nothing before it is confirmed, and one user's code is nobody else's."""

from __future__ import annotations

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from doorward.core.call import Call
from doorward.core.records import Authenticator, User
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.steps import Enroll, Prove
from doorward.features import password, sessions, sign_up, totp, verify_email
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.stores.memory import MemoryStores
from doorward.testing.doubles import Guest, House
from tests.features.people import (
    PASSWORD,
    code_of,
    refused,
    second_step,
    signed_in,
    signed_up,
    wait_out_limits,
    with_totp,
)


def test_begin_confirm_sign_in(house: House) -> None:
    guest = signed_up(house)
    begun = guest.do(totp.begin, name="phone")
    assert begun.uri.startswith("otpauth://totp/Doorward:ann@example.com?secret=")
    assert begun.qr.startswith("<svg")
    assert len(base64.b32decode(begun.secret)) == 20
    guest.do(totp.confirm, code=code_of(house, base64.b32decode(begun.secret)))
    assert guest.do(sessions.session).identity.aal == 2
    assert house.mail.last.template == "authenticator_added"
    house.clock.forward(seconds=30)
    again = house.browser()
    assert second_step(house, again).hold == Prove(("totp",))
    answer = again.do(totp.sign_in, code=code_of(house, base64.b32decode(begun.secret)))
    assert answer.identity.amr == ("pwd", "otp", "mfa")
    assert [d.name for d in again.do(totp.list_devices).items] == ["phone"]


def test_the_session_secret_changes_as_the_session_rises(house: House) -> None:
    guest = signed_up(house)
    before = guest.session
    with_totp(guest)
    assert guest.session != before
    thief = house.browser()
    thief.session = before
    refused("not_signed_in", thief.do, sessions.session)


def test_an_unconfirmed_secret_asks_for_nothing_and_opens_nothing(house: House) -> None:
    guest = signed_up(house)
    secret = base64.b32decode(guest.do(totp.begin).secret)
    answer = signed_in(house.browser())
    assert answer.identity is not None
    for _ in range(5):
        refused("wrong_code", guest.do, totp.confirm, code="000000" if code_of(house, secret) != "000000" else "1" * 6)
    refused("state_changed", guest.do, totp.confirm, code=code_of(house, secret))
    guest.do(totp.begin)
    house.clock.forward(minutes=16)
    refused("fresh_proof_required", guest.do, totp.confirm, code="000000")


def test_a_code_works_once_and_so_does_no_older_one(house: House) -> None:
    secret = with_totp(signed_up(house))
    code = code_of(house, secret)
    first, second = house.browser(), house.browser()
    second_step(house, first)
    second_step(house, second)
    first.do(totp.sign_in, code=code)
    refused("wrong_code", second.do, totp.sign_in, code=code)


def test_of_two_hundred_parallel_uses_one_gets_in(house: House) -> None:
    secret = with_totp(signed_up(house))
    guests = [house.browser(f"192.0.2.{i}") for i in range(200)]
    window = house.doorward.world.policy.tries_per_identifier
    for guest in guests[:window]:
        second_step(house, guest)
    for guest in guests[window:]:
        guest.client = guests[0].client  # the same attempt again
    code = code_of(house, secret)

    def attempt(guest: Guest) -> str:
        try:
            return "in" if guest.do(totp.sign_in, code=code).identity else "held"
        except Refused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(40) as pool:
        outcomes = list(pool.map(attempt, guests))
    assert outcomes.count("in") == 1, outcomes
    assert set(outcomes) <= {"in", "wrong_code", "too_many_attempts", "attempt_expired", "no_sign_in_under_way"}


def test_a_code_of_one_user_is_wrong_for_another(house: House) -> None:
    secret = with_totp(signed_up(house))
    other = signed_up(house, "bob@example.com")
    with_totp(other)
    guest = house.browser()
    second_step(house, guest, email="bob@example.com")
    refused("wrong_code", guest.do, totp.sign_in, code=code_of(house, secret))


def test_an_attempt_has_five_tries_and_a_new_attempt_does_not_give_the_authenticator_more(house: House) -> None:
    secret = with_totp(signed_up(house))
    spent = 0
    for _ in range(4):
        guest = house.browser()
        second_step(house, guest)
        for _ in range(5):
            refused("wrong_code", guest.do, totp.sign_in, code="abcdef")
            spent += 1
        refused("attempt_expired", guest.do, totp.sign_in, code=code_of(house, secret))
    guest = house.browser()
    second_step(house, guest)
    refused("too_many_attempts", guest.do, totp.sign_in, code=code_of(house, secret))
    assert spent == house.doorward.world.policy.tries_per_identifier


def test_who_knows_the_password_and_guesses_codes_is_told_of_once(house: House) -> None:
    """Rule 12: strangers have 80 tries, then it is closed to them; the owner's known device still opens the door."""
    owner = signed_up(house)
    secret = with_totp(owner)
    thief = house.browser("198.51.100.6")
    for _ in range(17):
        wait_out_limits(house)
        second_step(house, thief)
        for _ in range(5):
            refused("wrong_code", thief.do, totp.sign_in, code="000000")
    assert house.mail.to("ann@example.com").count("second_step_closed") == 1
    wait_out_limits(house)
    second_step(house, thief)
    refused("wrong_code", thief.do, totp.sign_in, code=code_of(house, secret))
    second_step(house, owner)
    assert owner.do(totp.sign_in, code=code_of(house, secret)).identity is not None


def test_only_exactly_six_ascii_digits(house: House) -> None:
    secret = with_totp(signed_up(house))
    code = code_of(house, secret)
    guest = house.browser()
    second_step(house, guest)
    for typed in (
        code[:5],
        code + "0",
        f"{code[:3]} {code[3:]}",
        code.translate({48 + i: 0x660 + i for i in range(10)}),
    ):
        refused("wrong_code", guest.do, totp.sign_in, code=typed)
    for typed in (int(code), [code], None, {"code": code}):
        refused("invalid_input", guest.do, totp.sign_in, code=typed)


def test_the_second_step_needs_the_first(house: House) -> None:
    with_totp(signed_up(house))
    refused("no_sign_in_under_way", house.browser().do, totp.sign_in, code="123456")
    pending = house.browser()
    pending.do(sign_up.sign_up, email="new@example.com", password=PASSWORD)
    refused("wrong_method", pending.do, totp.sign_in, code="123456")


def test_a_pending_sign_in_can_do_nothing_else(house: House) -> None:
    with_totp(signed_up(house))
    guest = house.browser()
    second_step(house, guest)
    refused("wrong_method", guest.do, totp.begin)
    refused("wrong_method", guest.do, totp.confirm, code="123456")
    for action in (sessions.session, sessions.list_sessions, totp.list_devices, totp.remove):
        refused("not_signed_in", guest.do, action)
    refused("not_signed_in", guest.do, password.change, current_password=PASSWORD, new_password=PASSWORD + "!")
    refused("no_sign_in_under_way", guest.do, verify_email.verify, code="123456")


def test_removal_needs_a_fresh_proof(house: House) -> None:
    guest = signed_up(house)
    with_totp(guest)
    house.clock.forward(minutes=11)
    assert refused("fresh_proof_required", guest.do, totp.remove).methods == ("password",)


def test_remove(house: House) -> None:
    guest = signed_up(house)
    with_totp(guest)
    other = signed_up(house, "bob@example.com")
    (device,) = guest.do(totp.list_devices).items
    refused("not_found", other.do, totp.remove, id=device.id)
    guest.do(totp.remove, id=device.id)
    assert house.mail.last.template == "authenticator_removed"
    assert signed_in(house.browser()).identity is not None


def test_where_a_second_factor_is_demanded_it_is_enrolled_while_signing_in(open_house) -> None:  # type: ignore[no-untyped-def]
    """Rule 7: after a proof of the address in this attempt; and nothing but what is asked for."""
    house: House = open_house(policy="strict")
    guest = house.browser()
    guest.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    assert guest.do(verify_email.verify, code=house.mail.code()).hold == Enroll(("passkey", "totp"))
    refused("not_signed_in", guest.do, sessions.session)
    secret = base64.b32decode(guest.do(totp.begin).secret)
    assert guest.do(totp.confirm, code=code_of(house, secret)).identity.aal == 2
    refused("last_authenticator", guest.do, totp.remove)


def house_with(feature: totp.Totp, stores: MemoryStores | None = None) -> House:
    """A house whose apps are set up that way; over the same store, as after a restart."""
    others = tuple(one for one in standard() if not isinstance(one, totp.Totp))
    make = (lambda doorward: MemoryStores(doorward.records)) if stores is None else (lambda doorward: stores)
    return House((*others, feature), make, MemoryLimits(), os.urandom)


@pytest.mark.parametrize("digits", [6, 7, 8])
@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
def test_every_algorithm_and_length(algorithm: Any, digits: int) -> None:
    house = house_with(totp.Totp(issuer="Acme", algorithm=algorithm, digits=digits))
    ann = signed_up(house)
    begun = ann.do(totp.begin)
    asked = parse_qs(urlsplit(begun.uri).query)
    assert (asked["algorithm"], asked["digits"], asked["period"]) == ([algorithm], [str(digits)], ["30"])
    secret = base64.b32decode(begun.secret + "=" * (-len(begun.secret) % 8))
    assert len(secret) == {"SHA1": 20, "SHA256": 32, "SHA512": 64}[algorithm]  # RFC 6238 §5.1
    ann.do(totp.confirm, code=code_of(house, secret, algorithm=algorithm, digits=digits))
    house.clock.forward(seconds=30)
    guest = house.browser()
    second_step(house, guest)
    other = 6 if digits > 6 else 8
    refused("wrong_code", guest.do, totp.sign_in, code=code_of(house, secret, algorithm=algorithm, digits=other))
    answer = guest.do(totp.sign_in, code=code_of(house, secret, algorithm=algorithm, digits=digits))
    assert answer.identity.aal == 2


def test_a_device_of_before_goes_on_when_the_options_change() -> None:
    house = house_with(totp.Totp())
    ann = signed_up(house)
    old = with_totp(ann)
    after = house_with(totp.Totp(algorithm="SHA512", digits=8), house.stores)  # type: ignore[arg-type]
    after.clock.now = house.clock.now
    guest = after.browser()
    second_step(after, guest)
    assert guest.do(totp.sign_in, code=code_of(after, old)).identity is not None
    begun = guest.do(totp.begin, name="new one")
    new = base64.b32decode(begun.secret + "=" * (-len(begun.secret) % 8))
    guest.do(totp.confirm, code=code_of(after, new, algorithm="SHA512", digits=8))
    after.clock.forward(seconds=30)
    for given in ({"secret": old}, {"secret": new, "algorithm": "SHA512", "digits": 8}):
        one = after.browser()
        second_step(after, one)
        assert one.do(totp.sign_in, code=code_of(after, **given)).identity is not None  # type: ignore[arg-type]


def test_a_device_of_another_system_goes_on(house: House) -> None:
    ann = signed_up(house)
    secret = bytes(range(64, 80))  # 128 bits, as some have them

    async def taken_in(call: Call) -> None:
        (user,) = await call.store.find(User)
        await call.store.add(totp.imported(call, user.id, secret))

    house.run(taken_in)
    second_step(house, ann)
    assert ann.do(totp.sign_in, code=code_of(house, secret)).identity.aal == 2


def test_what_is_kept_of_a_secret_opens_for_its_user_alone(house: House) -> None:
    """ASVS 5.0 11.3.3: whoever changes it, or gives it to somebody else, has no device."""
    secret = with_totp(signed_up(house))

    async def moved(call: Call) -> str:
        (row,) = await call.store.find(Authenticator, kind="totp")
        end = "AA" if row.data[-2:] != "AA" else "BB"
        await call.store.change(Authenticator, {"id": row.id}, data=row.data[:-2] + end)
        return row.data

    assert base64.b32encode(secret).decode() not in house.run(moved)
    guest = house.browser()
    second_step(house, guest)
    refused("wrong_code", guest.do, totp.sign_in, code=code_of(house, secret))


@pytest.mark.parametrize(
    ("options", "id"),
    [
        ({"digits": 5}, "totp.E2"),
        ({"digits": 9}, "totp.E2"),
        ({"algorithm": "MD5"}, "totp.E2"),
        ({"issuer": "Acme: Europe"}, "totp.E1"),
    ],
)
def test_options_that_no_app_can_follow_are_named_at_start(options: dict[str, Any], id: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        house_with(totp.Totp(**options))
    assert caught.value.id == id


def test_a_device_is_renamed_by_its_owner(house: House) -> None:
    ann, bob = signed_up(house), signed_up(house, "bob@example.com")
    with_totp(ann)
    (device,) = ann.do(totp.list_devices).items
    refused("not_found", bob.do, totp.rename, id=device.id, name="mine now")
    refused("not_signed_in", house.browser().do, totp.rename, id=device.id, name="x")
    refused("invalid_input", ann.do, totp.rename, id=device.id, name="x" * 151)
    refused("invalid_input", ann.do, totp.rename, id=device.id, name="a\nb")
    ann.do(totp.rename, id=device.id, name="Work phone")
    assert [one.name for one in ann.do(totp.list_devices).items] == ["Work phone"]
    ann.do(totp.rename, id=device.id, name="")
    assert [one.name for one in ann.do(totp.list_devices).items] == [""]


def test_only_apps_are_renamed_here(house: House) -> None:
    ann = signed_up(house)

    async def password_of(call: Call) -> str:
        (row,) = await call.store.find(Authenticator, kind="password")
        return row.id

    refused("not_found", ann.do, totp.rename, id=house.run(password_of), name="x")
