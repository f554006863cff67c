"""Letters leave through Django's own mail settings; the worker sends what waits; no connection is left behind."""

import os
import re
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from doorward.core.finish import finish
from doorward.core.records import OutboxMessage
from doorward.delivery import Composed, MailDown, NotNow, Undeliverable
from doorward.django.mail import DjangoMail
from doorward.django.models import OutboxMessage as Row
from doorward.django.store import DjangoStores
from doorward.stores.migrations import migrate
from tests.django import databases, project
from tests.scenarios.client import Browser
from tests.scenarios.hosts.django import DjangoAsgiHost
from tests.scenarios.people import ANN, PASSWORD, sign_up
from tests.services.smtp import SmtpSink
from tests.shape.tree import ROOT

BACKEND = "django.core.mail.backends"
LETTER = Composed(
    id="m1", to=ANN, subject="Hello", text="plain", html="<p>html</p>", written_at=datetime(2026, 11, 23, tzinfo=UTC)
)


def smtp(sink: SmtpSink) -> dict[str, Any]:
    return {"EMAIL_BACKEND": f"{BACKEND}.smtp.EmailBackend", "EMAIL_HOST": sink.host, "EMAIL_PORT": sink.port}


@pytest.fixture
def auth() -> Any:
    """As a project has it, but for the thread that sends letters."""
    databases.empty()
    auth = project.runtime.Auth(origin="https://app.example.com")
    auth.outbox.ensure_running = lambda: None
    project.runtime.use(auth)
    yield auth
    project.runtime.use(None)
    auth.close()


def a_letter_waits(auth: Any) -> None:
    given = {"email": ANN, "password": PASSWORD}
    action = auth.doorward.actions["sign_up"]
    auth.run(lambda call: auth.doorward.perform(call, action, action.read(given)))
    assert Row.objects.count() == 1


def test_a_letter_has_two_forms_and_one_id(smtp_sink: SmtpSink) -> None:
    with override_settings(**smtp(smtp_sink), DEFAULT_FROM_EMAIL="Acme <no-reply@example.com>"):
        DjangoMail().send(LETTER)
        DjangoMail("Other <other@example.com>").send(LETTER)
    first, second = smtp_sink.wait(2)
    assert (first.recipients, first.text.strip(), first.message["Subject"]) == ((ANN,), "plain", "Hello")
    assert first.message["Auto-Submitted"] == "auto-generated"
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert [letter.sender for letter in (first, second)] == ["no-reply@example.com", "other@example.com"]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (smtplib.SMTPRecipientsRefused({ANN: (550, b"5.1.1 no such ann@example.com")}), Undeliverable),
        (smtplib.SMTPRecipientsRefused({ANN: (550, b"5.7.1 relaying denied")}), NotNow),
        (smtplib.SMTPRecipientsRefused({ANN: (450, b"4.2.0 greylisted")}), NotNow),
        (smtplib.SMTPAuthenticationError(535, b"no"), MailDown),
        (smtplib.SMTPServerDisconnected("gone"), MailDown),
        (ConnectionRefusedError("no"), MailDown),
    ],
)
def test_what_goes_wrong_has_a_word(raised: Exception, expected: type[Exception]) -> None:
    def fail(message: Any) -> None:
        raise raised

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("django.core.mail.EmailMultiAlternatives.send", fail)
        with pytest.raises(expected) as told:
            DjangoMail().send(LETTER)
    assert ANN not in str(told.value)


@pytest.mark.parametrize("to", ["nobody", "ann@example.com\nBcc: all@example.com", "", "a@b, c@d.example"])
def test_nobody_adds_recipients_or_headers(to: str) -> None:
    with override_settings(EMAIL_BACKEND=f"{BACKEND}.locmem.EmailBackend"):
        mail.outbox = []
        with pytest.raises(Undeliverable):
            DjangoMail().send(Composed(**{**_fields(LETTER), "to": to}))
        assert mail.outbox == []


def _fields(letter: Composed) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in Composed.__dataclass_fields__}


def test_the_worker_sends_what_waits_once(auth: Any, smtp_sink: SmtpSink) -> None:
    a_letter_waits(auth)
    said = StringIO()
    with override_settings(**smtp(smtp_sink)):
        call_command("doorward_worker", once=True, stdout=said)
    assert said.getvalue() == "1 sent, 0 wait, 0 given up.\n"
    (letter,) = smtp_sink.wait()
    assert re.search(r"^\s*\d{6}\s*$", letter.text, re.MULTILINE)
    assert not Row.objects.exists()


def test_while_mail_is_down_letters_wait(auth: Any) -> None:
    a_letter_waits(auth)
    away = {"EMAIL_BACKEND": f"{BACKEND}.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": 1}
    with override_settings(**away), pytest.raises(CommandError, match="1 wait"):
        call_command("doorward_worker", once=True)
    assert Row.objects.get().tries == 1


def test_a_worker_runs_until_it_is_ended(auth: Any, smtp_sink: SmtpSink, tmp_path: Path) -> None:
    a_letter_waits(auth)
    name = connections["default"].settings_dict["NAME"]
    lines = ["from tests.django.settings import *", f"DATABASES['default']['NAME'] = {name!r}"]
    lines += [f"{name} = {value!r}" for name, value in smtp(smtp_sink).items()]
    (tmp_path / "their_settings.py").write_text("\n".join(lines))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "their_settings", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    worker = subprocess.Popen([sys.executable, "-m", "django", "doorward_worker"], env=environment)
    try:
        assert smtp_sink.wait()[0].recipients == (ANN,)
    finally:
        worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0


def test_a_process_of_the_project_sends_its_letters_itself(smtp_sink: SmtpSink) -> None:
    databases.empty()
    with override_settings(**smtp(smtp_sink)):
        auth = project.runtime.Auth(origin="https://app.example.com")
        try:
            a_letter_waits(auth)
            assert smtp_sink.wait()[0].recipients == (ANN,)
        finally:
            auth.close()


def test_threads_of_our_own_close_what_they_opened() -> None:
    def work() -> list[bool]:
        async def counted(closing: bool) -> None:
            async with DjangoStores([OutboxMessage], closing=closing).unit("sync") as store:
                await store.count(OutboxMessage)

        open_after = []
        for closing in (False, True):
            finish(counted(closing))
            open_after.append(connections["default"].connection is not None)
        return open_after

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == [True, False]


def test_under_asgi_no_connection_stays_open(fresh_postgres: Callable[[], str]) -> None:
    url = fresh_postgres()
    migrate(url)
    host = DjangoAsgiHost(url)
    try:
        browser = sign_up(host)
        start = threading.Barrier(20)

        def ask(number: int) -> int:
            start.wait(30)
            return Browser(host, cookies=dict(browser.cookies)).send("GET", "/who").status

        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(ask, range(20))) == {200}
        assert _open_connections(url) <= 1  # the asking one is not counted, that of this thread may be there
    finally:
        host.close()


def _open_connections(url: str) -> int:
    question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 5
    while True:
        with psycopg.connect(url) as connection:
            row = connection.execute(question).fetchone()
        assert row is not None
        if row[0] <= 1 or time.monotonic() > deadline:
            return int(row[0])
        time.sleep(0.1)
