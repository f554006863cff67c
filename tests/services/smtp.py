"""A real mail server for the tests: it keeps what it receives, and can go away and come back on the same port."""

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.services.processes import free_port


@dataclass(frozen=True)
class Letter:
    """One message as it arrived, with the envelope that carried it."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def text(self) -> str:
        """The plain-text part with plain newlines; an empty string where there is none."""
        body = self.message.get_body(("plain",))
        return body.get_content().replace("\r\n", "\n") if body else ""


@dataclass
class SmtpSink:
    """Listens on loopback; `login` (user, password) demands AUTH, `tls` (server context, CA file) STARTTLS."""

    login: tuple[str, str] | None = None
    tls: tuple[ssl.SSLContext, Path] | None = None
    refusal: str = ""  # when set, DATA is answered with it, e.g. "451 later"
    port: int = field(default_factory=free_port)
    host: str = "127.0.0.1"
    messages: list[Letter] = field(default_factory=list)
    _controller: Controller | None = None

    @property
    def ca_file(self) -> Path:
        """What a client has to trust."""
        assert self.tls is not None, "this server speaks no TLS"
        return self.tls[1]

    def start(self) -> None:
        """Listen; again on the same port after `stop`."""
        # aiosmtpd would look up this machine's name, which takes a second where there is no resolver.
        options: dict[str, Any] = {"server_hostname": "localhost", "auth_require_tls": self.tls is not None}
        if self.tls:
            options |= {"tls_context": self.tls[0], "require_starttls": True}
        if self.login:
            options |= {"authenticator": self._authenticate, "auth_required": True}
        self._controller = Controller(_Handler(self), hostname=self.host, port=self.port, **options)
        self._controller.start()

    def stop(self) -> None:
        """Connections are refused from now on; letters received stay."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def wait(self, count: int = 1, seconds: float = 10) -> list[Letter]:
        """The letters, as soon as there are `count` of them; TimeoutError otherwise."""
        deadline = time.monotonic() + seconds
        while len(self.messages) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.messages)} of {count} letters came within {seconds} s")
            time.sleep(0.02)
        return self.messages

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == self.login, handled=False)


class _Handler:
    """aiosmtpd looks at every attribute of its handler, so the sink itself is none."""

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self._sink.refusal:
            return self._sink.refusal
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        self._sink.messages.append(Letter(envelope.mail_from or "", tuple(envelope.rcpt_tos), message))
        return "250 OK"


@pytest.fixture
def make_smtp_sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., SmtpSink]]:
    """Call it with `login=(user, password)` and `starttls=True` as wanted; all are stopped at the end."""
    made: list[SmtpSink] = []

    def make(*, login: tuple[str, str] | None = None, starttls: bool = False) -> SmtpSink:
        tls = _certificate(tmp_path_factory.mktemp("smtp")) if starttls else None
        sink = SmtpSink(login=login, tls=tls)
        made.append(sink)
        sink.start()
        return sink

    yield make
    for sink in made:
        sink.stop()


@pytest.fixture
def smtp_sink(make_smtp_sink: Callable[..., SmtpSink]) -> SmtpSink:
    """A mail server that takes everything from everybody."""
    return make_smtp_sink()


def _certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return context, folder / "ca.pem"
