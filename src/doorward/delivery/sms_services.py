"""Text messages by Twilio, Vonage, Amazon SNS, or any gateway that takes a POST.

Each has its `endpoint` from the maker; tests construct it with another one. What a service answers is told by its code
alone: its words may repeat the number or the text.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from doorward.delivery.mail import NotNow, Undeliverable
from doorward.delivery.outgoing import PATIENCE, Answer, Unanswered, ask, checked_url
from doorward.delivery.sms import ComposedText, Sms, SmsDown, SmsUrl, wrong
from doorward.primitives import strict_json
from doorward.primitives.sigv4 import AwsKey, signed_headers

FORM = "application/x-www-form-urlencoded"


class Twilio:
    """Twilio's Messages resource (https://www.twilio.com/docs/messaging/api/message-resource).

    `twilio://SID:TOKEN@/?from=+15005550006`, or by an API key `twilio://SK…:SECRET@/?account=AC…&from=…`; a `from` that
    begins with MG names a messaging service.
    """

    endpoint = "https://api.twilio.com"
    # https://www.twilio.com/docs/api/errors: what is wrong with this number, for good.
    nobody = frozenset({21211, 21214, 21217, 21408, 21610, 21612, 21614, 21635})
    # Wrong with us, so that no message leaves: the sender is not ours, or can't send.
    ours = frozenset({20003, 20404, 21212, 21603, 21606, 21611, 21659, 21660})

    def __init__(self, url: SmsUrl, *, endpoint: str = endpoint, patience: float = PATIENCE) -> None:
        if not url.sender:
            raise wrong("twilio wants the sender: ?from=+15005550006, or a messaging service ?from=MG…")
        self._url = f"{checked_url(endpoint)}/2010-04-01/Accounts/{url.account or url.user}/Messages.json"
        self._sender = {"MessagingServiceSid" if url.sender.startswith("MG") else "From": url.sender}
        self._headers = {"Authorization": _basic(url.user, url.password), "Content-Type": FORM}
        self._patience = patience

    def send(self, text: ComposedText, /) -> None:
        """Hand it to Twilio."""
        body = urlencode({"To": text.to, **self._sender, "Body": text.text}).encode()
        answer = _asked(self._url, body, self._headers, self._patience)
        if answer.status == 201:
            return
        code = _object(answer).get("code")
        if code in self.nobody:
            raise Undeliverable(f"Twilio takes no message to this number ({code})")
        raise _refusal("Twilio", answer, code, ours=code in self.ours)


class Vonage:
    """Vonage's SMS API (https://developer.vonage.com/en/api/sms). `vonage://KEY:SECRET@/?from=Acme`."""

    endpoint = "https://rest.nexmo.com"
    # https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms
    nobody = frozenset({"6", "7", "22", "29", "33"})
    later = frozenset({"1", "5", "10"})

    def __init__(self, url: SmsUrl, *, endpoint: str = endpoint, patience: float = PATIENCE) -> None:
        if not url.sender:
            raise wrong("vonage wants the sender: ?from=Acme")
        self._url = f"{checked_url(endpoint)}/sms/json"
        self._fields = {"api_key": url.user, "api_secret": url.password, "from": url.sender.removeprefix("+")}
        self._patience = patience

    def send(self, text: ComposedText, /) -> None:
        """Hand it to Vonage. What came of it stands in the answer, whose status is 200 whatever it was."""
        kind = "text" if text.text.isascii() else "unicode"
        fields = {**self._fields, "to": text.to.removeprefix("+"), "text": text.text, "type": kind}
        answer = _asked(self._url, urlencode(fields).encode(), {"Content-Type": FORM}, self._patience)
        messages = _object(answer).get("messages")
        parts = [one.get("status") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
        if answer.status != 200 or not parts:
            raise _refusal("Vonage", answer)
        code = next((status for status in parts if status != "0"), "0")
        if code == "0":
            return
        if code in self.nobody:
            raise Undeliverable(f"Vonage takes no message to this number ({code})")
        if code in self.later:
            raise NotNow(f"Vonage takes no message now ({code})", retry_after=answer.retry_after)
        raise SmsDown(f"Vonage refuses us ({str(code)[:8]})")


class Sns:
    """Amazon SNS, Publish to a number (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).

    `sns://KEY:SECRET@eu-central-1`, with `?from=Acme` for a sender id where the country knows such.
    """

    nobody = frozenset({"InvalidParameter", "InvalidParameterValue", "OptedOut", "OptedOutException"})
    later = frozenset({"Throttling", "Throttled", "ThrottledException", "InternalError", "ServiceUnavailable"})

    def __init__(
        self,
        url: SmsUrl,
        *,
        endpoint: str = "",
        patience: float = PATIENCE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", url.host):
            raise wrong("sns wants the region as its host: sns://KEY:SECRET@eu-central-1")
        self._url = checked_url(endpoint or f"https://sns.{url.host}.amazonaws.com") + "/"
        self._key = AwsKey(url.user, url.password, url.host, "sns")
        self._sender, self._patience, self._now = url.sender, patience, now

    def send(self, text: ComposedText, /) -> None:
        """Publish it."""
        attributes = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if self._sender:
            is_number = self._sender.startswith("+")
            attributes["AWS.MM.SMS.OriginationNumber" if is_number else "AWS.SNS.SMS.SenderID"] = self._sender
        fields = {"Action": "Publish", "Version": "2010-03-31", "PhoneNumber": text.to, "Message": text.text}
        for number, (name, value) in enumerate(attributes.items(), 1):
            entry = f"MessageAttributes.entry.{number}"
            fields |= {f"{entry}.Name": name, f"{entry}.Value.DataType": "String", f"{entry}.Value.StringValue": value}
        body = urlencode(fields).encode()
        signed = signed_headers(self._key, "POST", self._url, {"Content-Type": FORM}, body, now=self._now())
        answer = _asked(self._url, body, signed, self._patience)
        if answer.status == 200:
            return
        found = re.search(rb"<Code>([A-Za-z]{1,64})</Code>", answer.body)
        code = found[1].decode() if found else ""
        if code in self.nobody:
            raise Undeliverable(f"Amazon SNS takes no message to this number ({code})")
        raise _refusal("Amazon SNS", answer, code, later=code in self.later)


SERVICES: Mapping[str, Callable[[SmsUrl], Sms]] = {"twilio": Twilio, "vonage": Vonage, "sns": Sns}


class Gateway:
    """Any service that takes a POST: `https://USER:PASSWORD@host/path`, or `https://TOKEN@host/path` for a bearer.

    What is sent stands behind a `#`, with `{to}`, `{text}` and `{id}`: a form (`#to={to}&message={text}`) or JSON
    (`#{"recipient": "{to}", "body": "{text}"}`); without it `{"to": …, "text": …, "id": …}`. 2xx: it has left.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        try:
            parts = urlsplit(url)
            address = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
            self._url = checked_url(address)
            self._body, kind = _template(parts.fragment)
        except ValueError as error:
            raise wrong(f"{error}; write https://TOKEN@gateway.example.com/send") from None
        user, colon, password = parts.netloc.rpartition("@")[0].partition(":")
        self._headers = {"Content-Type": kind}
        if user or password:
            bearer = f"Bearer {unquote(user)}"
            self._headers["Authorization"] = _basic(unquote(user), unquote(password)) if colon else bearer
        self._patience = patience

    def send(self, text: ComposedText, /) -> None:
        """Hand it to the gateway."""
        body = self._body({"to": text.to, "text": text.text, "id": text.id})
        answer = _asked(self._url, body, self._headers, self._patience)
        if not 200 <= answer.status < 300:
            raise _refusal("the gateway", answer)


def _template(written: str) -> tuple[Callable[[Mapping[str, str]], bytes], str]:
    """What makes a body of the words, and its media type. Raises ValueError, also where no word is sent."""
    plain = unquote(written)
    if written and not {"{to}", "{text}"} <= set(re.findall(r"\{\w+\}", plain)):
        raise ValueError("what stands behind # sends {to} and {text}")
    if written and not plain.startswith("{"):
        pairs = parse_qsl(written, keep_blank_values=True, strict_parsing=True)
        return lambda words: urlencode([(name, _filled(value, words)) for name, value in pairs]).encode(), FORM
    shape = strict_json.parse(plain.encode()) if written else {"to": "{to}", "text": "{text}", "id": "{id}"}
    return lambda words: json.dumps(_filled(shape, words)).encode(), "application/json"


def _filled(shape: Any, words: Mapping[str, str]) -> Any:
    """In one pass, so that nothing in a text is taken for a place to fill."""
    if isinstance(shape, dict):
        return {name: _filled(value, words) for name, value in shape.items()}
    if isinstance(shape, list):
        return [_filled(value, words) for value in shape]
    if isinstance(shape, str):
        return re.sub(r"\{(to|text|id)\}", lambda found: words[found[1]], shape)
    return shape


def _asked(url: str, body: bytes, headers: Mapping[str, str], patience: float) -> Answer:
    try:
        return ask("POST", url, body, headers, patience=patience)
    except Unanswered as error:
        raise SmsDown(f"the service does not answer ({error})") from None


def _refusal(who: str, answer: Answer, code: object = None, *, ours: bool = False, later: bool = False) -> Exception:
    """What a status means that has no better word: wrong with us, away, or not now."""
    said = f"{who} answers {answer.status}" + (f" ({str(code)[:64]})" if code else "")
    if later or answer.status == 429:
        return NotNow(said, retry_after=answer.retry_after)
    if ours or answer.status in (401, 403, 404) or answer.status >= 500:
        return SmsDown(said)
    return NotNow(said)


def _object(answer: Answer) -> dict[str, Any]:
    try:
        found = strict_json.parse(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
