"""Letters and text messages leave after the transaction that caused them: claimed by one process, sent, and deleted, or
tried again.

At least once: who is killed between the mail server's «250» and the deletion leaves a letter that will be sent again,
with the same Message-ID. The other order would lose letters.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from doorward.core.call import Letter, TextMessage, opened_letter
from doorward.core.finish import finish
from doorward.core.ports import Clock, Stores
from doorward.core.records import OutboxMessage, Plus
from doorward.delivery.composing import Letters, compose_text
from doorward.delivery.mail import Composed, Down, Mail, Undeliverable
from doorward.delivery.sms import ComposedText, Sms
from doorward.primitives import text
from doorward.primitives.keyring import Keyring
from doorward.primitives.phones import masked_phone

log = logging.getLogger("doorward.delivery")

# Longer than a mail server can take that uses up every time-out: what is claimed longer was claimed by a dead process.
LEASE = timedelta(minutes=3)
BACK_OFF = (30, 120, 600, 1800, 3600, 7200)  # seconds after the first try, the second …; the last one repeats
DOWN = 30  # seconds, however often
JITTER = 0.2
MOMENT = timedelta(microseconds=1)
# What is composed for nobody, so that a letter that will not be sent costs what others cost (rule 14).
FOR_NOBODY = Letter(
    to="nobody@example.com",
    template="verify_address",
    words={"service": "Doorward", "code": "000000", "minutes": "10", "link": "https://example.com/"},
)


class Outcome(Enum):
    SENT = "sent"
    DROPPED = "dropped"
    POSTPONED = "postponed"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the letters that were due. `down`: mail or text messages can't be sent now, and the others of
    that kind were left alone."""

    sent: int = 0
    dropped: int = 0
    postponed: int = 0
    down: bool = False

    def __bool__(self) -> bool:
        return bool(self.sent or self.dropped or self.postponed)

    def plus(self, outcome: Outcome) -> Delivered:
        if outcome is Outcome.DOWN:
            return replace(self, postponed=self.postponed + 1, down=True)
        return replace(self, **{outcome.value: getattr(self, outcome.value) + 1})


class Outbox:
    """Sends what waits in the outbox. Any number of threads and processes may do so at one time."""

    def __init__(
        self,
        stores: Stores,
        keyring: Keyring,
        mail: Mail,
        clock: Clock,
        letters: Letters | None = None,
        *,
        sms: Sms | None = None,
    ) -> None:
        """`letters`: how they are made; in our words and languages without it. Without `sms`, text messages stay."""
        self._stores, self._keyring, self._mail, self._clock = stores, keyring, mail, clock
        self._letters, self._sms = letters or Letters(), sms

    def deliver_once(self, limit: int = 100) -> Delivered:
        """Send what is due, `limit` of a kind at most; each by one caller. Raises `Unavailable`.

        One kind after the other: a mail server that is away holds no code on its way to a phone back.
        """
        kinds = (("mail", "nothing"),) if self._sms is None else (("mail", "nothing"), ("sms",))
        parts = [self._deliver(those, limit) for those in kinds]
        return Delivered(
            sent=sum(part.sent for part in parts),
            dropped=sum(part.dropped for part in parts),
            postponed=sum(part.postponed for part in parts),
            down=any(part.down for part in parts),
        )

    def _deliver(self, kinds: tuple[str, ...], limit: int) -> Delivered:
        delivered = Delivered()
        for message in finish(self._due(kinds, limit)):
            claimed = finish(self._claimed(message))
            if claimed is not None:
                delivered = delivered.plus(self._settle(claimed))
            if delivered.down:
                break
        return delivered

    async def _due(self, kinds: tuple[str, ...], limit: int) -> list[OutboxMessage]:
        async with self._stores.unit("sync") as store:
            until = self._clock() + MOMENT
            return await store.find(OutboxMessage, order="due_at", limit=limit, kind__in=kinds, due_at__lt=until)

    async def _claimed(self, message: OutboxMessage) -> OutboxMessage | None:
        """The message as it is now ours for the length of a lease; None if somebody else was faster."""
        due_at = self._clock() + LEASE
        async with self._stores.unit("sync") as store:
            seen = {"id": message.id, "due_at": message.due_at}
            if await store.change(OutboxMessage, seen, due_at=due_at, tries=Plus(1)) != 1:
                return None
        return replace(message, due_at=due_at, tries=message.tries + 1)

    def _settle(self, message: OutboxMessage) -> Outcome:
        """Send it, with no connection to the database held meanwhile, and write down what became of it."""
        outcome, asked = self._sent(message)
        if outcome in (Outcome.POSTPONED, Outcome.DOWN):
            due_at = self._clock() + max(next_wait(message.tries, is_down=outcome is Outcome.DOWN), asked)
            if due_at < message.expires_at:
                finish(self._postponed(message, due_at))
                return outcome
            log.error("letter %s is given up after %d tries: its time is over", message.id, message.tries)
        finish(self._removed(message))
        return Outcome.DROPPED if outcome is Outcome.POSTPONED else outcome

    def _sent(self, message: OutboxMessage) -> tuple[Outcome, timedelta]:
        """What became of it, and how long the other side asks us to wait."""
        if message.expires_at <= self._clock():
            log.error("letter %s is given up after %d tries: its time is over", message.id, message.tries - 1)
            return Outcome.DROPPED, timedelta()
        letter = opened_letter(self._keyring, message)
        if letter is None and message.kind != "nothing":
            log.error("letter %s is dropped: no key of ours opens it", message.id)
            return Outcome.DROPPED, timedelta()
        try:
            self._hand_over(letter, message)
        except Undeliverable as error:
            log.warning("letter %s is dropped: %s", _told(message, letter), error)
            return Outcome.DROPPED, timedelta()
        except Down as error:
            what = "text messages" if message.kind == "sms" else "mail"
            log.error("%s can't be sent, letters wait: %s", what, error)
            return Outcome.DOWN, timedelta()
        except Exception as error:  # a letter of a newer release, say: it must not hold the others back
            log.error("letter %s waits: %s", _told(message, letter), _reason(error))
            return Outcome.POSTPONED, timedelta(seconds=getattr(error, "retry_after", 0))
        return Outcome.SENT, timedelta()

    def _hand_over(self, letter: Letter | None, message: OutboxMessage) -> None:
        if isinstance(letter, TextMessage) and self._sms is not None:
            return self._sms.send(
                ComposedText(id=message.id, to=letter.to, text=compose_text(letter, self._letters.known))
            )
        subject, plain, html = self._letters.compose(letter or FOR_NOBODY)
        if letter is not None:
            at = message.created_at
            self._mail.send(
                Composed(id=message.id, to=letter.to, subject=subject, text=plain, html=html, written_at=at)
            )

    async def _removed(self, message: OutboxMessage) -> None:
        async with self._stores.unit("sync") as store:
            await store.remove(OutboxMessage, id=message.id)

    async def _postponed(self, message: OutboxMessage, due_at: datetime) -> None:
        async with self._stores.unit("sync") as store:
            await store.change(OutboxMessage, {"id": message.id, "due_at": message.due_at}, due_at=due_at)


def next_wait(tries: int, *, is_down: bool = False) -> timedelta:
    """How long to wait after so many tries; spread, so that letters that failed together do not return together.

    While the server is down it is not the letter's fault: it leaves soon after the server is back, and one letter
    at a time finds out whether it is.
    """
    seconds = DOWN if is_down else BACK_OFF[min(tries, len(BACK_OFF)) - 1]
    return timedelta(seconds=seconds * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 (no secret)


def _told(message: OutboxMessage, letter: Letter | None) -> str:
    """A letter as logs may name it."""
    if letter is None:
        return message.id
    masked = masked_phone(letter.to) if isinstance(letter, TextMessage) else text.masked_address(letter.to)
    return f"{message.id} ({letter.template} to {masked})"


def _reason(error: Exception) -> str:
    """Our own words say what is wrong; those of others may repeat what is in the letter."""
    return str(error) if type(error).__module__.startswith("doorward.") else type(error).__name__
