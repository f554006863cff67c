"""A phone number that an operator vouches for: one signs in by it, in every spelling, and by no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from doorward.core.call import Call
from doorward.core.records import PhoneNumber, User
from doorward.core.refusals import Misconfigured
from doorward.core.users import canonical_identifier, find_user
from doorward.http.answers import user_shape
from doorward.server.people import set_phone
from doorward.testing.doubles import House
from tests.features.people import refused, signed_in, signed_up

NUMBER = "+49 171 1234567"


def test_one_signs_in_by_it_in_every_spelling(open_house: Callable[..., House]) -> None:
    house = open_house(phone_region="DE")
    ann = signed_up(house)
    assert house.run(lambda call: set_phone(call, "ann@example.com", NUMBER))["phone"] == "+491711234567"
    for typed in (NUMBER, "0171 1234567", "+49-171-1234567"):
        assert signed_in(house.browser(), typed).identity is not None
        assert canonical_identifier(typed, region="DE") == "+491711234567"

    async def shape(call: Call) -> object:
        (user,) = await call.store.find(User)
        return (await user_shape(call, user))["phone"]

    assert ann.house.run(shape) == "+491711234567"


def test_a_number_has_one_user_and_a_user_one_number(house: House) -> None:
    signed_up(house)
    signed_up(house, "bob@example.com")
    house.run(lambda call: set_phone(call, "ann@example.com", NUMBER))
    refused("state_changed", house.run, lambda call: set_phone(call, "bob@example.com", "+49 (171) 123 4567"))
    house.run(lambda call: set_phone(call, "ann@example.com", "+49 171 7654321"))
    refused("wrong_credentials", signed_in, house.browser(), NUMBER)
    house.run(lambda call: set_phone(call, "bob@example.com", NUMBER))
    house.run(lambda call: set_phone(call, NUMBER, None))
    assert house.run(lambda call: find_user(call, NUMBER)) is None


def test_a_number_that_nobody_vouches_for_is_nobodys(house: House) -> None:
    signed_up(house)

    async def unproved(call: Call) -> object:
        (user,) = await call.store.find(User)
        row = PhoneNumber(id="x", user_id=user.id, number="+491711234567", created_at=call.now)
        await call.store.add(row)
        return await find_user(call, NUMBER), (await user_shape(call, user))["phone"]

    assert house.run(unproved) == (None, None)


@pytest.mark.parametrize("number", ["112", "+1 900 234 5678", "0171 1234567", "ann@example.com", "+49"])
def test_what_is_no_number_of_a_person_is_given_to_nobody(house: House, number: str) -> None:
    signed_up(house)
    refused("invalid_input", house.run, lambda call: set_phone(call, "ann@example.com", number))


def test_a_region_that_is_none_is_named_at_start(open_house: Callable[..., House]) -> None:
    with pytest.raises(Misconfigured, match="expected a region"):
        open_house(phone_region="Germany")
