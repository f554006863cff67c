"""What is known of breached passwords beside the list that ships: a filter of the installation's own, in a file; and a
service that is asked by k-anonymity, as Pwned Passwords are (https://haveibeenpwned.com/API/v3#PwnedPasswords)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import mmap
import re
import time
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import urlsplit

from doorward.core.ports import Busy
from doorward.core.refusals import Misconfigured
from doorward.cpu import LEAST_MEMORY, HashPool
from doorward.delivery.outgoing import Unanswered, ask
from doorward.primitives.bloom import Bloom

log = logging.getLogger("doorward.breaches")

CURE = "make one with `doorward breached build FILE`"

PATIENCE = 2.0  # seconds that somebody who chooses a password waits
REST = 30.0  # seconds without a question after one that was not answered
MOST_BYTES = 512 << 10  # of an answer: Pwned Passwords' have 80 KiB, padding included
PLACES, MOST_AT_ONCE = 4, 16

_LINE = re.compile(rb"([0-9A-F]{35}):([0-9]{1,12})")


def open_filter(path: str | Path) -> Bloom | None:
    """The filter in a file, mapped into memory and not read: many gigabytes cost nothing at start. None for no path.

    A filter is replaced by a new file of its name, never written over: `doorward breached build` does so. Raises
    `Misconfigured`.
    """
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            return Bloom(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise Misconfigured("breached.E1", f"the filter {path} can't be read: {error.strerror}; {CURE}") from None
    except ValueError as error:  # an empty file, too
        raise Misconfigured("breached.E2", f"{path} is no filter: {error}; {CURE}") from None


def open_search(url: str) -> RangeSearch | None:
    """The service at an address, `https://…/range`; None for no address."""
    return RangeSearch(url) if url else None


class RangeSearch:
    """Asks a range API, in threads of its own, and gives up after `patience` seconds, whatever the service does.

    A service that did not answer is left alone for `rest` seconds, so that its failure costs hardly anybody a wait.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE, rest: float = REST) -> None:
        self._url = url
        self.patience, self._rest = patience, rest
        self._resting_until = 0.0
        # The pool for hashes has what is needed: threads made anew after a fork, and a bound on who waits for them.
        self._pool = HashPool(places=PLACES, memory_limit=MOST_AT_ONCE * LEAST_MEMORY, nice=0)
        self.sync, self.awaiting = BlockingSearch(self), AwaitingSearch(self)

    def submit(self, password: str) -> Future[bool] | None:
        """Begin to ask; None where it is not worth it now."""
        if time.monotonic() < self._resting_until:
            return None
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            return self._pool.submit(self._ask, digest[:5], digest[5:].encode(), memory=LEAST_MEMORY)
        except Busy:
            return None

    def failed(self, error: BaseException) -> None:
        """No answer, or none that can be used: say so, and rest."""
        self._resting_until = time.monotonic() + self._rest
        why = str(error) or type(error).__name__
        log.warning(
            "%s can't be asked for breached passwords, which are let pass: %s", urlsplit(self._url).hostname, why
        )

    def _ask(self, start: str, rest: bytes) -> bool:
        # Padding: the size of the answer must not tell which five digits were asked for.
        padded = {"Add-Padding": "true"}
        answer = ask("GET", f"{self._url}/{start}", headers=padded, patience=self.patience, most=MOST_BYTES)
        if answer.status != 200:
            raise Unanswered(f"status {answer.status}")
        return _is_in(answer.body, rest)


def _is_in(body: bytes, rest: bytes) -> bool:
    found = {line[1]: int(line[2]) for line in map(_LINE.fullmatch, body.split()) if line is not None}
    if not found:
        raise Unanswered("an answer that is no list of digests")
    return found.get(rest, 0) > 0  # padding has counts of 0


class BlockingSearch:
    """The port `BreachSearch` for hosts where a thread waits."""

    def __init__(self, search: RangeSearch) -> None:
        self._search = search

    async def knows(self, password: str) -> bool | None:
        """Whether the service knows it; None where it does not say."""
        future = self._search.submit(password)
        if future is None:
            return None
        try:
            return future.result(self._search.patience)
        except OSError as error:  # TimeoutError is an OSError
            future.cancel()
            self._search.failed(error)
            return None


class AwaitingSearch:
    """The same under asyncio: the event loop goes on."""

    def __init__(self, search: RangeSearch) -> None:
        self._search = search

    async def knows(self, password: str) -> bool | None:
        """Whether the service knows it; None where it does not say."""
        future = self._search.submit(password)
        if future is None:
            return None
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._search.patience)
        except OSError as error:
            self._search.failed(error)
            return None
