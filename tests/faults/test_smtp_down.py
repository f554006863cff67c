"""The mail server is away, hangs or comes back, and a process is killed while it sends: no letter is lost."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

import pytest

from doorward.core.finish import finish
from doorward.core.records import OutboxMessage
from doorward.delivery import Delivered, OutboxThread, SmtpMail
from doorward.delivery import outbox as outboxes
from doorward.delivery.outbox import LEASE
from doorward.features import reset_password, sign_up, verify_email
from tests.delivery.office import Office
from tests.services.smtp import SmtpSink

SENDER = "Acme <noreply@acme.example>"
PASSWORD = "correct horse battery staple"


def mail_to(port: int, patience: float = 10) -> SmtpMail:
    return SmtpMail(f"smtp://127.0.0.1:{port}?tls=none", SENDER, patience=patience)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(f"sqlite:///{tmp_path}/office.db")
    yield office
    office.stores.close()


def until(is_so: Callable[[], object], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_letters_wait_while_the_server_is_down_and_leave_when_it_is_back(office: Office, smtp_sink: SmtpSink) -> None:
    outbox = office.outbox(mail_to(smtp_sink.port))
    office.write("before@example.com")
    assert outbox.deliver_once() == Delivered(sent=1)
    smtp_sink.stop()
    for number in range(5):
        office.write(f"user{number}@example.com")
    for _ in range(3):
        assert outbox.deliver_once() == Delivered(postponed=1, down=True)
        office.clock.forward(minutes=1)
    assert len(office.waiting()) == 5
    smtp_sink.start()
    assert outbox.deliver_once() == Delivered(sent=5)
    recipients = [letter.recipients[0] for letter in smtp_sink.wait(6)]
    assert sorted(recipients) == ["before@example.com", *(f"user{number}@example.com" for number in range(5))]
    assert office.waiting() == []


def test_the_thread_finds_by_itself_that_the_server_is_back(
    office: Office, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outboxes, "DOWN", 0.05)
    smtp_sink.stop()
    thread = OutboxThread(office.outbox(mail_to(smtp_sink.port)), poll=0.05)
    office.write()
    thread.post(())

    def time_passes() -> list[OutboxMessage]:
        office.clock.forward(seconds=1)
        return office.waiting()

    assert until(lambda: time_passes()[0].tries > 2)
    smtp_sink.start()
    assert until(lambda: time_passes() == [])
    assert "482913" in smtp_sink.wait()[0].text
    thread.close()


def test_sign_up_and_sign_in_do_not_notice_a_server_that_hangs(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        thread = OutboxThread(office.outbox(mail_to(silent.getsockname()[1], patience=30)), poll=0.01)
        person = office.browser()
        started = time.monotonic()
        person.do(sign_up.sign_up, email="ada@example.com", password=PASSWORD)
        thread.post(tuple(office.mail.messages))
        assert until(lambda: office.waiting()[0].tries == 1)
        for number in range(20):
            office.browser(f"192.0.2.{number}").do(
                sign_up.sign_up, email=f"user{number}@example.com", password=PASSWORD
            )
            thread.post(tuple(office.mail.messages))
        assert time.monotonic() - started < 10
        assert len(office.waiting()) == 21
    thread.close()


def test_forgot_waits_for_no_mail_server(office: Office) -> None:
    """ENUM-04 and ENUM-12: while the server hangs, one answer and one duration for known and unknown addresses."""
    people = [f"ada{number}@example.com" for number in range(8)]
    for email in people:
        ada = office.browser()
        ada.do(sign_up.sign_up, email=email, password=PASSWORD)
        ada.do(verify_email.verify, code=office.mail.code())
    took: dict[str, list[float]] = {"ada": [], "nobody": []}
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        thread = OutboxThread(office.outbox(mail_to(silent.getsockname()[1], patience=30)), poll=0.01)
        for number in range(120):
            for who, seconds in took.items():
                guest = office.browser(f"192.0.2.{number}")
                started = time.perf_counter()
                answer = guest.do(reset_password.forgot, email=f"{who}{number % 8}@example.com")
                seconds.append(time.perf_counter() - started)
                assert answer.expires_in == 1800
                thread.post(tuple(office.mail.messages[-1:]))
        thread.close()
    # The lower quarter: what the work takes where nothing else holds it up.
    known, unknown = (quantiles(seconds, n=4)[0] for seconds in took.values())
    assert abs(known - unknown) < 0.005, (known, unknown)


KILLED = """
import sys
from datetime import UTC, datetime
from doorward.delivery import Outbox, SmtpMail
from tests.delivery.office import Office
office = Office(sys.argv[1])
office.clock.now = datetime.fromisoformat(sys.argv[3])
office.outbox(SmtpMail(f"smtp://127.0.0.1:{sys.argv[2]}?tls=none", "Acme <noreply@acme.example>")).deliver_once()
"""


def test_a_process_killed_while_it_sends_leaves_the_letter_to_others(
    office: Office, tmp_path: Path, smtp_sink: SmtpSink
) -> None:
    """At least once: what the dead process had claimed is sent by another one when the lease is over."""
    id = office.write()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [
            *(sys.executable, "-c", KILLED, f"sqlite:///{tmp_path}/office.db"),
            *(str(silent.getsockname()[1]), office.clock().isoformat()),
        ]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        connection, _ = silent.accept()
        with connection:
            assert until(lambda: office.waiting()[0].tries == 1)
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
    (message,) = office.waiting()
    assert (message.id, message.due_at) == (id, office.clock() + LEASE)
    outbox = office.outbox(mail_to(smtp_sink.port))
    assert not outbox.deliver_once()
    office.clock.forward(seconds=LEASE.total_seconds())
    assert outbox.deliver_once() == Delivered(sent=1)
    assert smtp_sink.wait()[0].message["Message-ID"] == f"<{id}@acme.example>"
    assert office.waiting() == []


def test_killed_after_the_server_took_it_a_letter_is_sent_again_under_its_old_name(
    office: Office, smtp_sink: SmtpSink
) -> None:
    """The price of never losing one: the row is deleted after the server said that it has the letter."""
    id = office.write()
    outbox = office.outbox(mail_to(smtp_sink.port))
    before = office.waiting()
    assert outbox.deliver_once() == Delivered(sent=1)

    async def put_back() -> bool:
        async with office.stores.unit("sync") as store:
            return await store.add(*before)

    assert finish(put_back())
    assert outbox.deliver_once() == Delivered(sent=1)
    assert {letter.message["Message-ID"] for letter in smtp_sink.wait(2)} == {f"<{id}@acme.example>"}
