"""What the outbox asks of a way to send mail: one method, and three words for what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A letter as it is sent: one recipient, plain text and HTML that say the same. Its words are not printed.

    `id` and `written_at` stay the same at each try, so that a letter sent twice is known as one.
    """

    id: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    written_at: datetime


class Mail(Protocol):
    """A way to send letters; it blocks, and is called by the outbox only."""

    def send(self, letter: Composed, /) -> None:
        """Return when it has left. Raises `Undeliverable`, `NotNow` or `MailDown`; all else counts as `NotNow`."""


class Undeliverable(Exception):
    """This recipient will never be reached. The text names no address and no secret."""


class NotNow(Exception):
    """This letter does not leave now; others may. `retry_after`: seconds, where the other side has named them."""

    def __init__(self, why: str, *, retry_after: int = 0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Down(Exception):
    """Nothing leaves now by this way."""


class MailDown(Down):
    """No letter leaves now: the server is away, or does not take our credentials."""
