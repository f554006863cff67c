"""What the outbox asks of a way to send text messages, and what SMS_URL says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from doorward.core.refusals import Misconfigured
from doorward.delivery.mail import Down


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedText:
    """A text message as it is sent; `to` is in E.164. Its words are not printed. `id` stays the same at each try."""

    id: str
    to: str
    text: str = field(repr=False)


class Sms(Protocol):
    """A way to send text messages; it blocks, and is called by the outbox only."""

    def send(self, text: ComposedText, /) -> None:
        """Return when it has left. Raises `Undeliverable`, `NotNow` or `SmsDown`; all else counts as `NotNow`."""


class SmsDown(Down):
    """No text message leaves now: the service is away, or does not take our credentials or our sender."""


@dataclass(frozen=True, slots=True)
class SmsUrl:
    """SMS_URL, taken apart: what stands before and behind the colon of its user part, the host, and the options `from`
    and `account`."""

    scheme: str
    user: str = field(repr=False)
    password: str = field(repr=False)
    host: str
    sender: str
    account: str = ""


def taken_apart(url: str) -> SmsUrl:
    """Raises `Misconfigured`."""
    try:
        parts = urlsplit(url)
        given = dict(
            parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=bool(parts.query))
        )
    except ValueError:
        raise wrong("the URL can't be read; / # ? @ and : in a secret are written %2F %23 %3F %40 %3A") from None
    user, password = _credentials(parts)
    unknown = ", ".join(given.keys() - {"from", "account"})
    if unknown or parts.fragment or parts.path not in ("", "/"):
        raise wrong(f"unknown option {unknown}" if unknown else "/ # ? @ in a secret are written %2F %23 %3F %40")
    if not user or not password:
        raise wrong(f"{parts.scheme} wants a key and its secret: {parts.scheme}://KEY:SECRET@…")
    host = parts.netloc.rpartition("@")[2]
    return SmsUrl(parts.scheme, user, password, host, given.get("from", ""), given.get("account", ""))


def _credentials(parts: SplitResult) -> tuple[str, str]:
    # `netloc` and not `username`: the host of twilio://SID:TOKEN@ is empty.
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return unquote(user), unquote(password)


def wrong(what: str) -> Misconfigured:
    """What SMS_URL lacks, without the URL."""
    return Misconfigured("sms.E2", f"SMS_URL: {what}")
