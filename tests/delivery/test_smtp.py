"""Letters to real mail servers: encrypted, signed in, well-formed, and refused in words that give nothing away."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from doorward.core.refusals import Misconfigured
from doorward.delivery import Composed, MailDown, NotNow, SmtpMail, Undeliverable
from doorward.delivery.smtp import message_of, recipient, sender_of, server_at
from tests.services.processes import free_port
from tests.services.smtp import SmtpSink

SENDER = "Acme Söhne <noreply@acme.example>"
LETTER = Composed(
    id="b1-_Xy",
    to="ada@example.com",
    subject="Grüße von Acme",
    text="Zoë: 482913\n\nhttps://acme.example/auth/x?token=abc=\n",
    html="<p>Zoë: 482913</p>",
    written_at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
)
LOGIN = ("acme", "p:ss w@rd/#?")
IN_URL = "acme:p%3Ass%20w%40rd%2F%23%3F"


class Server:
    """A mail server that keeps the very bytes it gets and answers recipients as it is told."""

    def __init__(self, to_recipient: str = "250 OK", **options: Any) -> None:
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.greeted_as: list[str] = []
        self._to_recipient = to_recipient
        self.port = free_port()
        self._controller = Controller(
            _Hands(self), hostname="127.0.0.1", port=self.port, server_hostname="localhost", **options
        )
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def answer(self, address: str, envelope: Envelope) -> str:
        if self._to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self._to_recipient


class _Hands:
    def __init__(self, server: Server) -> None:
        self._server = server

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, name: str, answers: list[str]) -> list[str]:
        session.host_name = name
        self._server.greeted_as.append(name)
        return answers

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        return self._server.answer(address, envelope)

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self._server.raw.append(bytes(envelope.original_content or b""))
        self._server.recipients += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    running: list[Server] = []

    def start(*arguments: Any, **options: Any) -> Server:
        running.append(Server(*arguments, **options))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def by(port: int, query: str = "?tls=none", *, user: str = "", scheme: str = "smtp", **options: Any) -> SmtpMail:
    at = f"{user}@" if user else ""
    return SmtpMail(f"{scheme}://{at}127.0.0.1:{port}{query}", SENDER, **options)


def test_a_letter_arrives_as_it_was_written(smtp_sink: SmtpSink) -> None:
    by(smtp_sink.port).send(LETTER)
    (arrived,) = smtp_sink.wait()
    message = arrived.message
    assert (arrived.sender, arrived.recipients) == ("noreply@acme.example", ("ada@example.com",))
    assert arrived.text == LETTER.text
    html = message.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == LETTER.html
    assert message.get_content_type() == "multipart/alternative"
    assert {name: message[name] for name in message if name not in ("Content-Type", "MIME-Version", "X-Peer")} == {
        "From": SENDER,
        "To": "ada@example.com",
        "Subject": "Grüße von Acme",
        "Date": "Mon, 23 Nov 2026 12:00:00 +0000",
        "Message-ID": "<b1-_Xy@acme.example>",
        "Auto-Submitted": "auto-generated",
    }


def test_only_short_ascii_lines_travel(serve: Callable[..., Server]) -> None:
    server = serve()
    by(server.port).send(replace(LETTER, text="ü" * 5000 + "\n.\n..\n"))
    (raw,) = server.raw
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))  # type: ignore[arg-type]
    assert body.get_content().replace("\r\n", "\n") == "ü" * 5000 + "\n.\n..\n"


def test_we_greet_by_the_senders_domain_and_ask_no_resolver(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "getfqdn")
    server = serve()
    by(server.port).send(LETTER)
    assert set(server.greeted_as) == {"acme.example"}


def test_starttls_and_sign_in(make_smtp_sink: Callable[..., SmtpSink]) -> None:
    sink = make_smtp_sink(login=LOGIN, starttls=True)
    mail = by(sink.port, f"?tls=starttls&ca={sink.ca_file}", user=IN_URL)
    mail.check()
    mail.send(LETTER)
    assert sink.wait()[0].text == LETTER.text


def test_encrypted_from_the_first_byte(serve: Callable[..., Server], tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = serve(ssl_context=context)
    by(server.port, f"?ca={tmp_path}/ca.pem", scheme="smtps").send(LETTER)
    assert server.recipients == ["ada@example.com"]
    with pytest.raises(MailDown, match="SSLCertVerificationError"):
        by(server.port, "", scheme="smtps").send(LETTER)


def test_a_certificate_that_nobody_vouches_for_is_refused(make_smtp_sink: Callable[..., SmtpSink]) -> None:
    sink = make_smtp_sink(login=LOGIN, starttls=True)
    with pytest.raises(MailDown, match="SSLCertVerificationError"):
        by(sink.port, "", user=IN_URL).send(LETTER)
    assert sink.messages == []


def test_encryption_that_is_stripped_is_refused(smtp_sink: SmtpSink) -> None:
    """Somebody in between can hide that the server offers STARTTLS (ASVS 12.3.1)."""
    with pytest.raises(MailDown, match="STARTTLS extension not supported"):
        by(smtp_sink.port, "").send(LETTER)
    assert smtp_sink.messages == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_wrong_password_is_a_server_that_is_down_and_is_not_told(make_smtp_sink: Callable[..., SmtpSink]) -> None:
    sink = make_smtp_sink(login=LOGIN)
    with pytest.raises(MailDown) as down:
        by(sink.port, user="acme:another-password").send(LETTER)
    assert str(down.value) == "SMTPAuthenticationError 535"
    by(sink.port, user=IN_URL).send(LETTER)  # to loopback, an open line will do
    assert len(sink.wait()) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 5.1.1 no such user", Undeliverable),
        ("553 mailbox name not allowed", Undeliverable),
        ("550 5.7.1 relaying denied", NotNow),
        ("450 4.2.1 mailbox busy", NotNow),
    ],
)
def test_recipients_are_refused_for_good_or_for_now(
    serve: Callable[..., Server], answer: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as refused:
        by(serve(answer).port).send(LETTER)
    assert answer[:3] in str(refused.value)
    assert answer[4:] not in str(refused.value)


@pytest.mark.parametrize("answer", ["451 later", "554 looks like spam to ada@example.com"])
def test_a_refused_letter_may_leave_later(smtp_sink: SmtpSink, answer: str) -> None:
    smtp_sink.refusal = answer
    with pytest.raises(NotNow) as refused:
        by(smtp_sink.port).send(LETTER)
    assert str(refused.value) == f"SMTPDataError {answer[:3]}"


def test_nobody_listens() -> None:
    with pytest.raises(MailDown, match="ConnectionRefusedError"):
        by(free_port()).send(LETTER)
    with pytest.raises(MailDown):
        by(free_port()).check()


def answering(*lines: bytes) -> int:
    """A server that says these lines, one for each it hears, and then nothing more."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, listener:
            for line in lines:
                connection.sendall(line)
                if not connection.recv(65536):
                    return
            while connection.recv(65536):
                pass

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


@pytest.mark.parametrize("lines", [(), (b"220 hello\r\n",), (b"220 hello\r\n", b"250 mail\r\n")])
def test_a_server_that_falls_silent_is_left(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(MailDown):
        by(answering(*lines), patience=0.2).send(LETTER)


def test_once_the_letter_is_taken_nothing_counts_any_more() -> None:
    """EHLO, MAIL, RCPT, DATA, the letter; the answer to QUIT never comes. An error would send the letter again."""
    ok = b"250 OK\r\n"
    port = answering(b"220 hello\r\n", ok, ok, ok, b"354 go on\r\n", ok)
    by(port, patience=0.2).send(LETTER)


@pytest.mark.parametrize("subject", ["a\r\nBcc: eve@example.com", "a\nb", "a\rb"])
def test_no_line_break_comes_into_a_header(serve: Callable[..., Server], subject: str) -> None:
    server = serve()
    with pytest.raises(ValueError, match=r"linefeed|carriage return"):
        by(server.port).send(replace(LETTER, subject=subject))
    assert server.raw == []


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nRCPT TO:<eve@example.com>",
        "ada@example.com, eve@example.com",
        "ada@example.com eve@example.com",
        "<ada@example.com>",
        "Ada <ada@example.com>",
        "ada@example.com>\r\nDATA",
        "ada@example.com\0",
        "a@evil@corp.example",
        '"ada eve"@example.com',
        "ada@[127.0.0.1]",
        "ada",
        "",
        "x" * 250 + "@example.com",
    ],
)
def test_one_letter_goes_to_one_address_or_to_none(serve: Callable[..., Server], address: str) -> None:
    server = serve()
    with pytest.raises(Undeliverable, match="no address that mail can be sent to"):
        by(server.port).send(replace(LETTER, to=address))
    assert (server.raw, server.greeted_as) == ([], [])


def test_foreign_domains_travel_in_ascii(serve: Callable[..., Server]) -> None:
    server = serve(enable_SMTPUTF8=False)
    by(server.port).send(replace(LETTER, to="ada@bücher.example"))
    assert server.recipients == ["ada@xn--bcher-kva.example"]


def test_foreign_names_need_a_server_that_takes_them(serve: Callable[..., Server]) -> None:
    willing, unwilling = serve(enable_SMTPUTF8=True), serve(enable_SMTPUTF8=False)
    letter = replace(LETTER, to="zoë@bücher.example")
    by(willing.port).send(letter)
    assert willing.recipients == ["zoë@bücher.example"]
    assert "To: zoë@bücher.example\r\n".encode() in willing.raw[0]
    with pytest.raises(NotNow, match="SMTPUTF8"):
        by(unwilling.port).send(letter)
    assert unwilling.raw == []


def test_a_letter_sent_twice_is_known_as_one() -> None:
    ids = {message_of(LETTER, sender=sender_of(SENDER), to="ada@example.com")["Message-ID"] for _ in range(2)}
    assert len(ids) == 1
    assert recipient(" ada@example.com ") == ("ada@example.com", True)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp://mail.example.com", ("mail.example.com", 587, "starttls", "", "")),
        ("smtp://mail.example.com?tls=none", ("mail.example.com", 25, "none", "", "")),
        ("smtps://u:p%40ss@mail.example.com", ("mail.example.com", 465, "smtps", "u", "p@ss")),
        ("smtp://u:p@[::1]:2525/?tls=none", ("::1", 2525, "none", "u", "p")),
        ("smtp://u:p@localhost:2525?tls=none", ("localhost", 2525, "none", "u", "p")),
    ],
)
def test_what_a_url_says(url: str, read: tuple[str, int, str, str, str]) -> None:
    server = server_at(url)
    assert (server.host, server.port, server.tls, server.user, server.password) == read


@pytest.mark.parametrize(
    ("url", "id"),
    [
        ("mail.example.com:25", "mail.E1"),
        ("http://u:sesame@mail.example.com", "mail.E1"),
        ("smtp://u:sesame@", "mail.E1"),
        ("smtp://u:sesame@mail.example.com:port", "mail.E1"),
        ("smtp://u:sesame@mail.example.com?tls=maybe", "mail.E1"),
        ("smtp://u:sesame@mail.example.com?starttls=1", "mail.E1"),
        ("smtps://u:sesame@mail.example.com?tls=none", "mail.E1"),
        ("smtp://u:sesame@mail.example.com/path", "mail.E1"),
        ("smtp://u:ses#ame@mail.example.com", "mail.E1"),
        ("smtp://u:sesameü@mail.example.com", "mail.E1"),
        ("smtp://u:sesame%C3%BC@mail.example.com", "mail.E1"),
        ("smtp://u:sesame@mail.example.com?tls=none", "mail.E2"),
        ("smtp://u:sesame@127.0.0.1.example.com?tls=none", "mail.E2"),
        ("smtp://u:sesame@10.0.0.1?tls=none", "mail.E2"),
        ("smtp://u:sesame@mail.example.com?ca=/nowhere/ca.pem", "mail.E4"),
    ],
)
def test_what_can_not_work_is_said_at_start_without_the_password(url: str, id: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        SmtpMail(url, SENDER)
    assert wrong.value.id == id
    assert "ses" not in str(wrong.value)


@pytest.mark.parametrize("sender", ["", "Acme", "a@b@c.example", "Acme\r\nBcc: eve@example.com <a@example.com>"])
def test_a_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(Misconfigured, match=r"mail\.E3"):
        SmtpMail("smtps://mail.example.com", sender)


def test_neither_password_nor_letter_is_printed() -> None:
    assert "p@ss" not in repr(server_at("smtps://u:p%40ss@mail.example.com"))
    assert "482913" not in repr(LETTER)
