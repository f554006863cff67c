"""The services that the tests lean on are real and answer."""

import smtplib
import ssl
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage

import psycopg
import pytest
import redis
from playwright.sync_api import Page

from tests.services.processes import missing
from tests.services.smtp import SmtpSink


def letter(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "door@example.com", "ann@example.com", subject
    message.set_content("Grüße\n")
    return message


def deliver(sink: SmtpSink, subject: str = "Hello") -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=5) as client:
        client.send_message(letter(subject))


def test_postgres_answers(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        version = connection.execute("SHOW server_version_num").fetchone()
    assert version is not None
    assert int(version[0]) >= 140000


def test_every_database_is_new(fresh_postgres: Callable[[], str]) -> None:
    first, second = fresh_postgres(), fresh_postgres()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE seen ()")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('seen')").fetchone() == (None,)


def test_valkey_answers(fresh_valkey: str) -> None:
    with redis.Redis.from_url(fresh_valkey) as client:
        assert client.ping()
        assert client.dbsize() == 0


def test_a_letter_arrives(smtp_sink: SmtpSink) -> None:
    deliver(smtp_sink)
    (arrived,) = smtp_sink.wait()
    assert (arrived.sender, arrived.recipients) == ("door@example.com", ("ann@example.com",))
    assert arrived.message["Subject"] == "Hello"
    assert arrived.text == "Grüße\n"


def test_the_mail_server_goes_away_and_comes_back(smtp_sink: SmtpSink) -> None:
    smtp_sink.stop()
    with pytest.raises(ConnectionRefusedError):
        deliver(smtp_sink)
    smtp_sink.start()
    deliver(smtp_sink, "Back")
    assert [arrived.message["Subject"] for arrived in smtp_sink.wait()] == ["Back"]


def test_the_mail_server_can_refuse(smtp_sink: SmtpSink) -> None:
    smtp_sink.refusal = "451 later"
    with pytest.raises(smtplib.SMTPDataError) as refused:
        deliver(smtp_sink)
    assert refused.value.smtp_code == 451
    assert smtp_sink.messages == []


def test_starttls_and_auth_are_demanded(make_smtp_sink: Callable[..., SmtpSink]) -> None:
    sink = make_smtp_sink(login=("door", "right"), starttls=True)
    with pytest.raises(smtplib.SMTPSenderRefused):
        deliver(sink)
    with smtplib.SMTP(sink.host, sink.port, timeout=5) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(sink.ca_file)))
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("door", "wrong")
        client.login("door", "right")
        client.send_message(letter("Sealed"))
    assert [arrived.message["Subject"] for arrived in sink.wait()] == ["Sealed"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_auth_works_without_tls(make_smtp_sink: Callable[..., SmtpSink]) -> None:
    sink = make_smtp_sink(login=("door", "right"))
    with smtplib.SMTP(sink.host, sink.port, timeout=5) as client:
        client.login("door", "right")
        client.send_message(letter("Open"))
    assert len(sink.wait()) == 1


def test_a_page_opens(page: Page) -> None:
    page.set_content("<title>Door</title><button onclick='document.title=\"Open\"'>Knock</button>")
    page.get_by_role("button", name="Knock").click()
    assert page.title() == "Open"


def test_a_missing_service_is_a_skip_at_home_and_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Lamp IS MISSING: light it"):
        missing("Lamp", "light it")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Lamp IS MISSING: light it"):
        missing("Lamp", "light it")


def test_nginx_answers_as_it_is_told_to(nginx: Callable[..., int]) -> None:
    port = nginx("location = /well { return 204; }")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/well", timeout=10) as answer:
        assert answer.status == 204
