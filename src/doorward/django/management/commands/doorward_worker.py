"""`manage.py doorward_worker`: send the letters that wait, and remove what is past its time."""

from __future__ import annotations

import contextlib
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from doorward.core.ports import Unavailable
from doorward.django.runtime import Auth, auth


class Command(BaseCommand):
    """Each process of the project sends its own letters; this one also those whose first try failed. Any number of
    workers may run."""

    help = "Send the letters that wait, with retries, and remove what is past its time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Try what is due now, and end: for cron.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        host = auth()
        if once:
            self.stdout.write(_delivered(host))
        elif host.outbox is not None:
            self.stdout.write("Sending letters as they come; Ctrl-C ends it.")
            host.outbox.post()
            _wait_for_the_end()
            host.close()


def _delivered(host: Auth) -> str:
    try:
        done = host.deliver_due()
    except Unavailable as away:
        raise CommandError(str(away)) from away
    said = f"{done.sent} sent, {done.postponed} wait, {done.dropped} given up."
    if done.down:
        raise CommandError(f"Mail can't be sent now: {said}")
    return said


def _wait_for_the_end() -> None:
    """Until SIGTERM or Ctrl-C."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    with contextlib.suppress(KeyboardInterrupt):
        ending.wait()
