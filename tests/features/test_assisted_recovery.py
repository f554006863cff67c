"""A link of an administrator: good once, for one person, who sets up anew what was lost; alone it lets nobody in."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doorward.core.call import Call
from doorward.core.events import PasswordChanged, RecoveryAssisted
from doorward.core.links import MailedLink
from doorward.core.records import Authenticator, EmailAddress, User
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.rights import grant
from doorward.core.steps import Prove
from doorward.core.users import find_user
from doorward.features import (
    assisted_recovery,
    change_email,
    password,
    recovery,
    reset_password,
    sessions,
    sign_out,
    totp,
    verify_email,
)
from doorward.features.roles import add_role
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.server import people
from doorward.stores.memory import MemoryStores
from doorward.testing.doubles import Guest, House
from tests.features.addresses import letters, rows
from tests.features.people import PASSWORD, code_of, refused, second_step, signed_in, signed_up, with_totp
from tests.features.recovering import ENROLL

ANN, NEW = "ann@example.com", "twelve green bottles hang"


def token_of(link: str | None) -> str:
    found = re.search(r"/recovery/assisted\?token=([\w-]+)$", link or "")
    assert found is not None
    return found[1]


def helped(house: House, who: str = ANN) -> str:
    """What an operator at the command line hands over."""
    return token_of(house.run(people.recover, who, mail=False).link)


def by_link(guest: Guest, token: str, **more: Any) -> Any:
    return guest.do(assisted_recovery.open_link, token=token, **more)


def enrolled(guest: Guest) -> Any:
    secret = base64.b32decode(guest.do(totp.begin).secret)
    return guest.do(totp.confirm, code=code_of(guest.house, secret))


def user_id(house: House, email: str = ANN) -> str:
    async def found(call: Call) -> str:
        user = await find_user(call, email)
        assert user is not None
        return user.id

    return str(house.run(found))


async def _give(call: Call, email: str, role: str) -> None:
    user = await find_user(call, email)
    assert user is not None
    await grant(call, user, role, by=None)


def helper(house: House, email: str = "mia@example.com", role: str = "admin", *, aal: int = 2) -> Guest:
    """Somebody who may help others, and has just proved two factors."""
    guest = signed_up(house, email)
    if aal == 2:
        with_totp(guest)
    house.run(_give, email, role)
    return guest


# What it opens


def test_who_lost_everything_chooses_a_password_and_enrols_another_factor(house: House) -> None:
    told: list[Any] = []
    house.doorward.on(RecoveryAssisted)(told.append)
    owner = signed_up(house)
    with_totp(owner)
    token = helped(house)
    guest = house.browser("203.0.113.5")
    assert by_link(guest, token, new_password=NEW).hold == ENROLL
    for gone in (owner, guest):
        refused("not_signed_in", gone.do, sessions.session)
    assert enrolled(guest).identity.amr == ("recovery", "pwd", "otp", "mfa")
    assert [row.kind for row in rows(house, Authenticator)].count("totp") == 1  # type: ignore[attr-defined]
    told_of = house.mail.to(ANN)
    assert [name for name in told_of if name.startswith(("recovery", "second"))] == [
        "recovery_assisted",
        "recovery_link_used",
        "second_factor_replaced",
    ]
    assert [event.by for event in told] == [""]
    refused("wrong_credentials", signed_in, house.browser())
    assert isinstance(signed_in(house.browser(), password_=NEW).hold, Prove)


def test_who_knows_the_password_keeps_it_and_proves_it(house: House) -> None:
    with_totp(signed_up(house))
    guest = house.browser()
    assert by_link(guest, helped(house)).hold == Prove(("password",))
    refused("wrong_method", guest.do, totp.begin)
    assert signed_in(guest, attempt=guest.client.attempt).hold == ENROLL
    assert enrolled(guest).identity.aal == 2


def test_the_link_by_itself_lets_nobody_in(house: House) -> None:
    """Also where there is no second factor."""
    signed_up(house)
    guest = house.browser()
    assert by_link(guest, helped(house)).hold == Prove(("password",))
    refused("not_signed_in", guest.do, sessions.session)
    refused("wrong_credentials", signed_in, guest, password_="wrong", attempt=guest.client.attempt)


def test_who_lost_only_the_password_chooses_one(house: House) -> None:
    signed_up(house)
    guest = house.browser()
    assert by_link(guest, helped(house), new_password=NEW).identity.amr == ("recovery", "pwd")


def test_where_a_second_factor_is_demanded_it_is_enrolled(open_house: Callable[..., House]) -> None:
    house = open_house(policy="strict")
    house.run(people.add, email=ANN, password=PASSWORD)
    guest = house.browser()
    assert by_link(guest, helped(house), new_password=NEW).hold == ENROLL
    assert enrolled(guest).identity.aal == 2


def test_with_a_dead_address_and_a_lost_phone_one_gets_a_new_address(house: House) -> None:
    """Rule 47."""
    with_totp(signed_up(house))
    guest = house.browser()
    by_link(guest, helped(house), new_password=NEW)
    enrolled(guest)
    guest.do(change_email.add, email="ann@new.example")
    guest.do(verify_email.verify, code=house.mail.code())
    guest.do(change_email.make_primary, email="ann@new.example")
    guest.do(change_email.remove, email=ANN)
    assert [row.address for row in rows(house, EmailAddress)] == ["ann@new.example"]  # type: ignore[attr-defined]


def test_the_password_of_a_link_is_ones_own(house: House) -> None:
    """No mailbox chose it: it is a second way beside one again."""
    told: list[Any] = []
    house.doorward.on(PasswordChanged)(told.append)
    signed_up(house)
    by_link(house.browser(), helped(house), new_password=NEW)
    assert [event.by_mail for event in told] == [False]


def test_a_password_that_is_no_good_spends_no_link(house: House) -> None:
    signed_up(house)
    token, guest = helped(house), house.browser()
    refused("password_too_short", by_link, guest, token, new_password="short")
    assert by_link(guest, token, new_password=NEW).identity is not None


# Replay, time, purpose, others


def test_it_is_good_once(house: House) -> None:
    with_totp(signed_up(house))
    token = helped(house)
    by_link(house.browser(), token, new_password=NEW)
    refused("invalid_token", by_link, house.browser(), token, new_password=NEW)


def test_of_forty_at_once_one_uses_it(house: House) -> None:
    with_totp(signed_up(house))
    token = helped(house)

    def rival(number: int) -> bool:
        try:
            return by_link(house.browser(f"192.0.2.{number}"), token).hold is not None
        except Refused:
            return False

    with ThreadPoolExecutor(40) as rivals:
        assert sum(rivals.map(rival, range(40))) == 1


def test_it_lasts_a_day_and_a_new_one_ends_it(house: House) -> None:
    signed_up(house)
    first = helped(house)
    second = helped(house)
    refused("invalid_token", by_link, house.browser(), first)
    house.clock.forward(hours=24, seconds=-1)
    house.run(assisted_recovery.load_assisted, {"token": second})
    house.clock.forward(seconds=1)
    refused("invalid_token", by_link, house.browser(), second)


@pytest.mark.parametrize("end", ["stopped", "everywhere", "password", "disabled"])
def test_it_ends_with(house: House, end: str) -> None:
    owner = signed_up(house)
    token = helped(house)
    if end == "stopped":
        link = letters(house, ANN, "recovery_assisted")[-1].words["cancel_link"]
        house.browser().do(recovery.stop, token=link.partition("token=")[2])
        assert house.mail.to(ANN)[-1] == "recovery_cancelled"
    elif end == "everywhere":
        owner.do(sign_out.sign_out, all=True)
    elif end == "password":
        owner.do(password.change, current_password=PASSWORD, new_password=NEW)
    else:
        house.run(people.set_active, ANN, active=False)
    refused("invalid_token", by_link, house.browser(), token, new_password="seven herons in the fog")


def test_another_link_opens_nothing(house: House) -> None:
    owner = signed_up(house)
    guest = house.browser()
    guest.do(reset_password.forgot, email=ANN)
    for token in (house.mail.token(), owner.session, "A" * 43, "x"):
        refused("invalid_token", by_link, guest, token, new_password=NEW)
    token = helped(house)
    refused("invalid_token", guest.do, reset_password.reset, token=token, new_password=NEW)
    refused("invalid_token", guest.do, recovery.stop, token=token)
    for given in ({}, {"token": ""}, {"token": None}, {"token": []}, {"token": token, "lost": "totp"}):
        refused("invalid_input", guest.do, assisted_recovery.open_link, **given)


def test_it_stands_in_the_database_as_a_digest(house: House) -> None:
    signed_up(house)
    token = helped(house)
    assert token not in repr(rows(house, MailedLink))


# Who may hand one out


def test_an_administrator_mails_it_and_does_not_see_it(house: House) -> None:
    told: list[Any] = []
    house.doorward.on(RecoveryAssisted)(told.append)
    signed_up(house)
    mia = helper(house)
    made = mia.do(assisted_recovery.recover, user_id=user_id(house))
    assert made.link is None
    token = token_of(letters(house, ANN, "recovery_link")[-1].words["link"])
    assert by_link(house.browser(), token, new_password=NEW).identity is not None
    assert [(event.user_id, event.by) for event in told] == [(user_id(house), user_id(house, "mia@example.com"))]


def test_it_is_shown_where_there_is_no_address(house: House) -> None:
    signed_up(house)
    made = helper(house).do(assisted_recovery.recover, user_id=user_id(house), show=True)
    assert by_link(house.browser(), token_of(made.link), new_password=NEW).identity is not None
    assert house.mail.to(ANN).count("recovery_link") == 0
    assert house.mail.to(ANN).count("recovery_assisted") == 1


def test_it_needs_the_permission_and_a_fresh_second_factor(house: House) -> None:
    owner = signed_up(house)
    target = user_id(house)
    refused("not_signed_in", house.browser().do, assisted_recovery.recover, user_id=target)
    refused("not_permitted", owner.do, assisted_recovery.recover, user_id=target)
    low = helper(house, "low@example.com", aal=1)
    refused("second_factor_required", low.do, assisted_recovery.recover, user_id=target)
    mia = helper(house)
    house.clock.forward(minutes=11)
    refused("fresh_proof_required", mia.do, assisted_recovery.recover, user_id=target)


def test_nobody_helps_who_may_do_more_or_themselves(house: House) -> None:
    house.run(add_role, "desk", ["doorward.recover"])
    helper(house, "root@example.com")
    desk = helper(house, "desk@example.com", "desk")
    signed_up(house)
    refused("not_permitted", desk.do, assisted_recovery.recover, user_id=user_id(house, "root@example.com"))
    refused("not_permitted", desk.do, assisted_recovery.recover, user_id=user_id(house, "desk@example.com"))
    assert desk.do(assisted_recovery.recover, user_id=user_id(house)).expires_at
    refused("not_found", desk.do, assisted_recovery.recover, user_id="nobody")


def test_nobody_is_helped_into_a_closed_account(house: House) -> None:
    signed_up(house)
    house.run(people.set_active, ANN, active=False)
    refused("state_changed", house.run, people.recover, ANN, mail=False)


def test_a_host_user_without_an_address_is_helped_by_hand(house: House) -> None:
    async def made(call: Call) -> None:
        await call.store.add_user(User(id="bob", username="bob", created_at=call.now))

    house.run(made)
    refused("wrong_method", house.run, people.recover, "bob", mail=True)
    guest = house.browser()
    answer = by_link(guest, helped(house, "bob"), new_password=NEW)
    assert answer.identity.user.username == "bob"


def test_the_last_administrator_comes_back_by_the_command_line(house: House) -> None:
    """Rule 45: without mail, and with the rights that were there."""
    root = helper(house, "root@example.com")
    house.mail.letters.clear()
    token = helped(house, "root@example.com")
    guest = house.browser()
    by_link(guest, token, new_password=NEW)
    enrolled(guest)
    signed_up(house)
    assert guest.do(assisted_recovery.recover, user_id=user_id(house)).expires_at
    refused("not_signed_in", root.do, sessions.session)
    second_step(house, house.browser(), email="root@example.com", password_=NEW)


def test_without_what_removes_lost_factors_no_link_is_made() -> None:
    features = [feature for feature in standard() if not isinstance(feature, recovery.LostFactor)]
    limits = MemoryLimits(lambda: house.clock())
    house = House(features, lambda ward: MemoryStores(ward.records), limits, os.urandom)
    signed_up(house)
    with pytest.raises(Misconfigured, match="LostFactor"):
        house.run(people.recover, ANN, mail=False)
