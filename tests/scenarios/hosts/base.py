"""What every host of the scenarios offers: requests in, answers out, a clock to move and a mailbox to look into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from doorward.limits import MemoryLimits
from doorward.testing.doubles import CHEAP, SECRET, Clock, MailBox
from tests.scenarios.client import Answer, Pairs

ORIGIN = "https://app.example.com"


class InProcessHost(ABC):
    """A host in this process. `options` are for its `Auth`.

    Each has three routes of its own: `GET /open` for everybody, `GET /who` (JSON: the address of who is signed in, or
    null) and `GET /closed` for who is signed in; and `POST /leave`, which signs out by a call from Python.
    """

    origin = ORIGIN

    def __init__(self, database: str, **options: Any) -> None:
        self.clock, self.mail = Clock(), MailBox()
        # Everything but what a scenario is about, as in production: real stores, argon2id (at a cost for tests).
        parts: dict[str, Any] = {
            "secret": SECRET,
            "origin": ORIGIN,
            "clock": self.clock,
            "mail": self.mail,
            "limits": MemoryLimits(self.clock),
            "passwords": CHEAP,
        }
        self.start(database, {**parts, **options})

    @abstractmethod
    def start(self, database: str, options: dict[str, Any]) -> None:
        """Make the application, and its `Auth` over this database."""

    @abstractmethod
    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        """One request; `target` as it stands in a request line."""

    @abstractmethod
    def close(self) -> None:
        """End what was started."""
