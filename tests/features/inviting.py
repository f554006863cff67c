"""People who invite, and people who come in by it."""

from __future__ import annotations

from typing import Any

from doorward.core.records import OutboxMessage, User
from doorward.core.rights import grant, roles_of
from doorward.core.steps import Enroll
from doorward.features import invitations, sign_up
from doorward.features.invitations import (
    Invitation,
)
from doorward.features.roles import add_role
from doorward.features.sign_up import PendingSignUp
from doorward.server import people
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, signed_in

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
CHOSEN = "a kettle of green herons"


def inviter(house: House, email: str = ANN, *more: str) -> Guest:
    """Somebody who may invite, and what else is said; not by sign-up, which may be closed."""
    role = f"host-{email.partition('@')[0]}"
    house.run(lambda call: people.add(call, email=email, password=PASSWORD, name="Ann"))
    house.run(add_role, role, ["doorward.invite", *more])
    house.run(given, email, role)
    guest = house.browser()
    signed_in(guest, email)
    house.clock.forward(seconds=0.5)  # what another process has changed holds here within half a second
    return guest


async def given(call: Any, email: str, role: str) -> None:
    await grant(call, await people.find(call, email), role, by=None)


async def held_by(call: Any, email: str) -> tuple[str, ...]:
    return await roles_of(call, await people.find(call, email))


def invited(house: House, guest: Guest, email: str = BOB, **more: Any) -> str:
    """The token in the letter."""
    guest.do(invitations.create, email=email, **more)
    return house.mail.token()


def came_in(house: House, token: str, browser: Guest | None = None) -> Guest:
    browser = browser or house.browser("198.51.100.9")
    assert browser.do(invitations.accept, token=token).hold == Enroll(("password", "passkey"))
    assert browser.do(sign_up.choose_password, new_password=CHOSEN).identity is not None
    return browser


def rows(house: House, kind: Any, **where: Any) -> int:
    return int(house.run(lambda call: call.store.count(kind, **where)))


def changed(house: House) -> list[int]:
    return [rows(house, kind) for kind in (User, Invitation, PendingSignUp, OutboxMessage)]
