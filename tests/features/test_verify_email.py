"""Proof of an address: five tries a code, one winner, and links that scanners may follow."""

from __future__ import annotations

from doorward.core.call import Call
from doorward.features import sign_up, verify_email
from doorward.testing.doubles import House
from tests.features.people import PASSWORD, refused


def begun(house: House, email: str = "ann@example.com"):  # type: ignore[no-untyped-def]
    guest = house.browser()
    guest.do(sign_up.sign_up, email=email, password=PASSWORD)
    return guest


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_a_code_has_five_tries(house: House) -> None:
    guest = begun(house)
    code = house.mail.code()
    for _ in range(5):
        refused("wrong_code", guest.do, verify_email.verify, code=wrong(code))
    refused("attempt_expired", guest.do, verify_email.verify, code=code)


def test_a_new_letter_ends_the_code_and_the_link_before_it(house: House) -> None:
    guest = begun(house)
    code, token = house.mail.code(), house.mail.token()
    guest.do(verify_email.resend)
    if code != house.mail.code():
        refused("wrong_code", guest.do, verify_email.verify, code=code)
    refused("invalid_token", house.browser().do, verify_email.verify, token=token)
    assert guest.do(verify_email.verify, code=house.mail.code()).identity is not None


def test_a_code_works_once(house: House) -> None:
    guest = begun(house)
    kept = guest.client
    guest.do(verify_email.verify, code=house.mail.code())
    guest.client = kept
    refused("no_sign_in_under_way", guest.do, verify_email.verify, code=house.mail.code())


def test_looking_at_a_link_changes_nothing(house: House) -> None:
    """Mail scanners follow links: only the POST proves."""
    begun(house)
    token = house.mail.token()

    async def looked(call: Call) -> object:
        return await verify_email.load_link(call, {"token": token})

    for _ in range(3):
        assert house.run(looked) == {"token": token, "to": "a•••@example.com", "adding": False}
    assert house.browser().do(verify_email.verify, token=token).hold is not None


def test_a_token_of_nothing_is_refused(house: House) -> None:
    for token in ("x", "A" * 43, house.browser().house.doorward.world.settings.origin.host):
        refused("invalid_token", house.browser().do, verify_email.verify, token=token)
    for token in ("", None, [], 0, " "):
        refused("invalid_input", house.browser().do, verify_email.verify, token=token)
    refused("invalid_input", house.browser().do, verify_email.verify)
    refused("invalid_input", house.browser().do, verify_email.verify, token="x", code="123456")


def test_links_expire_without_a_sweeper(house: House) -> None:
    begun(house)
    token = house.mail.token()
    house.clock.forward(hours=24, seconds=1)
    refused("invalid_token", house.browser().do, verify_email.verify, token=token)


def test_only_six_ascii_digits_are_a_code(house: House) -> None:
    guest = begun(house)
    for code in ("१२३४५६", "１２３４５６", "12345", "1234567", "12 34 56"):
        refused("wrong_code", guest.do, verify_email.verify, code=code)


def test_letters_to_one_address_have_a_budget_a_day(house: House) -> None:
    most = house.doorward.world.policy.letters_per_day
    for number in range(most):
        house.browser(f"192.0.2.{number}").do(sign_up.sign_up, email="ANN@example.com", password=PASSWORD)
        house.clock.forward(minutes=1)
    guest = house.browser("203.0.113.1")
    refusal = refused("too_many_attempts", guest.do, sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    assert (refusal.retry_after or 0) > 0
    assert len(house.mail.letters) == most
