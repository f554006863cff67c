"""How people in tests make and use passkeys."""

from __future__ import annotations

from typing import Any

from doorward.core.refusals import Refused
from doorward.features import passkeys
from doorward.testing import SoftAuthenticator
from doorward.testing.doubles import Guest
from tests.features.people import refused


def registered(guest: Guest, device: SoftAuthenticator, **twists: Any) -> Any:
    begun = guest.do(passkeys.register_begin)
    return guest.do(passkeys.register_finish, credential=device.register(begun.options, **twists))


def let_in(guest: Guest, device: SoftAuthenticator, **twists: Any) -> Any:
    """A sign-in with nothing but a passkey."""
    begun = guest.do(passkeys.sign_in_begin)
    credential = device.authenticate(begun.options, **twists)
    return guest.do(passkeys.sign_in_finish, credential=credential, attempt=begun.attempt)


def not_taken(reason: str, guest: Guest, device: SoftAuthenticator, **twists: Any) -> Refused:
    return refused(reason, let_in, guest, device, **twists)


def second(guest: Guest, attempt: str, device: SoftAuthenticator, **twists: Any) -> Any:
    begun = guest.do(passkeys.sign_in_begin, attempt=attempt)
    return guest.do(
        passkeys.sign_in_finish, credential=device.authenticate(begun.options, **twists), attempt=begun.attempt
    )
