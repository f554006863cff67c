"""Letters on their way: from the outbox, by SMTP or to the terminal, without anybody waiting for them."""

from __future__ import annotations

from doorward.delivery.console import ConsoleMail
from doorward.delivery.mail import Composed, Mail, MailDown, NotNow, Undeliverable
from doorward.delivery.outbox import Delivered, Outbox
from doorward.delivery.smtp import SmtpMail
from doorward.delivery.thread import OutboxThread
from doorward.delivery.upkeep import Upkeep

__all__ = [
    "Composed",
    "ConsoleMail",
    "Delivered",
    "Mail",
    "MailDown",
    "NotNow",
    "Outbox",
    "OutboxThread",
    "SmtpMail",
    "Undeliverable",
    "Upkeep",
    "open_mail",
]


def open_mail(smtp_url: str = "", mail_from: str = "") -> Mail:
    """By SMTP if there is a URL, else to the terminal. Raises `Misconfigured` (mail.E1 to mail.E4)."""
    return SmtpMail(smtp_url, mail_from) if smtp_url else ConsoleMail()
