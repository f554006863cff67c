"""Text messages by any of the services that Apprise knows: the extra `apprise`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import apprise

from doorward.delivery.mail import NotNow
from doorward.delivery.sms import ComposedText, wrong


class _Quiet(logging.Filter):
    """Apprise logs what it sends, and in threads of its own. Nothing of that while we do: a code and a number must
    stand in no log."""

    def __init__(self) -> None:
        super().__init__()
        self._lock, self._sending = threading.Lock(), 0
        for name in ("apprise", "urllib3.connectionpool"):
            logging.getLogger(name).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        return self._sending == 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, by: int) -> None:
        with self._lock:
            self._sending += by


_quiet = _Quiet()


class AppriseSms:
    """`url` is Apprise's, with `{to}` where it has the number: `sinch://PLAN:TOKEN@SENDER/{to}`."""

    def __init__(self, url: str) -> None:
        if "{to}" not in url:
            raise wrong("an address of Apprise says where the number goes: apprise+sinch://PLAN:TOKEN@SENDER/{to}")
        self._url = url
        with _quiet():
            if not self._service("+15005550006"):
                raise wrong("Apprise knows no such service, or the address lacks something")

    def send(self, text: ComposedText, /) -> None:
        """Hand it to the service. Apprise says no more than whether it took it."""
        with _quiet():
            taken = self._service(text.to).notify(body=text.text, body_format=apprise.NotifyFormat.TEXT)
        if not taken:
            raise NotNow("Apprise could not send it")

    def _service(self, to: str) -> apprise.Apprise:
        service = apprise.Apprise()
        service.add(self._url.replace("{to}", quote(to, safe="")))
        return service
