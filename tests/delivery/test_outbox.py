"""Each letter leaves once, whoever sends; what can't leave waits, and what never can is dropped."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from doorward.core.call import Letter
from doorward.core.finish import finish
from doorward.core.records import OutboxMessage
from doorward.delivery import Delivered, MailDown, NotNow, Outbox, Undeliverable
from doorward.delivery.outbox import BACK_OFF, LEASE, next_wait
from doorward.primitives.keyring import Keyring
from doorward.stores import migrations
from tests.delivery.office import Kept, Office


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_letter_leaves_and_its_row_is_gone(office: Office) -> None:
    id, mail = office.write("ada@example.com"), Kept()
    assert office.outbox(mail).deliver_once() == Delivered(sent=1)
    (letter,) = mail.letters
    assert (letter.id, letter.to, letter.subject) == (id, "ada@example.com", "Confirm your e-mail address for Acme")
    assert "482913" in letter.text
    assert "482913" in letter.html
    assert office.waiting() == []
    assert not office.outbox(mail).deliver_once()


def test_a_letter_to_nobody_goes_the_same_way_and_leaves_nothing(office: Office) -> None:
    office.leave(None)
    mail = Kept()
    assert office.outbox(mail).deliver_once() == Delivered(sent=1)
    assert mail.letters == []
    assert office.waiting() == []


def test_at_most_as_many_as_asked_for_leave(office: Office) -> None:
    for _ in range(5):
        office.write()
    mail = Kept()
    assert office.outbox(mail).deliver_once(3) == Delivered(sent=3)
    assert office.outbox(mail).deliver_once(3) == Delivered(sent=2)


def test_what_can_not_leave_now_waits_longer_each_time_and_leaves_at_last(office: Office) -> None:
    office.write()
    mail = Kept(*[NotNow("451")] * 3)
    outbox = office.outbox(mail)
    for tries, seconds in enumerate(BACK_OFF[:3], 1):
        assert outbox.deliver_once() == Delivered(postponed=1)
        (message,) = office.waiting()
        assert message.tries == tries
        assert 0.8 * seconds <= (message.due_at - office.clock()).total_seconds() <= 1.2 * seconds
        assert not outbox.deliver_once()
        office.clock.forward(seconds=1.2 * seconds)
    assert outbox.deliver_once() == Delivered(sent=1)
    assert office.waiting() == []


def test_waits_grow_and_are_spread() -> None:
    assert sorted(BACK_OFF) == list(BACK_OFF)
    assert next_wait(1000) <= timedelta(seconds=1.2 * BACK_OFF[-1])
    assert len({next_wait(1) for _ in range(20)}) > 10


def test_one_letter_that_waits_does_not_hold_others_back(office: Office) -> None:
    office.write("one@example.com")
    office.write("two@example.com")
    mail = Kept(NotNow("451"))
    assert office.outbox(mail).deliver_once() == Delivered(sent=1, postponed=1)


def test_a_server_that_is_away_is_asked_for_one_letter_only_and_again_soon(office: Office) -> None:
    for _ in range(5):
        office.write()
    mail = Kept(*[MailDown("ConnectionRefusedError")] * 3)
    outbox = office.outbox(mail)
    for _ in range(3):
        assert outbox.deliver_once() == Delivered(postponed=1, down=True)
    office.clock.forward(seconds=36)
    assert outbox.deliver_once() == Delivered(sent=5)


def test_a_refused_recipient_is_dropped_and_the_log_names_no_secret(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.write("nobody@example.com")
    assert office.outbox(Kept(Undeliverable("refused (550)"))).deliver_once() == Delivered(dropped=1)
    assert office.waiting() == []
    (line,) = caplog.messages
    assert "verify_address to n•••@example.com" in line
    assert "refused (550)" in line
    assert "482913" not in caplog.text
    assert "token" not in caplog.text


def test_errors_of_others_are_told_by_their_kind_only(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.write()
    assert office.outbox(Kept(ValueError("482913 is in the letter"))).deliver_once() == Delivered(postponed=1)
    assert "ValueError" in caplog.text
    assert "482913" not in caplog.text


def test_a_letter_is_given_up_when_its_time_is_over(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.write()
    office.clock.forward(days=2)
    assert office.outbox(mail := Kept()).deliver_once() == Delivered(dropped=1)
    assert mail.letters == []
    assert "given up" in caplog.text


def test_a_letter_is_given_up_when_the_next_try_would_be_too_late(office: Office) -> None:
    office.write()
    office.clock.forward(days=2, seconds=-5)
    assert office.outbox(Kept(NotNow("451"))).deliver_once() == Delivered(dropped=1)
    assert office.waiting() == []


def test_a_letter_of_a_newer_release_waits_for_it(office: Office) -> None:
    office.leave(Letter("ada@example.com", "of_the_next_release"))
    office.write("bob@example.com")
    assert office.outbox(mail := Kept()).deliver_once() == Delivered(sent=1, postponed=1)
    assert mail.recipients == ["bob@example.com"]


def test_a_letter_that_no_key_opens_is_dropped(office: Office) -> None:
    office.write()
    other = Outbox(office.stores, Keyring([("other", b"x" * 32)]), Kept(), office.clock)
    assert other.deliver_once() == Delivered(dropped=1)


def test_a_letter_moved_to_another_row_opens_nowhere(office: Office) -> None:
    """A sealed body is bound to its row: nobody who can write rows can send old codes again."""
    office.write()
    (message,) = office.waiting()
    moved = replace(message, id="another")

    async def move() -> None:
        async with office.stores.unit("sync") as store:
            await store.remove(OutboxMessage, id=message.id)
            await store.add(moved)

    finish(move())
    assert office.outbox(mail := Kept()).deliver_once() == Delivered(dropped=1)
    assert mail.letters == []


def test_what_is_being_sent_is_nobody_elses(office: Office) -> None:
    seen: list[Delivered] = []
    second = office.outbox(Kept())
    office.write()
    first = office.outbox(Kept(meanwhile=lambda _: seen.append(second.deliver_once())))
    assert first.deliver_once() == Delivered(sent=1)
    assert seen == [Delivered()]


def test_what_a_dead_process_had_claimed_leaves_after_its_lease(office: Office) -> None:
    office.write()

    def die(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.outbox(Kept(meanwhile=die)).deliver_once()
    outbox = office.outbox(mail := Kept())
    assert not outbox.deliver_once()
    office.clock.forward(seconds=LEASE.total_seconds() + 1)
    assert outbox.deliver_once() == Delivered(sent=1)
    assert len(mail.letters) == 1


def test_no_connection_is_held_while_a_letter_is_sent(tmp_path: Path) -> None:
    office = Office(f"sqlite:///{tmp_path}/office.db")
    office.write()
    written: list[str] = []
    mail = Kept(meanwhile=lambda _: written.append(office.write("bob@example.com")))
    assert office.outbox(mail).deliver_once() == Delivered(sent=1)
    assert [message.id for message in office.waiting()] == written
    office.stores.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_forty_threads_claim_and_each_letter_leaves_once(
    kind: str, tmp_path: Path, fresh_postgres: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/office.db"
    if kind == "postgres":
        url = fresh_postgres()
        migrations.migrate(url)
    caplog.set_level(logging.ERROR)
    caplog.clear()  # of what migrations say
    office = Office(url)
    written = {office.write(f"user{number}@example.com") for number in range(60)}
    mail = Kept()
    outbox = office.outbox(mail)
    with ThreadPoolExecutor(40) as threads:
        sent = sum(delivered.sent for delivered in threads.map(lambda _: outbox.deliver_once(), range(40)))
    assert sent == 60
    assert sorted(letter.id for letter in mail.letters) == sorted(written)
    assert office.waiting() == []
    assert caplog.messages == []
    office.stores.close()
