"""People for the tests of features: how they sign up, sign in, and set up a second factor."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doorward.core.refusals import Refused
from doorward.core.steps import Prove
from doorward.features import password, recovery_codes, sign_up, totp, verify_email
from doorward.primitives import rfc6238
from doorward.testing.doubles import Guest, House

PASSWORD = "plenty of brown sparrows"


def signed_up(house: House, email: str = "ann@example.com", password: str = PASSWORD, **more: Any) -> Guest:
    """Somebody who made an account just now, and is signed in."""
    guest = house.browser()
    guest.do(sign_up.sign_up, email=email, password=password, **more)
    guest.do(verify_email.verify, code=house.mail.code())
    return guest


def signed_in(guest: Guest, email: str = "ann@example.com", password_: str = PASSWORD, **more: Any) -> Any:
    """The answer to a sign-in by password."""
    return guest.do(password.sign_in, identifier=email, password=password_, **more)


def with_totp(guest: Guest) -> bytes:
    """Enrol an authenticator app; its secret."""
    secret = base64.b32decode(guest.do(totp.begin).secret)
    guest.do(totp.confirm, code=code_of(guest.house, secret))
    guest.house.clock.forward(seconds=30)
    return secret


def code_of(house: House, secret: bytes, **more: Any) -> str:
    """What the app shows now."""
    key = rfc6238.TotpKey(secret, **more)
    return rfc6238.code_at_step(key, rfc6238.step_of(house.clock.now))


def wait_out_limits(house: House) -> None:
    """As if the short-term limits were over; what the store counts stays."""
    house.doorward.world.limits.__init__()  # type: ignore[misc]


def recovery(guest: Guest) -> tuple[str, ...]:
    return guest.do(recovery_codes.generate).codes


def second_step(house: House, guest: Guest, **more: Any) -> Any:
    """A guest who has proved the password and is asked for more."""
    answer = signed_in(guest, **more)
    assert isinstance(answer.hold, Prove)
    return answer


def refused(reason: str, run: Any, *args: Any, **kwargs: Any) -> Refused:
    """The refusal that a call must end in."""
    with pytest.raises(Refused) as caught:
        run(*args, **kwargs)
    assert caught.value.reason == reason, caught.value.errors
    return caught.value


def at_once(*stories: Callable[[], Any]) -> list[str]:
    """What each of these comes to, all begun at the same moment: `done`, or the reason of a refusal."""

    def outcome(story: Callable[[], Any]) -> str:
        try:
            story()
        except Refused as refusal:
            return refusal.reason
        return "done"

    with ThreadPoolExecutor(len(stories)) as pool:
        return list(pool.map(outcome, stories))
