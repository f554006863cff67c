"""Addresses for the tests of features: how they are added, what is stored of them, and what letters say."""

from __future__ import annotations

import re

from doorward.core.call import Call, Letter
from doorward.core.records import Record, User
from doorward.features import change_email, verify_email
from doorward.testing.doubles import Guest, House

ANN, NEW, THIEF = "ann@example.com", "Ann@new.example", "thief@evil.example"


def rows(house: House, kind: type[Record]) -> list[Record]:
    async def found(call: Call) -> list[Record]:
        return await call.store.find(kind)

    return list(house.run(found))


def added(guest: Guest, address: str = NEW) -> Guest:
    """A guest with an address more, verified half a minute after the one before."""
    guest.house.clock.forward(seconds=30)
    guest.do(change_email.add, email=address)
    guest.do(verify_email.verify, code=guest.house.mail.code())
    guest.house.clock.forward(seconds=30)
    return guest


def shown(guest: Guest) -> list[tuple[str, bool, bool]]:
    return [(one.email, one.primary, one.verified) for one in guest.do(change_email.list_addresses).items]


def undo_of(letter: Letter) -> str:
    found = re.search(r"/email/undo\?token=([\w-]+)$", letter.words["undo_link"])
    return found[1] if found else ""


def letters(house: House, address: str, template: str) -> list[Letter]:
    return [letter for letter in house.mail.letters if (letter.to, letter.template) == (address, template)]


def user_email(house: House) -> str | None:
    user = rows(house, User)[0]
    assert isinstance(user, User)
    return user.email
