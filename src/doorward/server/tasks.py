"""What a server does beside answering: tries waiting letters again, ends silent connections, compares clocks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psycopg

from doorward.core.ports import Unavailable
from doorward.stores.postgres import conninfo

log = logging.getLogger("doorward.server")

MOST_SKEW = 5.0  # seconds (rule 29)
PATIENCE = 5  # seconds


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again, in a thread; `every` in seconds. What it raises is logged, and it goes on."""

    name: str
    every: float
    run: Callable[[], object]


class Tasks:
    """The jobs of one worker, from its start to its end."""

    def __init__(self, jobs: Sequence[Job] = (), *, clocks: Clocks | None = None) -> None:
        self.jobs = (*jobs, Job("clock", 60, clocks.compare)) if clocks is not None else tuple(jobs)
        self._clocks = clocks
        self._running: list[asyncio.Task[None]] = []

    @property
    def clocks_agree(self) -> bool:
        return self._clocks is None or self._clocks.agree

    async def __aenter__(self) -> Self:
        self._running = [asyncio.create_task(_repeat(job), name=job.name) for job in self.jobs]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


async def _repeat(job: Job) -> None:
    while True:
        try:
            await asyncio.to_thread(job.run)
        except Unavailable as away:
            log.warning("%s: %s", job.name, away)
        except Exception:  # the next time may go well
            log.exception("%s failed", job.name)
        await asyncio.sleep(job.every)


class Clocks:
    """This machine's clock against the database's, by which times are compared across machines."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.agree = True

    def compare(self) -> None:
        self.agree = abs(skew(self.database_url)) <= MOST_SKEW


def skew(database_url: str) -> float:
    """Seconds that PostgreSQL's clock is ahead of ours; 0 for databases in this process. Raises `Unavailable`."""
    if not database_url.startswith("postgres"):
        return 0.0
    try:
        with psycopg.connect(conninfo(database_url), connect_timeout=PATIENCE, autocommit=True) as connection:
            asked = time.time()
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            return float(row[0]) - (asked + time.time()) / 2 if row else 0.0
    except psycopg.OperationalError as error:
        raise Unavailable(f"postgresql: {type(error).__name__}") from None
