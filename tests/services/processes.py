"""What the services have in common: free ports, servers that never outlive the tests, and what to do without one."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import pytest


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a server that is stopped by the kernel (on Linux) should the test process be killed."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=options.pop("stdout", subprocess.DEVNULL),
        stderr=subprocess.STDOUT,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        **options,
    )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # 1 is PR_SET_PDEATHSIG


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it as Ctrl-C would: PostgreSQL waits for idle connections for ever on SIGTERM."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 30) -> bool:
    """True as soon as the server answers, False when it has ended; TimeoutError when neither happens."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        if answers():
            return True
        time.sleep(0.02)
    raise TimeoutError(f"{process.args!r} did not answer within {seconds} s")


def missing(service: str, cure: str) -> NoReturn:
    """Skip, and say why; where CI is set a missing service is a failure."""
    message = f"{service} IS MISSING: {cure}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
