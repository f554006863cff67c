"""Recovery codes: each once, also in parallel; a new set ends the old one; nobody's but their owner's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from doorward.core.call import Call
from doorward.core.refusals import Refused
from doorward.core.steps import Prove
from doorward.features import recovery_codes
from doorward.features.recovery_codes import RecoveryCode
from doorward.testing.doubles import Guest, House
from tests.features.people import recovery, refused, second_step, signed_in, signed_up, wait_out_limits, with_totp


def test_a_code_stands_in_for_the_app_once(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    codes = recovery(owner)
    assert len(set(codes)) == 10
    guest = house.browser()
    assert second_step(house, guest).hold == Prove(("totp", "recovery_code"))
    answer = guest.do(recovery_codes.sign_in, code=codes[0])
    assert answer.identity.amr == ("pwd", "recovery", "mfa")
    used = next(letter for letter in reversed(house.mail.letters) if letter.template == "recovery_code_used")
    assert used.words["left"] == "9"
    again = house.browser()
    second_step(house, again)
    refused("wrong_code", again.do, recovery_codes.sign_in, code=codes[0])
    assert owner.do(recovery_codes.count).count == 9


def test_case_spaces_and_lookalikes_do_not_matter(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    for code, typed in zip(
        recovery(owner), (str.upper, lambda c: c.replace("-", " "), lambda c: c.replace("-", "")), strict=False
    ):
        guest = house.browser()
        second_step(house, guest)
        assert guest.do(recovery_codes.sign_in, code=typed(code)).identity is not None


def test_a_new_set_ends_the_old_one(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    old, new = recovery(owner), recovery(owner)
    guest = house.browser()
    second_step(house, guest)
    refused("wrong_code", guest.do, recovery_codes.sign_in, code=old[0])
    assert guest.do(recovery_codes.sign_in, code=new[0]).identity is not None


def test_of_forty_parallel_uses_one_gets_in(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    code = recovery(owner)[0]
    guests = [house.browser(f"192.0.2.{i}") for i in range(18)]
    for guest in guests:
        second_step(house, guest)

    def attempt(guest: Guest) -> bool:
        try:
            return guest.do(recovery_codes.sign_in, code=code).identity is not None
        except Refused:
            return False

    with ThreadPoolExecutor(18) as pool:
        assert sum(pool.map(attempt, guests)) == 1


def test_a_code_of_one_user_is_wrong_for_another(house: House) -> None:
    ann, bob = signed_up(house), signed_up(house, "bob@example.com")
    for owner in (ann, bob):
        with_totp(owner)
    codes = recovery(ann)
    recovery(bob)
    guest = house.browser()
    second_step(house, guest, email="bob@example.com")
    refused("wrong_code", guest.do, recovery_codes.sign_in, code=codes[0])


def test_codes_alone_demand_no_second_step(house: House) -> None:
    recovery(signed_up(house))
    assert signed_in(house.browser()).identity is not None


def test_generating_needs_a_fresh_proof(house: House) -> None:
    owner = signed_up(house)
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", owner.do, recovery_codes.generate)


def test_no_code_is_stored(house: House) -> None:
    codes = recovery(signed_up(house))

    async def stored(call: Call) -> str:
        return repr(await call.store.find(RecoveryCode))

    kept = house.run(stored)
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_what_is_no_code_costs_a_try_too(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    recovery(owner)
    guest = house.browser()
    second_step(house, guest)
    for typed in ("x", "0000-0000-0000-0000", "ääää", "u" * 16, "-"):
        refused("wrong_code", guest.do, recovery_codes.sign_in, code=typed)
    refused("attempt_expired", guest.do, recovery_codes.sign_in, code="x")


def test_a_set_without_codes_is_offered_no_more(house: House) -> None:
    owner = signed_up(house)
    with_totp(owner)
    for code in recovery(owner):
        wait_out_limits(house)
        guest = house.browser()
        second_step(house, guest)
        assert guest.do(recovery_codes.sign_in, code=code).identity is not None
    used = [one.words["left"] for one in house.mail.letters if one.template == "recovery_code_used"]
    assert used == [str(left) for left in range(9, -1, -1)]
    assert second_step(house, house.browser()).hold == Prove(("totp",))
    assert owner.do(recovery_codes.count).count == 0
    assert len(recovery(owner)) == 10
