"""A house with letters in its outbox, and ways to send that tests can look into."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from doorward.core.call import Call, Letter
from doorward.core.finish import finish
from doorward.core.records import OutboxMessage
from doorward.delivery import Composed, Mail, Outbox
from doorward.limits import MemoryLimits
from doorward.presets import standard
from doorward.stores import open_store
from doorward.testing.doubles import House

CODE = {"service": "Acme", "code": "482913", "minutes": "10", "link": "https://app.example.com/auth/x?token=abc"}


class Office(House):
    """A house whose letters are written by hand."""

    def __init__(self, url: str = "memory:") -> None:
        super().__init__(
            standard(), lambda doorward: open_store(url, records=doorward.records), MemoryLimits(), os.urandom
        )

    def write(self, to: str = "ada@example.com", template: str = "verify_address", **words: str) -> str:
        """Put a letter into the outbox; its id."""
        return self.leave(Letter(to, template, {**CODE, **words}))

    def leave(self, letter: Letter | None) -> str:
        async def story(call: Call) -> str:
            await call.later(letter)
            return call.effects.posted[-1].id

        return self.run(story)

    def outbox(self, mail: Mail) -> Outbox:
        return Outbox(self.stores, self.doorward.world.keyring, mail, self.clock)

    def waiting(self) -> list[OutboxMessage]:
        return finish(self._waiting())

    async def _waiting(self) -> list[OutboxMessage]:
        async with self.stores.unit("sync") as store:
            return await store.find(OutboxMessage, limit=1000)


class Kept:
    """Keeps what it is given, or raises what it is told to."""

    def __init__(self, *errors: Exception | None, meanwhile: Callable[[Composed], None] | None = None) -> None:
        self.letters: list[Composed] = []
        self._errors: list[Exception | None] = list(errors)
        self._meanwhile = meanwhile
        self._lock = threading.Lock()

    def send(self, letter: Composed, /) -> None:
        error = self._errors.pop(0) if self._errors else None
        if self._meanwhile is not None:
            self._meanwhile(letter)
        if error is not None:
            raise error
        with self._lock:
            self.letters.append(letter)

    @property
    def recipients(self) -> Sequence[str]:
        return [letter.to for letter in self.letters]
