"""Sign-up: nothing exists before the address is proved, and nobody learns who has an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from doorward.core.records import Account, EmailAddress, OutboxMessage, User
from doorward.core.refusals import Refused
from doorward.core.steps import Enroll, Verify
from doorward.features import sessions, sign_up, verify_email
from doorward.features.sign_up import PendingSignUp
from doorward.testing.doubles import House
from tests.features.people import PASSWORD, refused, signed_in, signed_up


def rows(house: House, kind: type) -> int:
    async def counted(call):  # type: ignore[no-untyped-def]
        return await call.store.count(kind)

    return int(house.run(counted))


def test_no_user_exists_before_the_address_is_proved(house: House) -> None:
    guest = house.browser()
    answer = guest.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD, name="Ann")
    assert answer.hold == Verify("email")
    assert answer.to == "a•••@example.com"
    assert (rows(house, User), rows(house, PendingSignUp)) == (0, 1)
    done = guest.do(verify_email.verify, code=house.mail.code())
    assert done.identity.user.name == "Ann"
    assert (rows(house, User), rows(house, Account), rows(house, PendingSignUp)) == (1, 1, 0)
    assert guest.do(sessions.session).identity.amr == ("pwd", "email")


def test_a_taken_address_gets_the_same_answer_and_its_owner_a_letter(house: House) -> None:
    signed_up(house)
    before = rows(house, OutboxMessage), rows(house, PendingSignUp)
    fresh, taken = house.browser(), house.browser("192.0.2.9")
    answers = [
        fresh.do(sign_up.sign_up, email="new@example.com", password=PASSWORD),
        taken.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD),
    ]
    assert next(replace(a, attempt="", to="") for a in answers) == [replace(a, attempt="", to="") for a in answers][1]
    assert house.mail.to("ann@example.com")[-1] == "address_taken"
    assert "code" not in house.mail.last.words
    assert (rows(house, OutboxMessage), rows(house, PendingSignUp)) == (before[0] + 2, before[1] + 2)


def test_no_code_of_a_decoy_is_right(house: House) -> None:
    signed_up(house)
    taken = house.browser("192.0.2.9")
    taken.do(sign_up.sign_up, email="ANN@example.com", password=PASSWORD)
    for _ in range(5):
        refused("wrong_code", taken.do, verify_email.verify, code="123456")
    refused("attempt_expired", taken.do, verify_email.verify, code="123456")
    assert rows(house, User) == 1


def test_a_link_in_another_browser_proves_the_address_only(house: House) -> None:
    """Pre-hijacking: what somebody else chose for the address is dropped."""
    attacker, owner = house.browser("198.51.100.6"), house.browser("203.0.113.5")
    attacker.do(sign_up.sign_up, email="ann@example.com", password="attackers own password", name="Mallory")
    code, token = house.mail.code(), house.mail.token()
    answer = owner.do(verify_email.verify, token=token)
    assert answer.hold == Enroll(("password", "passkey"))
    refused("wrong_method", attacker.do, sign_up.choose_password, new_password="attackers own password")
    done = owner.do(sign_up.choose_password, new_password=PASSWORD)
    assert done.identity.user.name == ""
    refused("wrong_credentials", signed_in, house.browser(), password_="attackers own password")
    refused("attempt_expired", attacker.do, verify_email.verify, code=code)
    refused("invalid_token", owner.do, verify_email.verify, token=token)


def test_the_code_proves_nothing_after_the_link_was_used_elsewhere(house: House) -> None:
    """The attacker's own attempt, with a code guessed or seen, does not get the account with the owner's password."""
    attacker, owner = house.browser("198.51.100.6"), house.browser("203.0.113.5")
    attacker.do(sign_up.sign_up, email="ann@example.com", password="attackers own password")
    code = house.mail.code()
    owner.do(verify_email.verify, token=house.mail.token())
    answer = attacker.do(verify_email.verify, code=code)
    assert answer.hold == Enroll(
        ("password", "passkey")
    )  # who holds the code reads the mailbox: may choose, but found nothing


def test_a_link_in_the_same_browser_does_what_the_code_does(house: House) -> None:
    guest = house.browser()
    guest.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    assert guest.do(verify_email.verify, token=house.mail.token()).identity is not None


def test_proving_one_sign_up_drops_all_others_for_the_address(house: House) -> None:
    other = house.browser("198.51.100.6")
    other.do(sign_up.sign_up, email="ann@example.com", password="attackers own password")
    code = house.mail.code()
    signed_up(house)
    refused("attempt_expired", other.do, verify_email.verify, code=code)
    assert rows(house, EmailAddress) == 1


def test_an_attempt_of_another_browser_is_nobodys(house: House) -> None:
    guest, thief = house.browser(), house.browser("198.51.100.6")
    answer = guest.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    code = house.mail.code()
    refused("no_sign_in_under_way", thief.do, verify_email.verify, code=code, attempt=answer.attempt)
    refused("no_sign_in_under_way", thief.do, verify_email.verify, code=code)


def test_codes_and_attempts_expire(house: House) -> None:
    guest = house.browser()
    guest.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    house.clock.forward(minutes=11)
    refused("wrong_code", guest.do, verify_email.verify, code=house.mail.code())
    guest.do(verify_email.resend)
    guest.do(verify_email.verify, code=house.mail.code())


def test_user_names_are_claimed_once_in_all_their_looks(house: House) -> None:
    signed_up(house, username="alice")
    for name in ("Alice", "аlice", "ALICE"):  # the second one begins with a Cyrillic letter
        refused(
            "username_taken",
            house.browser().do,
            sign_up.sign_up,
            email="b@example.com",
            password=PASSWORD,
            username=name,
        )
    for name in ("a@b", "+4912345", "12345", "x"):
        refusal = refused(
            "invalid_input",
            house.browser().do,
            sign_up.sign_up,
            email="b@example.com",
            password=PASSWORD,
            username=name,
        )
        assert refusal.errors[0].field == "username"


def test_a_user_name_gone_meanwhile_is_asked_for_again(house: House) -> None:
    slow = house.browser()
    slow.do(sign_up.sign_up, email="slow@example.com", password=PASSWORD, username="alice")
    code = house.mail.code()
    signed_up(house, username="alice")
    assert slow.do(verify_email.verify, code=code).hold == Enroll(("username",))
    refused("username_taken", slow.do, sign_up.choose_username, username="alice")
    assert slow.do(sign_up.choose_username, username="alice2").identity.user.username == "alice2"


def test_closed_sign_up_is_closed(open_house) -> None:  # type: ignore[no-untyped-def]
    refused(
        "sign_up_closed",
        open_house(sign_up="closed").browser().do,
        sign_up.sign_up,
        email="a@example.com",
        password=PASSWORD,
    )


ALLOWED = "Example.COM, .partner.example, bücher.example"
INSIDE = ["a@example.com", "a@EXAMPLE.com", "a@x.partner.example", "a@y.x.partner.example", "a@xn--bcher-kva.example"]
OUTSIDE = [
    "a@x.example.com",
    "a@partner.example",
    "a@evilpartner.example",
    "a@example.com.evil.org",
    "a@notexample.com",
    "a@example.co",
    "a@exаmple.com",  # a Cyrillic letter
    "a@bucher.example",
    '"a@example.com"@evil.org',
    "a@evil.org",
]


@pytest.mark.parametrize("email", [*INSIDE, *OUTSIDE])
def test_only_addresses_of_the_allowed_domains_sign_up(open_house: Callable[..., House], email: str) -> None:
    house = open_house(sign_up="domains", sign_up_domains=ALLOWED)
    guest = house.browser()
    if email in INSIDE:
        assert guest.do(sign_up.sign_up, email=email, password=PASSWORD).hold == Verify("email")
        return
    with pytest.raises(Refused) as refusal:
        guest.do(sign_up.sign_up, email=email, password=PASSWORD)
    assert refusal.value.reason in ("sign_up_closed", "invalid_input")
    assert house.mail.letters == []
    assert rows(house, PendingSignUp) == 0


def test_a_taken_address_outside_is_refused_as_any_other(open_house: Callable[..., House]) -> None:
    house = open_house(sign_up="domains", sign_up_domains="example.com")
    signed_up(house)
    for email in ("ann@other.example", "nobody@other.example"):
        refused("sign_up_closed", house.browser().do, sign_up.sign_up, email=email, password=PASSWORD)


def test_bad_input_is_named_and_nothing_is_written(house: House) -> None:
    for arguments, field in (
        ({"email": "no address", "password": PASSWORD}, "email"),
        ({"email": ["a@example.com"], "password": PASSWORD}, "email"),
        ({"email": "a@example.com", "password": PASSWORD, "role": "admin"}, "role"),
        ({"email": "a@example.com", "password": "x" * 1025}, "password"),
        ({"email": "a@example.com", "password": PASSWORD, "name": "Ann\r\nBcc: all"}, "name"),
        ({"email": "a@example.com", "password": PASSWORD, "name": "\x00"}, "name"),
        ({"email": "a@example.com", "password": PASSWORD, "remember": "yes"}, "remember"),
        ({"email": "a@example.com", "password": PASSWORD, "return_to": "//evil.example"}, "return_to"),
        ({"email": "a@example.com", "password": ""}, "password"),
    ):
        refusal = refused("invalid_input", house.browser().do, sign_up.sign_up, **arguments)
        assert refusal.errors[0].field == field
    assert (rows(house, PendingSignUp), rows(house, OutboxMessage)) == (0, 0)
