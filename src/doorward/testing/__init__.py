"""For tests, yours and ours: a clock to move, a mailbox to read, an authenticator, and the contract of every store."""

from __future__ import annotations

from doorward.testing.authenticator import Attestor, NotAllowed, SoftAuthenticator
from doorward.testing.doubles import CHEAP, CheapHash, Clock, Guest, House, MailBox, SmsBox
from doorward.testing.signing_in import asign_in_as, sign_in_as
from doorward.testing.store_contract import StoreContract

__all__ = [
    "CHEAP",
    "Attestor",
    "CheapHash",
    "Clock",
    "Guest",
    "House",
    "MailBox",
    "NotAllowed",
    "SmsBox",
    "SoftAuthenticator",
    "StoreContract",
    "asign_in_as",
    "sign_in_as",
]
