"""For tests, yours and ours: a clock to move, a mailbox to read, and the contract that every store must keep."""

from __future__ import annotations

from doorward.testing.doubles import CHEAP, CheapHash, Clock, Guest, House, MailBox
from doorward.testing.store_contract import StoreContract

__all__ = ["CHEAP", "CheapHash", "Clock", "Guest", "House", "MailBox", "StoreContract"]
