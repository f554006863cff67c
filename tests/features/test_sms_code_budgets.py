"""What text messages may cost in a day: fraud is kept out of the budget of people who sign in, and told of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from doorward.core.events import TextsHeldBack
from doorward.core.settings import Policy
from doorward.features import phone_numbers, sms_code
from doorward.testing.doubles import House
from tests.features.people import refused, second_step, signed_up, wait_out_limits
from tests.features.phones import NUMBER, ann_of, asked

Open = Callable[..., House]


def test_a_stranger_who_knows_the_password_uses_up_no_budget_of_the_owner(open_house: Open) -> None:
    house, owner, _ = ann_of(open_house, policy=replace(Policy.standard(), texts_per_number=3))
    thief = house.browser("198.51.100.6")
    second_step(house, thief)
    for _ in range(3):
        thief.do(sms_code.send)
    assert refused("too_many_attempts", thief.do, sms_code.send).retry_after
    for _ in range(5):  # a right code gives what it cost back
        asked(house, owner)
        assert owner.do(sms_code.sign_in, code=house.sms.code()).identity is not None


@pytest.mark.parametrize(
    ("name", "most", "budget"),
    [
        ("texts_per_range", 4, "texts-range"),
        ("texts_per_country", 4, "texts-country"),
        ("texts_per_day", 4, "texts-all"),
    ],
)
def test_who_adds_numbers_uses_up_half_of_what_all_share_and_the_operator_hears_of_it(
    open_house: Open, name: str, most: int, budget: str
) -> None:
    policy = replace(Policy.standard(), **{name: most})
    house, _, _ = ann_of(open_house, policy=policy)
    wait_out_limits(house)
    heard: list[str] = []
    house.doorward.on(TextsHeldBack)(lambda event: heard.append(event.budget))
    thief = signed_up(house, "thief@example.com")
    for last in "12":
        thief.do(phone_numbers.add, phone=f"+49171123450{last}")
    refused("too_many_attempts", thief.do, phone_numbers.add, phone="+491711234503")
    assert heard == [budget]
    asked(house)
    assert house.sms.last.to == NUMBER


def test_the_day_after_the_budgets_are_whole_again(open_house: Open) -> None:
    house, _, _ = ann_of(open_house, policy=replace(Policy.standard(), texts_per_number=1))
    guest = asked(house)
    refused("too_many_attempts", guest.do, sms_code.send)
    wait_out_limits(house)
    asked(house)


def test_a_country_that_is_taken_off_the_list_gets_no_more(open_house: Open) -> None:
    house, _, _ = ann_of(open_house)
    world = house.doorward.world
    house.doorward.world = replace(world, settings=replace(world.settings, sms_countries=("AT",)))
    guest = house.browser()
    second_step(house, guest)
    refused("wrong_method", guest.do, sms_code.send)
