"""How the commands speak: tables and sentences for people, one JSON document on standard output for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from doorward.core.ports import Unavailable
from doorward.core.refusals import REASONS, Misconfigured, Refused

P = ParamSpec("P")

OK, PROBLEM, USAGE = 0, 1, 2  # and 3: a package is missing, in __main__
PIPE_WIDTH = 200  # columns where nobody looks: for grep, a row is a line


class Output:
    """One command's voice. With `as_json` nothing but the document goes to standard output."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)

    def result(self, value: Mapping[str, Any], *sentences: str) -> None:
        """The outcome: as JSON, or in words."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()
            return
        for sentence in sentences:
            self.say(sentence)

    def say(self, sentence: str) -> None:
        """A sentence for people; silent where a program listens. What stands in it is no markup."""
        if not self.as_json:
            self.console.print(sentence, markup=False)
            self.console.file.flush()

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(titles))
        for title in titles:
            table.add_column(title, overflow="fold")  # an id that is cut off helps nobody
        for row in rows:
            table.add_row(*(_plain(cell) for cell in row))
        self.console.print(table)

    @contextmanager
    def progress(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """A bar on standard error, where somebody looks; yields what is told of each part that is done."""
        with self.counted(what) as (begin, tick):
            if total is not None:
                begin(total)
            yield tick

    @contextmanager
    def counted(self, what: str) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
        """A bar whose length is found on the way: yields what is told of it, and of each part that is done."""
        console = Console(stderr=True)
        with Progress(console=console, disable=self.as_json or not console.is_terminal, transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda total: bar.update(task, total=total), lambda amount: bar.update(task, advance=amount)

    def failed(self, reason: str, sentence: str) -> None:
        """What went wrong, with the cure, on standard error."""
        if self.as_json:
            self.result({"error": {"reason": reason, "detail": sentence}})
        else:
            sys.stderr.write(f"doorward: {sentence}\n")


def _plain(cell: str) -> str:
    """Names are what strangers typed: nothing of them moves a cursor, or is markup."""
    return "".join(char if char.isprintable() else "?" for char in cell).replace("[", r"\[")


def reports(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn what a command raises into a sentence and an exit code, and its number into the exit code."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")
    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        output = Output(as_json=bool(kwargs.pop("as_json")))
        kwargs["output"] = output
        try:
            code = command(*args, **kwargs) or OK
        except Misconfigured as wrong:
            output.failed(wrong.id, str(wrong))
            code = PROBLEM
        except Refused as refused:
            output.failed(refused.reason, told(refused))
            code = PROBLEM
        except Unavailable as away:
            output.failed(
                "unavailable", f"the database can't be reached: {away}. Is it running, is DATABASE_URL right?"
            )
            code = PROBLEM
        sys.exit(code)

    return run


def told(refused: Refused) -> str:
    """A refusal in a sentence, with the fields it is about."""
    problems = [f"{error.field}: {error.detail}" for error in refused.errors]
    return "; ".join(problems) or refused.detail or REASONS[refused.reason].detail
