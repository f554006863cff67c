"""One daemon thread in each process sends its letters and does its upkeep, so that no request ever waits for either."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import random
import threading
import weakref

from doorward.core.ports import Unavailable
from doorward.core.records import OutboxMessage
from doorward.delivery.outbox import Outbox
from doorward.delivery.upkeep import Upkeep

log = logging.getLogger("doorward.delivery")

POLL = 10.0  # seconds between looks into the outbox for what others left there and for what is tried again
AT_ONCE = 20  # letters between two looks at whether to stop
GOODBYE = 2.0  # seconds that the end of a process may wait for a letter under way


class OutboxThread:
    """The port `Post`. The thread starts at first use, and again in a child after a fork.

    It is started by `post`, and by `ensure_running` in processes that only look at sessions; it ends with `close`,
    or with the process. What it does not get done stays in the outbox for any other process or `doorward worker`.
    """

    def __init__(self, outbox: Outbox, upkeep: Upkeep | None = None, *, poll: float = POLL) -> None:
        self._outbox, self._upkeep, self._poll = outbox, upkeep, poll
        self._begin_anew()
        _all.add(self)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def post(self, messages: tuple[OutboxMessage, ...] = (), /) -> None:
        """Letters wait: send them soon. Returns at once."""
        self.ensure_running()
        self._wake.set()

    __call__ = post

    def ensure_running(self) -> None:
        """Start the thread of this process unless it runs; costs nothing when it does."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._stopping.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            thread = threading.Thread(target=self._run, name="doorward-outbox", daemon=True)
            with contextlib.suppress(RuntimeError):  # the interpreter is ending: another process will send it
                thread.start()
                self._thread = thread
                atexit.register(self.close)

    def close(self) -> None:
        """Stop after the letter under way, and write what is remembered of sessions. A hanging server is left alone."""
        self._stopping.set()
        self._wake.set()
        atexit.unregister(self.close)
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(GOODBYE)
        if self._upkeep is not None:
            with contextlib.suppress(Unavailable):
                self._upkeep.write_seen()

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Spread, so that many processes do not all look at once.
            self._wake.wait(self._poll * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
            self._wake.clear()
            try:
                self._round()
            except Unavailable as error:
                log.warning("the store can't be reached, letters wait: %s", error)
            except Exception:  # the thread must outlive whatever it was
                log.exception("the outbox failed, and tries again")

    def _round(self) -> None:
        while not self._stopping.is_set():
            delivered = self._outbox.deliver_once(AT_ONCE)
            if not delivered or (delivered.down and not delivered.sent):
                break
        if self._upkeep is not None and not self._stopping.is_set():
            self._upkeep.run_due()


_all: weakref.WeakSet[OutboxThread] = weakref.WeakSet()


def _after_fork() -> None:
    """Threads do not survive a fork, and a lock may have been held in it."""
    for one in tuple(_all):
        one._begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
