"""Letters in the terminal: readable, easy to copy from, harmless."""

import io

import pytest

from doorward.delivery import ConsoleMail, SmtpMail, open_mail
from tests.delivery.office import Kept, Office


def shown(stream: io.TextIOWrapper | None = None, **words: str) -> str:
    """What the terminal gets; the stream that it stands for is flushed and stays open."""
    office, kept = Office(), Kept()
    office.write(**words)
    office.outbox(kept).deliver_once()
    stream = stream or io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    ConsoleMail(stream).send(kept.letters[0])
    stream.seek(0)
    return stream.read()


def test_code_and_link_stand_alone_on_their_lines() -> None:
    lines = shown().splitlines()
    assert "A letter to ada@example.com: Confirm your e-mail address for Acme" in lines
    assert "482913" in lines
    assert "https://app.example.com/auth/x?token=abc" in lines


def test_letters_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is what a command answers, for programs to read."""
    office = Office()
    office.write()
    office.outbox(open_mail()).deliver_once()
    out, err = capsys.readouterr()
    assert out == ""
    assert "482913" in err


@pytest.mark.parametrize("service", ["\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u202egpj.exe", "a\rb"])
def test_a_terminal_is_told_to_do_nothing(service: str) -> None:
    page = shown(service=service)
    assert [char for char in page if char != "\n" and not char.isprintable()] == []


def test_what_a_terminal_can_not_show_is_spelt_out() -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert "for Zo\\xeb \\u674e" in shown(terminal, service="Zoë 李")


def test_without_a_mail_server_letters_go_to_the_terminal() -> None:
    assert isinstance(open_mail(), ConsoleMail)
    assert isinstance(open_mail("smtps://mail.example.com", "a@example.com"), SmtpMail)
