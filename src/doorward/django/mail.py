"""Letters through Django's own EMAIL_BACKEND, for projects that have no SMTP_URL in DOORWARD."""

from __future__ import annotations

import smtplib

from django.core.mail import EmailMultiAlternatives
from django.core.mail.utils import DNS_NAME

from doorward.delivery import Composed, MailDown, NotNow, Undeliverable
from doorward.delivery.smtp import recipient


class DjangoMail:
    """`sender`: MAIL_FROM, else Django's DEFAULT_FROM_EMAIL."""

    def __init__(self, sender: str = "") -> None:
        self._sender = sender or None

    def send(self, letter: Composed, /) -> None:
        """Hand it to Django. Errors carry the server's code, not its words: those may repeat the address."""
        # The same id at each try, so that a letter that left twice is shown once; RFC 3834 §5: no holiday notices.
        headers = {"Message-ID": f"<{letter.id}@{DNS_NAME}>", "Auto-Submitted": "auto-generated"}
        to, _ = recipient(letter.to)
        message = EmailMultiAlternatives(letter.subject, letter.text, self._sender, [to], headers=headers)
        message.attach_alternative(letter.html, "text/html")
        try:
            message.send()
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            # RFC 3463 §3.8: 5.7 is about permission, that is about how we are set up, and not about the recipient.
            if 500 <= code < 600 and not words.startswith(b"5.7."):
                raise Undeliverable(f"the server refused the recipient ({code})") from None
            raise NotNow(f"the server does not take the recipient now ({code})") from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailDown(f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()) from None
