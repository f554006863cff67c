"""Letters and text messages on their way: from the outbox, by a mail server or an SMS service, or to the terminal,
without anybody waiting for them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from doorward.core.ports import Clock, Stores
from doorward.core.refusals import Misconfigured
from doorward.core.settings import Settings
from doorward.delivery.composing import Letters
from doorward.delivery.console import ConsoleMail, ConsoleSms
from doorward.delivery.mail import Composed, Mail, MailDown, NotNow, Undeliverable
from doorward.delivery.outbox import Delivered, Outbox
from doorward.delivery.sms import ComposedText, Sms, SmsDown, taken_apart
from doorward.delivery.sms_services import SERVICES, Gateway
from doorward.delivery.smtp import SmtpMail
from doorward.delivery.thread import OutboxThread
from doorward.delivery.upkeep import Upkeep
from doorward.locale import catalogues
from doorward.primitives.keyring import Keyring

__all__ = [
    "Composed",
    "ComposedText",
    "ConsoleMail",
    "ConsoleSms",
    "Delivered",
    "Mail",
    "MailDown",
    "NotNow",
    "Outbox",
    "OutboxThread",
    "Sms",
    "SmsDown",
    "SmtpMail",
    "Undeliverable",
    "Upkeep",
    "open_mail",
    "open_outbox",
    "open_sms",
]


def open_mail(smtp_url: str = "", mail_from: str = "") -> Mail:
    """By SMTP if there is a URL, else to the terminal. Raises `Misconfigured` (mail.E1 to mail.E4)."""
    return SmtpMail(smtp_url, mail_from) if smtp_url else ConsoleMail()


def open_sms(url: str = "") -> Sms | None:
    """The sender behind SMS_URL; None without one. Raises `Misconfigured` (sms.E1 to sms.E3), which does not show the
    URL: it holds secrets."""
    scheme = url.partition(":")[0]
    if not url or scheme == "console":
        return ConsoleSms() if url else None
    if scheme in ("https", "http"):
        return Gateway(url)
    if scheme.startswith("apprise+"):
        sender: Sms = _apprise().AppriseSms(url.removeprefix("apprise+"))
        return sender
    if scheme not in SERVICES:
        raise Misconfigured(
            "sms.E1", "SMS_URL begins with no service that we know: twilio, vonage, sns, https, apprise+… or console"
        )
    return SERVICES[scheme](taken_apart(url))


def _apprise() -> Any:
    try:
        return import_module("doorward.delivery.sms_apprise")
    except ModuleNotFoundError as missing:
        raise Misconfigured("sms.E3", f"{missing.name} is missing; pip install 'doorward[apprise]'") from None


def open_outbox(
    settings: Settings,
    stores: Stores,
    keyring: Keyring,
    clock: Clock,
    *,
    mail: Mail | None = None,
    sms: Sms | None = None,
) -> Outbox:
    """The outbox of an installation. `mail` and `sms` send in the place of SMTP_URL and SMS_URL.

    Raises `Misconfigured`.
    """
    by_mail = mail or open_mail(settings.smtp_url, settings.mail_from)
    by_text = sms or open_sms(settings.sms_url)
    letters = Letters(catalogues(settings.locales), settings.templates, reload=settings.debug)
    return Outbox(stores, keyring, by_mail, clock, letters, sms=by_text)
