"""The thread that sends: at once after commit, again after a fork, and nobody waits for it."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.core.ports import Unavailable
from doorward.delivery import Composed, Delivered, NotNow, OutboxThread, Upkeep
from doorward.delivery import thread as threads
from doorward.delivery.outbox import LEASE
from tests.delivery.office import Kept, Office


@pytest.fixture
def office() -> Office:
    return Office()


def until(is_so: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def was_put_off(office: Office) -> bool:
    """The letter was tried, and when it is tried again stands written: no lease is on it any more."""
    letter = office.waiting()[0]
    return letter.tries == 1 and letter.due_at < office.clock.now + LEASE


def test_a_posted_letter_leaves_at_once(office: Office) -> None:
    thread = OutboxThread(office.outbox(mail := Kept()), poll=60)
    office.write("one@example.com")
    thread.post(())
    assert until(lambda: mail.recipients == ["one@example.com"])
    office.write("two@example.com")
    thread.post(())
    assert until(lambda: mail.recipients == ["one@example.com", "two@example.com"])
    thread.close()


def test_what_others_left_is_found_by_looking(office: Office) -> None:
    thread = OutboxThread(office.outbox(mail := Kept(NotNow("451"))), poll=0.02)
    thread.ensure_running()
    office.write()
    assert until(lambda: was_put_off(office))
    office.clock.forward(minutes=1)
    assert until(lambda: len(mail.letters) == 1)
    thread.close()


def test_all_that_is_due_leaves_in_one_go(office: Office) -> None:
    thread = OutboxThread(office.outbox(mail := Kept()), poll=60)
    for _ in range(threads.AT_ONCE * 2 + 1):
        office.write()
    thread.post(())
    assert until(lambda: len(mail.letters) == threads.AT_ONCE * 2 + 1)
    thread.close()


def test_there_is_one_thread_however_many_post(office: Office) -> None:
    before = set(threading.enumerate())
    thread = OutboxThread(office.outbox(Kept()))
    posting = [threading.Thread(target=thread.post, args=((),)) for _ in range(40)]
    for one in posting:
        one.start()
    for one in posting:
        one.join()
    mine = thread._thread
    started = {t for t in threading.enumerate() if t.name == "doorward-outbox"} - before
    assert started == {mine}
    thread.close()


def test_posting_returns_at_once_while_the_server_hangs(office: Office) -> None:
    hanging = threading.Event()
    thread = OutboxThread(office.outbox(mail := Kept(meanwhile=lambda _: hanging.wait(30) and None)))
    office.write()
    thread.post(())
    assert until(lambda: office.waiting()[0].tries == 1)
    started = time.monotonic()
    for _ in range(100):
        thread.post(())
    assert time.monotonic() - started < 1
    assert mail.letters == []
    hanging.set()
    thread.close()
    assert len(mail.letters) == 1


def test_closing_does_not_wait_for_a_server_that_hangs(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "GOODBYE", 0.05)
    hanging = threading.Event()
    thread = OutboxThread(office.outbox(Kept(meanwhile=lambda _: hanging.wait(30) and None)))
    office.write()
    thread.post(())
    assert until(lambda: office.waiting()[0].tries == 1)
    started = time.monotonic()
    thread.close()
    assert time.monotonic() - started < 1
    hanging.set()


def test_nothing_starts_after_closing_and_letters_stay(office: Office) -> None:
    thread = OutboxThread(office.outbox(mail := Kept()))
    thread.close()
    office.write()
    thread.post(())
    assert thread._thread is None
    assert mail.letters == []
    assert len(office.waiting()) == 1


class Failing:
    """An outbox that fails before it works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.worked = False

    def deliver_once(self, limit: int) -> Delivered:
        if self.errors:
            raise self.errors.pop(0)
        self.worked = True
        return Delivered()


def test_the_thread_outlives_what_goes_wrong(caplog: pytest.LogCaptureFixture) -> None:
    outbox = Failing(Unavailable("away"), RuntimeError("bug"), Unavailable("away"))
    thread = OutboxThread(outbox, poll=0.01)  # type: ignore[arg-type]
    thread.ensure_running()
    assert until(lambda: outbox.worked)
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR", "WARNING"]
    thread.close()


def test_upkeep_is_done_in_the_same_thread_and_once_more_at_the_end(office: Office) -> None:
    done: list[str] = []

    class Told(Upkeep):
        def run_due(self) -> None:
            done.append(threading.current_thread().name)

        def write_seen(self) -> int:
            done.append("last time")
            return 0

    upkeep = Told(office.stores, {}, (), office.clock)
    thread = OutboxThread(office.outbox(Kept()), upkeep, poll=60)
    thread.post(())
    assert until(lambda: done)
    thread.close()
    assert done == ["doorward-outbox", "last time"]


def test_a_child_of_fork_sends_its_own_letters(tmp_path: Path) -> None:
    office = Office(f"sqlite:///{tmp_path}/office.db")
    sent = tmp_path / "sent"

    def note(letter: Composed) -> None:
        with sent.open("a") as file:
            file.write(f"{letter.to} {'parent' if os.getpid() == parent else 'child'}\n")

    parent = os.getpid()
    thread = OutboxThread(office.outbox(Kept(meanwhile=note)), poll=60)
    office.write("parent@example.com")
    thread.post(())
    assert until(lambda: office.waiting() == [])
    child = os.fork()
    if child == 0:
        office.write("child@example.com")
        thread.post(())
        os._exit(0 if until(lambda: office.waiting() == []) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert sent.read_text() == "parent@example.com parent\nchild@example.com child\n"
    thread.close()
    office.stores.close()
