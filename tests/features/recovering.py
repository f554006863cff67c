"""People who lost their second factor, and thieves who say so."""

from __future__ import annotations

import base64
import re
from typing import Any

from doorward.core.records import Authenticator
from doorward.core.steps import Confirm, Enroll, Prove
from doorward.features import recovery, reset_password, totp
from doorward.testing.doubles import Guest, House
from tests.features.addresses import letters, rows
from tests.features.people import PASSWORD, code_of, second_step, signed_up, with_totp

ANN, NEW = "ann@example.com", "twelve green bottles hang"
WAIT, ENROLL = Confirm("recovery_wait"), Enroll(("passkey", "totp"))


def kinds(house: House) -> list[str]:
    return sorted(str(row.kind) for row in rows(house, Authenticator) if row.kind != "decoy")  # type: ignore[attr-defined]


def stop_link(house: House, template: str = "recovery_begun") -> str:
    letter = letters(house, ANN, template)[-1]
    found = re.search(r"/recovery/cancel\?token=([\w-]+)$", letter.words["cancel_link"])
    assert found is not None
    return found[1]


def asking(house: House, ip: str = "192.0.2.9", password_: str = PASSWORD) -> Guest:
    """Somebody with the password, who says that the second factor is lost; a code is on its way to the mailbox."""
    guest = house.browser(ip)
    second_step(house, guest, password_=password_)
    assert guest.do(recovery.send).hold == Prove(("email",))
    return guest


def proving(house: House, **more: Any) -> tuple[Guest, Any]:
    """The same, who reads the mail as well."""
    guest = asking(house, **more)
    return guest, guest.do(recovery.prove_mailbox, code=house.mail.code())


def waiting(house: House, **more: Any) -> Any:
    guest, answer = proving(house, **more)
    assert answer.hold == WAIT
    return guest.do(recovery.begin_wait)


def enrolled(guest: Guest) -> Any:
    secret = base64.b32decode(guest.do(totp.begin).secret)
    return guest.do(totp.confirm, code=code_of(guest.house, secret))


def owner_with_totp(house: House) -> tuple[Guest, bytes]:
    owner = signed_up(house)
    return owner, with_totp(owner)


def reset(house: House) -> Guest:
    guest = house.browser("203.0.113.66")
    guest.do(reset_password.forgot, email=ANN)
    guest.do(reset_password.reset, code=house.mail.code(), new_password=NEW)
    return guest
