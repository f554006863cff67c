"""Letters sent by SMTP: encrypted unless it is said otherwise, and never a password over an open line."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as LINES
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

from doorward.core.refusals import Misconfigured
from doorward.delivery.mail import Composed, MailDown, NotNow, Undeliverable
from doorward.primitives import text

PATIENCE = 10.0  # seconds for each answer of the server
PORTS = {"smtps": 465, "starttls": 587, "none": 25}
WRITE = "write smtp://user:password@host:587?tls=starttls, or smtps://user:password@host"


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server as SMTP_URL names it. `tls`: smtps, starttls or none; `ca`: a file of authorities to trust."""

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""


def server_at(url: str) -> Server:
    """The server behind a URL. Raises `Misconfigured` with the cure; the URL, which holds a password, is not shown."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _wrong("the port is no number") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise _wrong("this names no mail server")
    options = _options(parts)
    tls = "smtps" if parts.scheme == "smtps" else options.get("tls", "starttls")
    if tls not in PORTS or (parts.scheme == "smtps" and "tls" in options):
        raise _wrong("tls is starttls or none, and only for smtp://")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise _wrong("user and password must be plain ASCII")  # smtplib sends no other
    if user and tls == "none" and not _is_loopback(parts.hostname):
        raise Misconfigured(
            "mail.E2", "SMTP_URL would send its password unencrypted to another machine; use tls=starttls or smtps://"
        )
    return Server(parts.hostname, port or PORTS[tls], tls, user, password, options.get("ca", ""))


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = ", ".join(options.keys() - {"tls", "ca"})
    if unknown or parts.fragment:
        raise _wrong(f"unknown option {unknown}" if unknown else "a # in the password is written %23")
    return options


def _wrong(what: str) -> Misconfigured:
    return Misconfigured("mail.E1", f"SMTP_URL: {what}; {WRITE}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SmtpMail:
    """Sends each letter in a connection of its own. `sender`: `noreply@example.com` or `Acme <noreply@example.com>`.

    Raises `Misconfigured`: mail.E1 and mail.E2 for the URL, mail.E3 for the sender, mail.E4 for the `ca` file.
    """

    def __init__(self, url: str, sender: str, *, patience: float = PATIENCE) -> None:
        self.server = server_at(url)
        self.sender = sender_of(sender)
        self._patience = patience
        try:
            self._tls = ssl.create_default_context(cafile=self.server.ca or None)
        except (OSError, ssl.SSLError) as error:
            cure = f"SMTP_URL: the file of authorities {self.server.ca} can't be read ({type(error).__name__})"
            raise Misconfigured("mail.E4", cure) from None

    def send(self, letter: Composed, /) -> None:
        """Hand it to the server. Errors carry the server's code, not its words: those may repeat the address."""
        to, is_ascii = recipient(letter.to)
        message = message_of(letter, sender=self.sender, to=to)
        smtp = self._connected()
        try:
            if not is_ascii and not smtp.has_extn("smtputf8"):
                raise NotNow("the mail server takes no international addresses (SMTPUTF8)")
            _handed_over(smtp, message, sender=self.sender.addr_spec, to=to)
        finally:
            # The letter has left, or not; how the server says good-bye changes nothing.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def check(self) -> None:
        """Connect and sign in, for the doctor. Raises `MailDown`."""
        smtp = self._connected()
        with contextlib.suppress(smtplib.SMTPException, OSError):
            smtp.quit()
        smtp.close()

    def _connected(self) -> smtplib.SMTP:
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._opened()
            if self.server.tls == "starttls":
                smtp.starttls(context=self._tls)  # refuses to go on where the server offers none
            smtp.ehlo_or_helo_if_needed()
            if self.server.user:
                smtp.login(self.server.user, self.server.password)
        except (smtplib.SMTPException, OSError) as error:
            if smtp is not None:
                smtp.close()
            raise MailDown(_told(error)) from error
        return smtp

    def _opened(self) -> smtplib.SMTP:
        # The name we greet with is the sender's domain: smtplib would ask the resolver, which may take seconds.
        name = self.sender.domain
        host, port = self.server.host, self.server.port
        if self.server.tls == "smtps":
            return smtplib.SMTP_SSL(host, port, local_hostname=name, timeout=self._patience, context=self._tls)
        return smtplib.SMTP(host, port, local_hostname=name, timeout=self._patience)


def _handed_over(smtp: smtplib.SMTP, message: EmailMessage, *, sender: str, to: str) -> None:
    try:
        smtp.send_message(message, from_addr=sender, to_addrs=[to])
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        # RFC 3463 §3.8: 5.7 is about permission, that is about how we are set up, and not about the recipient.
        if 500 <= code < 600 and not words.startswith(b"5.7."):
            raise Undeliverable(f"the server refused the recipient ({code})") from None
        raise NotNow(f"the server does not take the recipient now ({code})") from None
    except smtplib.SMTPServerDisconnected as error:
        raise MailDown(_told(error)) from None
    except smtplib.SMTPException as error:
        raise NotNow(_told(error)) from None
    except OSError as error:
        raise MailDown(_told(error)) from None


def _told(error: Exception) -> str:
    """The kind of error and the server's code."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return str(error)  # smtplib's own words: which extension the server lacks
    return f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()


def message_of(letter: Composed, *, sender: Address, to: str) -> EmailMessage:
    """The letter as RFC 5322 has it. A line break in any header raises ValueError: nobody adds headers of his own."""
    message = EmailMessage(policy=LINES)
    message["From"] = sender
    message["To"] = Address(addr_spec=to) if to.isascii() else to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.written_at)
    # The same at each try: a letter that left twice is shown once by many mail programs.
    message["Message-ID"] = f"<{letter.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no holiday notices in return
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message


def recipient(address: str) -> tuple[str, bool]:
    """The one address to write to, and whether it is plain ASCII. Raises `Undeliverable`."""
    if text.canonical_address(address) is None:
        raise Undeliverable("this is no address that mail can be sent to")
    try:
        valid = validate_email(address.strip(" "), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Undeliverable("this is no address that mail can be sent to") from None
    if valid.ascii_email is not None:
        return valid.ascii_email, True
    return valid.normalized, False


def sender_of(setting: str) -> Address:
    """The sender that MAIL_FROM names. Raises `Misconfigured`."""
    name, address = parseaddr(setting)
    try:
        if not text.is_clean(setting):
            raise ValueError("a line break")
        return Address(name, addr_spec=recipient(address)[0])
    except (Undeliverable, ValueError):
        raise Misconfigured(
            "mail.E3", "set MAIL_FROM to the sender of letters, e.g. Acme <noreply@example.com>"
        ) from None
