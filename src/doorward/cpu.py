"""Hashing passwords away from request threads: a pool that admits by declared memory, with two forms to wait in.

The threads are niced, so that people who are signed in notice nothing while others sign in.
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar, TypeVarTuple

from doorward.core.ports import Busy
from doorward.primitives.hashing import OWASP, SALT_BYTES, UNKNOWN, Passwords

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MIB = 1 << 20
# What a job declares at least. Formats without a memory parameter (bcrypt, PBKDF2) cost time instead, so that their
# number must be bounded too: each counts as one argon2id of OWASP's.
LEAST_MEMORY = 19 * MIB
# Jobs admitted for each core: one runs and seven wait, about a quarter of a second at 25 ms each.
JOBS_PER_PLACE = 8
# One foreign scrypt may want 128 MiB (rules for stored hashes): less than that would refuse its owner.
LEAST_LIMIT = 160 * MIB
MOST_RETRY_AFTER = 30  # seconds


@dataclass(eq=False, slots=True)
class _Job:
    run: Callable[[], Any] = field(repr=False)
    memory: int
    future: Future[Any] = field(default_factory=Future)

    def work(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.run()
        except BaseException as failed:  # the caller's to see, whatever it is
            self.future.set_exception(failed)
        else:
            self.future.set_result(result)


class _Crew:
    """The threads of one process, what they have declared, and what waits. Never used on both sides of a fork."""

    def __init__(self, places: int, memory_limit: int, nice: int) -> None:
        self.places, self.memory_limit, self.nice = places, memory_limit, nice
        self.declared = 0  # bytes, waiting and running
        self.jobs = 0
        self.seconds = 0.03  # a job takes, about
        self.closed = False
        self.waiting: dict[_Job, None] = {}
        # Reentrant: a finalizer may close the crew in a thread that holds this.
        self.changed = threading.Condition(threading.RLock())
        self.start()

    def start(self) -> None:
        for number in range(self.places):
            threading.Thread(target=self.serve, name=f"doorward-hash-{number}", daemon=True).start()

    def admit(self, job: _Job) -> None:
        """Take the job on, or raise Busy. A job larger than the limit is admitted when it is alone."""
        with self.changed:
            if self.declared and self.declared + job.memory > self.memory_limit:
                seconds = math.ceil(self.seconds * self.jobs / self.places)
                raise Busy(min(max(seconds, 1), MOST_RETRY_AFTER))
            self.declared += job.memory
            self.jobs += 1
        job.future.add_done_callback(partial(self.leave, job))
        self.put(job)

    def put(self, job: _Job) -> None:
        with self.changed:
            self.waiting[job] = None
            self.changed.notify()

    def leave(self, job: _Job, _: Future[Any]) -> None:
        """Give the job's place back, done or cancelled."""
        with self.changed:
            self.waiting.pop(job, None)
            self.declared -= job.memory
            self.jobs -= 1

    def serve(self) -> None:
        _be_nice(self.nice)
        while (job := self.next()) is not None:
            self.work(job)
            del job  # a password is not kept until the next one comes

    def next(self) -> _Job | None:
        with self.changed:
            while not self.waiting:
                if self.closed:
                    return None
                self.changed.wait()
            job = next(iter(self.waiting))
            del self.waiting[job]
            return job

    def work(self, job: _Job) -> None:
        began = time.perf_counter()
        job.work()
        self.seconds += (time.perf_counter() - began - self.seconds) / 8

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()


class _GeventCrew(_Crew):
    """Under monkey patching `threading` gives greenlets, which would stall the hub: gevent's own pool has threads."""

    def start(self) -> None:
        hub = sys.modules["gevent"].get_hub()
        self.pool = type(hub.threadpool)(self.places, hub=hub)

    def put(self, job: _Job) -> None:
        try:
            # Waits, as a greenlet, until a thread is free: admission has bounded how many do.
            answer = self.pool.spawn(_outcome, self.nice, job.run)
        except BaseException:  # killed while waiting
            job.future.cancel()
            raise
        job.future.set_running_or_notify_cancel()
        answer.rawlink(partial(_deliver, job.future))

    def close(self) -> None:
        self.pool.kill()


def _outcome(nice: int, run: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    """In a thread of gevent's pool, which would print what is raised there."""
    _be_nice(nice)
    try:
        return run(), None
    except BaseException as failed:  # the caller's to see, whatever it is
        return None, failed


def _deliver(future: Future[Any], answer: Any) -> None:
    """In the hub: what the thread answered becomes the future's."""
    result, failed = answer.value if answer.successful() else (None, answer.exception)
    if failed is None:
        future.set_result(result)
    else:
        future.set_exception(failed)


def _is_patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def _be_nice(nice: int) -> None:
    """Lower this thread's priority, never the main thread's. Only Linux has priorities by thread."""
    thread = threading.get_native_id()
    if sys.platform != "linux" or thread == os.getpid():
        return
    try:
        if os.getpriority(os.PRIO_PROCESS, thread) < nice:
            os.setpriority(os.PRIO_PROCESS, thread, nice)
    except OSError:  # a sandbox forbids it: hashing works all the same
        return


class HashPool:
    """As many threads as cores, made at first use and again after a fork; jobs are admitted by declared memory.

    `places` is the number of threads. `memory_limit` (bytes) bounds what waiting and running jobs have declared
    together. Where request threads wait for their hash (WSGI), keep it below `(threads - 2) * 19 MiB`, so that some
    are left for people who are signed in. `nice` is the priority of the threads, 0 to 19.
    """

    def __init__(self, *, places: int | None = None, memory_limit: int | None = None, nice: int = 10) -> None:
        self.places = places or _cores()
        self.memory_limit = memory_limit or max(LEAST_LIMIT, self.places * JOBS_PER_PLACE * LEAST_MEMORY)
        self.nice = nice
        self._start_anew()
        _pools.add(self)

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        self._crew: _Crew | None = None

    def _crew_of_this_process(self) -> _Crew:
        with self._lock:
            if self._crew is None:
                kind = _GeventCrew if _is_patched() else _Crew
                self._crew = kind(self.places, self.memory_limit, self.nice)
                # Not at exit: the threads are daemons, and one of them may have ended while it held the lock.
                weakref.finalize(self, _close_in, os.getpid(), self._crew).atexit = False
            return self._crew

    def submit(self, fn: Callable[[*Ts], T], /, *args: *Ts, memory: int) -> Future[T]:
        """Run `fn` in the pool. `memory` in bytes, at least `LEAST_MEMORY` is counted. Raises Busy when full.

        A future that is cancelled while it waits gives its place back at once; one that runs, when it is done.
        """
        job = _Job(partial(fn, *args), max(memory, LEAST_MEMORY))
        self._crew_of_this_process().admit(job)
        return job.future

    @property
    def declared(self) -> int:
        """Bytes that waiting and running jobs have declared."""
        return self._crew.declared if self._crew else 0


def _close_in(process: int, crew: _Crew) -> None:
    if os.getpid() == process:
        crew.close()


def _cores() -> int:
    """Those this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


_pools: weakref.WeakSet[HashPool] = weakref.WeakSet()


def _after_fork() -> None:
    """Threads do not survive a fork, and a lock may have been held in it."""
    for pool in tuple(_pools):
        pool._start_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@cache
def process_pool(memory_limit: int | None = None) -> HashPool:
    """The one pool of this process with that limit."""
    return HashPool(memory_limit=memory_limit)


def limit_of_waiting_threads() -> int:
    """Bytes to admit where request threads wait for their hash: two jobs a core, and eight at least.

    A host wants more threads than that, so that some are left for people who are signed in.
    """
    return max(LEAST_LIMIT, 2 * _cores() * LEAST_MEMORY)


class _Hashing:
    """What both forms share: the jobs."""

    def __init__(self, pool: HashPool, passwords: Passwords) -> None:
        self._pool = pool
        self._passwords = passwords

    def needs_rehash(self, hash: str) -> bool:
        """Whether a hash made today would look otherwise."""
        return self._passwords.needs_rehash(hash)

    def _hash(self, password: str) -> Future[str]:
        passwords, salt = self._passwords, os.urandom(SALT_BYTES)
        return self._pool.submit(_hash, passwords, password, salt, memory=passwords.preferred.memory_bytes)

    def _verify(self, password: str, hash: str) -> Future[bool]:
        cost = self._passwords.cost(hash)
        if cost.scheme == UNKNOWN:  # no usable password: no sooner refused than a wrong one
            return self._pool.submit(_refuse, self._passwords, password, memory=self._passwords.preferred.memory_bytes)
        return self._pool.submit(_verify, self._passwords, password, hash, memory=cost.memory_bytes)

    def _work_of(self, scheme: str, password: str) -> Future[None]:
        memory = self._passwords.cost(self._passwords.dummy(scheme)).memory_bytes
        return self._pool.submit(self._passwords.work_of, scheme, password, memory=memory)

    def _derive(self, text: str, salt: bytes) -> Future[str]:
        return self._pool.submit(_derive, text, salt, memory=OWASP.memory_bytes)

    def _wrap(self, hashes: Sequence[str]) -> list[Future[str | None]]:
        return [self._pool.submit(_wrap, self._passwords, each, memory=OWASP.memory_bytes) for each in hashes]


def _wrap(passwords: Passwords, hash: str) -> str | None:
    return passwords.wrap(hash, salt=os.urandom(SALT_BYTES))


def _derive(text: str, salt: bytes) -> str:
    return OWASP.hash(text, salt=salt)


def _hash(passwords: Passwords, password: str, salt: bytes) -> str:
    return passwords.hash(password, salt=salt)


def _verify(passwords: Passwords, password: str, hash: str) -> bool:
    return passwords.verify(password=password, hash=hash)


def _refuse(passwords: Passwords, password: str) -> bool:
    passwords.work_of(passwords.preferred.scheme, password)
    return False


class BlockingHash(_Hashing):
    """The port `Hash` for hosts where a thread waits: these coroutines never suspend."""

    colour = "sync"

    async def hash(self, password: str) -> str:
        """A new hash by the preferred scheme."""
        return _wait_for(self._hash(password))

    async def verify(self, *, password: str, hash: str) -> bool:
        """Whether the password is the hash's."""
        return _wait_for(self._verify(password, hash))

    async def work_of(self, scheme: str, password: str) -> None:
        """The work of a failed verification by that scheme."""
        _wait_for(self._work_of(scheme, password))

    async def derive(self, text: str, *, salt: bytes) -> str:
        """Argon2id of a random code, with the salt of its set."""
        return _wait_for(self._derive(text, salt))

    async def wrap(self, hashes: Sequence[str]) -> list[str | None]:
        """Weak hashes, wrapped."""
        return [_wait_for(future) for future in self._wrap(hashes)]


def _wait_for(future: Future[T]) -> T:
    try:
        return future.result()
    except BaseException:  # interrupted (or failed, when this does nothing): leave no job behind
        future.cancel()
        raise


class AwaitingHash(_Hashing):
    """The port `Hash` under asyncio: the event loop goes on; a cancelled caller gives its place back."""

    colour = "async"

    async def hash(self, password: str) -> str:
        """A new hash by the preferred scheme."""
        return await asyncio.wrap_future(self._hash(password))

    async def verify(self, *, password: str, hash: str) -> bool:
        """Whether the password is the hash's."""
        return await asyncio.wrap_future(self._verify(password, hash))

    async def work_of(self, scheme: str, password: str) -> None:
        """The work of a failed verification by that scheme."""
        await asyncio.wrap_future(self._work_of(scheme, password))

    async def derive(self, text: str, *, salt: bytes) -> str:
        """Argon2id of a random code, with the salt of its set."""
        return await asyncio.wrap_future(self._derive(text, salt))

    async def wrap(self, hashes: Sequence[str]) -> list[str | None]:
        """Weak hashes, wrapped."""
        return [await asyncio.wrap_future(future) for future in self._wrap(hashes)]
