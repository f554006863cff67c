"""The hash pool across processes: after a fork, at exit, and under gevent's monkey patching."""

import subprocess
import sys
import textwrap
import time


def run_script(script: str) -> str:
    """In a process of its own, which must end by itself."""
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return ran.stdout.strip()


def test_the_pool_works_again_after_a_fork_in_the_midst_of_work() -> None:
    script = """
        import os
        from doorward.core.finish import finish
        from doorward.cpu import BlockingHash, process_pool
        from doorward.primitives.hashing import Argon2id, Passwords
        port = BlockingHash(process_pool(), Passwords(Argon2id(memory_kib=1024, time_cost=1)))
        made = finish(port.hash("right"))
        busy = [process_pool().submit(sum, range(3_000_000), memory=1) for _ in range(4)]
        for _ in range(3):
            child = os.fork()
            if child == 0:
                fresh = process_pool().declared == 0
                right = finish(port.verify(password="right", hash=made))
                wrong = finish(port.verify(password="wrong", hash=made))
                os._exit(0 if (fresh, right, wrong) == (True, True, False) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print(len({job.result() for job in busy}), finish(port.verify(password="right", hash=made)))
    """
    assert run_script(script) == "1 True"


def test_a_child_that_exits_in_order_does_not_hang() -> None:
    script = """
        import os, sys
        from doorward.cpu import process_pool
        process_pool().submit(int, memory=1).result()
        child = os.fork()
        if child == 0:
            process_pool().submit(int, memory=1).result()
            sys.exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run_script(script) == "0"


def test_the_interpreter_exits_at_once_with_work_left() -> None:
    script = """
        import time
        from doorward.cpu import HashPool, process_pool
        from doorward.primitives.hashing import Passwords
        pool = HashPool(places=2)
        held = [pool.submit(time.sleep, 60, memory=1) for _ in range(4)]
        more = [process_pool().submit(Passwords().work_of, "", "a", memory=1) for _ in range(8)]
        print("end")
    """
    began = time.monotonic()
    assert run_script(script) == "end"
    assert time.monotonic() - began < 15


def test_under_gevent_real_threads_hash_and_the_hub_goes_on() -> None:
    script = """
        from gevent import monkey
        monkey.patch_all()
        import os, sys, gevent
        from doorward.core.finish import finish
        from doorward.core.ports import Busy
        from doorward.cpu import MIB, BlockingHash, HashPool
        from doorward.primitives.hashing import Argon2id, Passwords

        port = BlockingHash(pool := HashPool(places=2, memory_limit=400 * MIB), Passwords(Argon2id(65536, 4)))
        ticks = []

        def tick():
            while True:
                gevent.sleep(0.005)
                ticks.append(1)

        def sign_up():
            try:
                return finish(port.hash("right"))
            except Busy:
                return "busy"

        def fail():
            raise ZeroDivisionError

        gevent.spawn(tick)
        greenlets = [gevent.spawn(sign_up) for _ in range(10)]
        gevent.joinall(greenlets)
        made = [each.value for each in greenlets]
        assert made.count("busy") == 4, made
        assert len(ticks) > 20, ticks
        assert finish(port.verify(password="right", hash=made[0]))
        try:
            pool.submit(fail, memory=1).result()
        except ZeroDivisionError:
            assert pool.declared == 0
        if sys.platform == "linux":
            nice = [os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in os.listdir("/proc/self/task")]
            assert len(nice) == 3 and sorted(nice)[1:] == [10, 10], nice
        killed = gevent.spawn(sign_up)
        gevent.sleep(0.01)
        killed.kill()
        gevent.sleep(1)
        assert pool.declared == 0
        print("fine")
    """
    assert run_script(script) == "fine"
