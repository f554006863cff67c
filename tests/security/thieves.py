"""Who breaks in, and what they look at."""

from __future__ import annotations

from typing import Any

from doorward.core.refusals import Refused
from doorward.features import sessions
from doorward.testing.doubles import Guest, House
from tests.features.people import signed_in

ANN = "ann@example.com"
SERVICE = "https://orders.example.com"


def thief_with(house: House, *, session: str = "", bearer: str = "") -> Guest:
    """Somebody elsewhere who has what was stolen."""
    thief = house.browser(ip="203.0.113.66")
    thief.session, thief.bearer = session, bearer
    return thief


def is_in(guest: Guest) -> bool:
    try:
        guest.do(sessions.session)
    except Refused:
        return False
    return True


def tokens_of(house: House, email: str = ANN) -> dict[str, Any]:
    given: dict[str, Any] = signed_in(house.program(), email, issue="tokens").tokens
    return given


def sessions_of(guest: Guest) -> Any:
    return guest.do(sessions.list_sessions).items
