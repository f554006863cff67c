"""The hash pool: bounded by declared memory, away from the main thread, alive after a fork, gone at exit."""

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from doorward.core.finish import finish
from doorward.core.ports import Busy, Hash
from doorward.cpu import LEAST_MEMORY, MIB, AwaitingHash, BlockingHash, HashPool, process_pool
from doorward.primitives.hashing import Argon2id, Passwords, dummy_hash

CHEAP = Passwords(Argon2id(memory_kib=8, time_cost=1))
SLOW = Passwords(Argon2id(memory_kib=65536, time_cost=6))  # about 0.2 s


class Gate:
    """A job that runs until the test lets it go."""

    def __init__(self) -> None:
        self.began, self.opened = threading.Event(), threading.Event()

    def job(self) -> str:
        self.began.set()
        assert self.opened.wait(30)
        return "done"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()


# The threads.


def priority() -> tuple[int, bool, bool, int]:
    thread = threading.current_thread()
    nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) if sys.platform == "linux" else 10
    return nice, thread.daemon, thread is threading.main_thread(), threading.get_native_id()


def test_threads_are_made_at_first_use_as_many_as_places() -> None:
    before = threading.active_count()
    pool = HashPool(places=3)
    assert threading.active_count() == before
    barrier = threading.Barrier(3)
    futures = [pool.submit(barrier.wait, memory=1) for _ in range(3)]
    assert sorted(future.result(10) for future in futures) == [0, 1, 2]  # at the same time, in three threads
    assert threading.active_count() == before + 3


def test_threads_are_nice_daemons_and_never_the_main_one() -> None:
    before = priority()[0]
    nice, daemon, main, _ = HashPool(places=1).submit(priority, memory=1).result(10)
    assert (nice, daemon, main) == (max(before, 10), True, False)
    assert priority()[0] == before
    assert os.getpid() != HashPool(places=1).submit(priority, memory=1).result(10)[3]


def test_places_are_the_cores_and_one_foreign_scrypt_fits() -> None:
    assert process_pool().places == (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count())
    assert HashPool(places=1).memory_limit >= 128 * MIB
    assert HashPool(places=8).memory_limit == 8 * 8 * LEAST_MEMORY
    assert process_pool() is process_pool()


def test_a_pool_that_is_let_go_ends_its_threads() -> None:
    pool = HashPool(places=2)
    pool.submit(int, memory=1).result(10)
    mine = {thread for thread in threading.enumerate() if thread.name.startswith("doorward-hash")}
    alive = len(mine)
    del pool
    gc.collect()
    assert eventually(lambda: sum(thread.is_alive() for thread in mine) <= alive - 2)


# Admission.


def test_jobs_beyond_the_declared_memory_are_refused_with_a_time(gate: Gate) -> None:
    pool = HashPool(places=1, memory_limit=100 * MIB)
    running = pool.submit(gate.job, memory=60 * MIB)
    waiting = pool.submit(int, memory=40 * MIB)
    for memory in (1, 40 * MIB, 10_000 * MIB):
        with pytest.raises(Busy) as refused:
            pool.submit(int, memory=memory)
        assert isinstance(refused.value.retry_after, int)
        assert 1 <= refused.value.retry_after <= 30
    assert pool.declared == 100 * MIB
    gate.opened.set()
    assert (running.result(10), waiting.result(10)) == ("done", 0)
    assert eventually(lambda: pool.declared == 0)


def test_forty_at_once_never_pass_the_limit(gate: Gate) -> None:
    pool = HashPool(places=2, memory_limit=200 * MIB)
    seen: list[int] = []

    def rival(_: int) -> bool:
        try:
            future = pool.submit(gate.job, memory=50 * MIB)
        except Busy:
            return False
        seen.append(pool.declared)
        return future.result(20) == "done"

    with ThreadPoolExecutor(40) as rivals:
        answers = [rivals.submit(rival, number) for number in range(40)]
        assert eventually(lambda: sum(answer.done() for answer in answers) == 36)
        gate.opened.set()
        assert sum(answer.result(20) for answer in answers) == 4
    assert max(seen) <= 200 * MIB
    assert eventually(lambda: pool.declared == 0)


def test_small_declarations_are_bounded_in_number(gate: Gate) -> None:
    pool = HashPool(places=1, memory_limit=4 * LEAST_MEMORY)
    futures = [pool.submit(gate.job, memory=0) for _ in range(4)]
    with pytest.raises(Busy):
        pool.submit(gate.job, memory=0)
    gate.opened.set()
    assert [future.result(10) for future in futures] == ["done"] * 4


def test_a_job_larger_than_the_limit_runs_when_it_is_alone(gate: Gate) -> None:
    pool = HashPool(places=1, memory_limit=30 * MIB)
    large = pool.submit(gate.job, memory=128 * MIB)
    with pytest.raises(Busy):
        pool.submit(int, memory=1)
    gate.opened.set()
    assert large.result(10) == "done"


def test_a_cancelled_job_gives_its_place_back_and_never_runs(gate: Gate) -> None:
    pool = HashPool(places=1, memory_limit=100 * MIB)
    running = pool.submit(gate.job, memory=50 * MIB)
    assert gate.began.wait(10)
    ran: list[int] = []
    for _ in range(100):  # clients that come and go: nothing piles up
        waiting = pool.submit(ran.append, 1, memory=50 * MIB)
        assert waiting.cancel()
    assert pool.declared == 50 * MIB
    assert not running.cancel()
    gate.opened.set()
    assert running.result(10) == "done"
    assert pool.submit(len, ran, memory=1).result(10) == 0
    with pytest.raises(CancelledError):
        waiting.result(1)


@pytest.mark.parametrize("failure", [ZeroDivisionError, MemoryError, KeyboardInterrupt, SystemExit, StopIteration])
def test_what_a_job_raises_is_the_callers(failure: type[BaseException]) -> None:
    def fail() -> None:
        raise failure("here")

    pool = HashPool(places=1)
    with pytest.raises(failure, match="here"):
        pool.submit(fail, memory=1).result(10)
    assert pool.submit(int, memory=1).result(10) == 0  # the thread lives on
    assert eventually(lambda: pool.declared == 0)


# The two forms.


def forms() -> list[tuple[Hash, Callable[[Any], Any]]]:
    pool = HashPool(places=2)
    return [(BlockingHash(pool, CHEAP), finish), (AwaitingHash(pool, CHEAP), asyncio.run)]


@pytest.mark.parametrize(("port", "run"), forms(), ids=["blocking", "awaiting"])
def test_both_forms_keep_the_port(port: Hash, run: Callable[[Any], Any]) -> None:
    made = run(port.hash("right"))
    assert made != run(port.hash("right"))  # a salt of its own
    assert run(port.verify(password="right", hash=made)) is True
    assert run(port.verify(password="wrong", hash=made)) is False
    assert run(port.verify(password="wrong", hash="!")) is False
    assert run(port.verify(password="x" * 2000, hash=made)) is False
    assert run(port.work_of("salted_md5", "wrong")) is None
    assert run(port.work_of("rot13", "wrong")) is None
    assert not port.needs_rehash(made)
    assert port.needs_rehash("pbkdf2_sha256$1$salt$x")
    with pytest.raises(ValueError, match="1,024"):
        run(port.hash("x" * 1025))


@pytest.mark.parametrize("form", [BlockingHash, AwaitingHash])
def test_both_forms_are_busy_when_the_pool_is_full(form: type[BlockingHash | AwaitingHash], gate: Gate) -> None:
    pool = HashPool(places=1, memory_limit=20 * MIB)
    held = pool.submit(gate.job, memory=20 * MIB)
    port = form(pool, CHEAP)
    for story in (port.hash("a"), port.verify(password="a", hash=CHEAP.dummy("")), port.work_of("", "a")):
        with pytest.raises(Busy):
            finish(story)  # before anything is awaited
    assert not held.done()


class Recording(HashPool):
    """Remembers what was declared."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, memory: int) -> Future[Any]:
        self.asked = [*getattr(self, "asked", []), memory]
        return super().submit(fn, *args, memory=memory)


def test_each_format_declares_its_own_memory() -> None:
    pool = Recording(places=1)
    port = BlockingHash(pool, Passwords())
    for scheme in ("scrypt:16384,8,1", "argon2id:1024,1,1", "bcrypt:4"):
        finish(port.verify(password="a", hash=dummy_hash(scheme)))
        finish(port.work_of(scheme, "a"))
    finish(port.hash("a"))
    finish(port.verify(password="a", hash="!"))
    assert pool.asked == [16 * MIB, 16 * MIB, MIB, MIB, 64 << 10, 64 << 10, 19 * MIB, 19 * MIB]


class Noting(Passwords):
    """Notes whose work was done."""

    notes: ClassVar[list[str]] = []

    def work_of(self, scheme: str, password: str) -> None:
        self.notes.append(scheme)
        super().work_of(scheme, password)


@pytest.mark.parametrize("unusable", ["", "!", "*", "$2b$31$" + "." * 53])
def test_no_usable_password_takes_as_long_as_a_wrong_one(unusable: str) -> None:
    Noting.notes.clear()
    port = BlockingHash(HashPool(places=1), Noting(CHEAP.preferred))
    assert finish(port.verify(password="a", hash=unusable)) is False
    assert Noting.notes == ["argon2id:8,1,1"]


async def rounds_while_hashing(pool: HashPool) -> int:
    """How often the event loop comes round while four slow hashes are made."""
    port = AwaitingHash(pool, SLOW)
    work = asyncio.gather(*(port.hash("a") for _ in range(4)))
    rounds = 0
    while not work.done():
        await asyncio.sleep(0.002)
        rounds += 1
    assert all(made.startswith("$argon2id$") for made in await work)
    return rounds


def test_the_event_loop_goes_on_while_hashing() -> None:
    # On the loop's own thread it would come round four times.
    assert asyncio.run(rounds_while_hashing(HashPool(places=2, memory_limit=1024 * MIB))) > 20


def test_a_cancelled_caller_gives_its_place_back(gate: Gate) -> None:
    pool = HashPool(places=1, memory_limit=60 * MIB)
    held = pool.submit(gate.job, memory=20 * MIB)

    async def leave() -> None:
        for _ in range(20):
            caller = asyncio.create_task(AwaitingHash(pool, Passwords()).hash("a"))
            await asyncio.sleep(0.001)
            assert pool.declared == 39 * MIB
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            assert pool.declared == 20 * MIB

    asyncio.run(leave())
    assert not held.done()


def test_a_loop_that_closes_early_harms_nothing(gate: Gate) -> None:
    pool = HashPool(places=1)

    async def begin() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(pool.submit(gate.job, memory=1)), 0.05)

    asyncio.run(begin())
    gate.opened.set()
    assert pool.submit(int, memory=1).result(10) == 0
