"""`doorward worker`: send the letters that wait."""

from __future__ import annotations

import contextlib
import signal
import threading
from dataclasses import asdict
from pathlib import Path

import click

from doorward.server.opening import CONFIG, installed, operator
from doorward.server.output import PROBLEM, Output, reports

MOST_AT_ONCE = 10_000  # letters


@click.command("worker")
@CONFIG
@click.option("--once", is_flag=True, help="Try what is due now, and end.")
@reports
def command(output: Output, config: Path | None, once: bool) -> int:
    """Send the letters that wait, with retries, and remove what is past its time. Any number of workers may run."""
    runtime = operator(installed(config))
    if once:
        done = runtime.deliver_due(MOST_AT_ONCE)
        output.result(asdict(done), f"{done.sent} sent, {done.postponed} wait, {done.dropped} given up.")
        return PROBLEM if done.down else 0
    output.result({"working": True}, "Sending letters as they come; Ctrl-C ends it.")
    if runtime.outbox is not None:
        runtime.outbox.post()
        wait_for_the_end()
        runtime.close()
    return 0


def wait_for_the_end() -> None:
    """Until SIGTERM or Ctrl-C."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    with contextlib.suppress(KeyboardInterrupt):
        ending.wait()
