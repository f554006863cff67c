"""What every host of the scenarios offers: requests in, answers out, a clock to move and a mailbox to look into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Any, ClassVar

from doorward.core.call import Call
from doorward.core.rights import grant
from doorward.core.users import find_user
from doorward.features.roles import add_role
from doorward.limits import MemoryLimits
from doorward.testing.doubles import CHEAP, SECRET, Clock, MailBox, SmsBox
from tests.scenarios.client import Answer, Pairs

ORIGIN = "https://app.example.com"
WANTS: dict[str, dict[str, Any]] = {
    "/recent": {"fresh": timedelta(minutes=2)},
    "/second": {"aal": 2},
    "/unphished": {"phishing_resistant": True},
}


async def _give(call: Call, email: str, role: str) -> None:
    user = await find_user(call, email)
    assert user is not None
    await grant(call, user, role, by=None)


class InProcessHost(ABC):
    """A host in this process. `options` are for its `Auth`.

    Each has routes of its own: `GET /open` for everybody, `GET /who` (JSON: the address of who is signed in, or
    null), `GET /closed` for who is signed in, `GET /editors` for who has the role `editor`, and those of `WANTS` for
    who has proved so much; and `POST /leave`, which signs out by a call from Python.
    """

    origin = ORIGIN
    auth: Any
    elsewhere: ClassVar[dict[str, str]] = {}  # routes of its own that have another path here

    def __init__(self, database: str, **options: Any) -> None:
        self.clock, self.mail, self.sms = Clock(), MailBox(), SmsBox()
        # Everything but what a scenario is about, as in production: real stores, argon2id (at a cost for tests).
        parts: dict[str, Any] = {
            "secret": SECRET,
            "origin": ORIGIN,
            "clock": self.clock,
            "mail": self.mail,
            "sms": self.sms,
            "sms_countries": "DE",
            "limits": MemoryLimits(self.clock),
            "passwords": CHEAP,
        }
        self.start(database, {**parts, **options})

    @abstractmethod
    def start(self, database: str, options: dict[str, Any]) -> None:
        """Make the application, and its `Auth` over this database."""

    def give(self, email: str, role: str, *permissions: str) -> None:
        """Make a role with these permissions, and give it to who has this address."""
        self.auth.run(lambda call: add_role(call, role, permissions))
        self.auth.run(lambda call: _give(call, email, role))

    @abstractmethod
    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        """One request; `target` as it stands in a request line."""

    @abstractmethod
    def close(self) -> None:
        """End what was started."""
