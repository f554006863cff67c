"""Letters and text messages shown in the terminal, for the first minutes and for development."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from doorward.delivery.mail import Composed

if TYPE_CHECKING:
    from doorward.delivery.sms import ComposedText

RULE = "─" * 72


class ConsoleMail:
    """Prints the plain text of each letter; code and link stand alone on their lines, to be copied.

    To standard error: standard output belongs to what a command answers (`--json`), and stays readable by programs.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, letter: Composed, /) -> None:
        """Show it at once."""
        _show(f"{RULE}\nA letter to {letter.to}: {letter.subject}\n\n{letter.text}{RULE}\n", self._stream)


class ConsoleSms:
    """Prints each text message: SMS_URL=console:."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, text: ComposedText, /) -> None:
        """Show it at once."""
        _show(f"{RULE}\nA text message to {text.to}:\n\n{text.text}\n{RULE}\n", self._stream)


def _show(page: str, to: TextIO | None) -> None:
    stream = to or sys.stderr
    encoding = stream.encoding or "utf-8"
    # One write, so that letters of several threads do not mix; what the terminal can't show is spelt out.
    stream.write(_harmless(page).encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _harmless(page: str) -> str:
    """Without the control characters by which a terminal could be told to do things."""
    return "".join(char if char == "\n" or char.isprintable() else ascii(char)[1:-1] for char in page)
