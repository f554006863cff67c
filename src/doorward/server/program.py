"""Runs the server: granian with an application for each worker, limits on what a client may hold, and a clean stop."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server import Server as Granian

from doorward.asgi import Auth
from doorward.core.refusals import Misconfigured
from doorward.core.settings import Settings
from doorward.server.app import Server
from doorward.server.config import Listen
from doorward.server.idle import end_idle
from doorward.server.tasks import Clocks, Job, Tasks
from doorward.server.tls import Tls

HEADER_SECONDS = 20  # for a request's header, and for a connection between two requests
SILENT_SECONDS = 20  # for everything that granian does not count; looked at every few seconds
LOOK_EVERY = 4
LONGEST_HEADER = 64 * 1024  # bytes
STREAMS = 100  # of one HTTP/2 connection, as RFC 9113 §6.5.2 asks for at least
CONNECTIONS = 4096  # of one worker; more wait
STOP_SECONDS = 15  # for requests under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to serve. `options` are settings as they were given, so that another process can read them again."""

    options: Mapping[str, Any] = field(repr=False)
    listen: Listen
    tls: Tls | None = None
    workers: int = 1
    access_log: bool = False


def check(plan: Plan, settings: Settings) -> None:
    """Refuse what can't work with this server. Raises `Misconfigured`."""
    if settings.token_algorithm == "HS256":
        raise Misconfigured("server.E5", "TOKEN_ALGORITHM HS256 can be checked by nobody else (rule 24); choose ES256")
    if plan.workers > 1 and settings.database_url in ("memory:", "sqlite://", "sqlite:///:memory:"):
        raise Misconfigured("server.E6", "each worker would have a database of its own; set DATABASE_URL to a file")

    try:
        family = socket.AF_INET6 if ":" in plan.listen.host else socket.AF_INET
        socket.create_server((plan.listen.host, plan.listen.port), family=family).close()
    except OSError as error:
        cure = "end the other program, or choose another LISTEN"
        raise Misconfigured("server.E7", f"can't listen on {plan.listen}: {error.strerror}; {cure}") from None


def run(plan: Plan, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    program = Granian(
        target="doorward",
        address=plan.listen.host,
        port=plan.listen.port,
        interface=Interfaces.ASGI,
        workers=plan.workers,
        # In the clear nobody speaks HTTP/2, and a client that says nothing would never be told apart.
        http=HTTPModes.auto if plan.tls else HTTPModes.http1,
        websockets=False,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=LONGEST_HEADER),
        http2_settings=HTTP2Settings(
            keep_alive_interval=10_000,
            keep_alive_timeout=10,
            max_concurrent_streams=STREAMS,
            max_headers_size=LONGEST_HEADER,
        ),
        log_level=LogLevels.debug if settings.log_level == "debug" else LogLevels.warning,
        log_access=plan.access_log,
        ssl_cert=plan.tls.cert if plan.tls else None,
        ssl_key=plan.tls.key if plan.tls else None,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    program.serve(target_loader=partial(application, plan), wrap_loader=False)


def application(plan: Plan) -> Server:
    """What one worker runs."""
    auth = Auth(**plan.options)
    log_to_terminal(auth.settings.log_level)
    jobs = [Job("silent connections", LOOK_EVERY, partial(end_idle, plan.listen.port, seconds=SILENT_SECONDS))]
    proxies_only = plan.tls is None and not plan.listen.is_loopback
    return Server(auth, Tasks(jobs, clocks=Clocks(auth.settings.database_url)), proxies_only=proxies_only)


def log_to_terminal(level: str) -> None:
    """Our log lines, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    ours = logging.getLogger("doorward")
    ours.handlers[:] = [handler]
    ours.setLevel(level.upper())
    ours.propagate = False
