"""People with phones, for the tests of features: how they add a number, and sign in by a code that comes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doorward.features import phone_numbers, sms_code
from doorward.testing.doubles import Guest, House
from tests.features.people import second_step, signed_up, with_totp

NUMBER, OTHER = "+491711234567", "+491727654321"
SENDS: dict[str, Any] = {"sms_url": "console:", "phone_region": "DE"}


def with_phone(guest: Guest, number: str = NUMBER) -> None:
    """Add a number, and type the code that comes to it."""
    guest.do(phone_numbers.add, phone=number)
    guest.do(phone_numbers.confirm, code=guest.house.sms.code())


def ann_of(open_house: Callable[..., House], **settings: Any) -> tuple[House, Guest, bytes]:
    """Somebody with an authenticator app and, beside it, a phone that has stood for a day."""
    house = open_house(**{**SENDS, **settings})
    ann = signed_up(house)
    secret = with_totp(ann)
    with_phone(ann)
    house.clock.forward(hours=24)
    return house, ann, secret


def asked(house: House, guest: Guest | None = None, **more: Any) -> Guest:
    """Somebody who has proved the password, and has had a code sent."""
    guest = guest or house.browser()
    second_step(house, guest, **more)
    guest.do(sms_code.send)
    return guest
