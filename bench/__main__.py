"""`./dev bench [NAME …]`: what sign-in, session checks, tokens and refresh cost here, as ratios within one run.

Every comparison interleaves its programs round by round and prints medians. CPU is that of the server's whole process
tree, so neither the load client nor a busy machine counts for much; trust the ratios, not the absolute figures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.processes import Running, finished, running
from bench.servers import PASSWORD, SECRET
from bench.verifying import token_checks
from doorward.actions import sign_up, verify_email
from doorward.asgi import Auth
from doorward.core.records import OutboxMessage
from doorward.primitives.hashing import Passwords
from doorward.testing.doubles import MailBox

HOSTS = ("server", "starlette", "fastapi", "flask", "django")
ROUNDS, REQUESTS, SIGN_INS, REFRESHES, TOKENS = 5, 2_000, 40, 300, 500
FLOOD, WATCHERS, FLOOD_SECONDS = 64, 4, 6.0


def seed(folder: Path) -> None:
    """One user, made by a real sign-up, in the database that the program will open."""
    folder.mkdir(parents=True, exist_ok=True)
    mail = MailBox()
    auth = Auth(f"sqlite:///{folder}/bench.db", origin="http://localhost:1", secret=SECRET, mail=mail)
    mail.keyring = auth.doorward.world.keyring
    begun = auth.do(sign_up.sign_up, email="ann@example.com", password=PASSWORD)
    auth.do(verify_email.verify, code=mail.code(), attempt=begun.attempt)
    auth.run(lambda call: call.store.remove(OutboxMessage))  # or the program would send it
    auth.stores.close()


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table with its columns aligned; the first one to the left."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    print(f"\n{title}")
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  " + "  ".join(cells))


def cpu_per_request(program: Running, request: bytes, most: int, clients: int = 4) -> float:
    """Microseconds of processor time for one answer."""
    before = program.cpu()
    tally = program.load(request, clients=clients, seconds=120, most=max(most // clients, 1))
    wrong = {status: count for status, count in tally.statuses.items() if status != 200}
    assert not wrong, f"{program.name}: {wrong}"
    return (program.cpu() - before) / len(tally.waits) * 1e6


def interleaved(measures: dict[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """The median of each measure, taken in turn: A B C, A B C, …"""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for measure in measures.values():  # once to warm up
        measure()
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


def open_programs(stack: ExitStack, names: Sequence[str]) -> dict[str, Running]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doorward-bench-")))
    programs = {}
    for name in names:
        place = folder / name.replace(" ", "-")
        seed(place)
        programs[name] = stack.enter_context(running(name, place))
    return programs


def session() -> None:
    """The cost of a session check on each host, against a bare program on the same server."""
    with ExitStack() as stack:
        programs = open_programs(stack, ("bare asgi", "bare wsgi", *HOSTS))
        measures: dict[str, Callable[[], float]] = {}
        for name, program in programs.items():
            if name.startswith("bare"):
                request = program.request("GET", "/")
                measures[name] = lambda p=program, r=request: cpu_per_request(p, r, REQUESTS)
                continue
            answer, cookies = program.sign_in()
            del answer
            by_cookie = program.request("GET", "/auth/session", Cookie=cookies)
            measures[f"{name}, cookie"] = lambda p=program, r=by_cookie: cpu_per_request(p, r, REQUESTS)
            token = program.sign_in(issue="tokens")[0]["tokens"]["access_token"]
            by_bearer = program.request("GET", "/auth/session", Authorization=f"Bearer {token}")
            measures[f"{name}, bearer"] = lambda p=program, r=by_bearer: cpu_per_request(p, r, REQUESTS)
            if name not in ("server",):
                own = program.request("GET", "/hello")
                measures[f"{name}, its own hello"] = lambda p=program, r=own: cpu_per_request(p, r, REQUESTS)
        medians = interleaved(measures)
    rows = []
    for name, cost in medians.items():
        bare = medians["bare wsgi" if name.split(",")[0] in ("flask", "django", "bare wsgi") else "bare asgi"]
        rows.append((name, f"{cost:.0f}", f"{cost / bare:.1f}x"))
    table("Session check, CPU µs a request", ("program", "µs", "to bare"), rows)


def sign_in() -> None:
    """The cost of a whole sign-in against its raw hash, in turn."""
    passwords, salt = Passwords(), os.urandom(16)
    stored = passwords.hash(PASSWORD, salt=salt)

    def raw() -> float:
        began = time.process_time()
        for _ in range(SIGN_INS // 4):
            passwords.verify(password=PASSWORD, hash=stored)
        return (time.process_time() - began) / (SIGN_INS // 4) * 1e6

    body = {"identifier": "ann@example.com", "password": PASSWORD}
    with ExitStack() as stack:
        programs = open_programs(stack, HOSTS)
        measures: dict[str, Callable[[], float]] = {"raw hash": raw}
        for name, program in programs.items():
            request = program.request("POST", "/auth/sign-in/password", body=body)
            measures[name] = lambda p=program, r=request: cpu_per_request(p, r, SIGN_INS, clients=1)
        medians = interleaved(measures)
    raw_cost = medians["raw hash"]
    rows = [(name, f"{cost / 1000:.2f}", f"{cost / raw_cost:.3f}x") for name, cost in medians.items()]
    table("Whole sign-in, CPU ms", ("program", "ms", "to its raw hash"), rows)


def refresh() -> None:
    """The cost of a refresh with rotation, against a session check on the same program."""
    with ExitStack() as stack:
        programs = open_programs(stack, ("server", "flask"))
        measures: dict[str, Callable[[], float]] = {}
        for name, program in programs.items():
            measures[name] = _refresher(program)
        medians = interleaved(measures, rounds=3)
    table("Refresh with rotation, CPU µs", ("program", "µs"), [(n, f"{c:.0f}") for n, c in medians.items()])


def _refresher(program: Running) -> Callable[[], float]:
    held = {"token": program.sign_in(issue="tokens")[0]["tokens"]["refresh_token"]}

    def run() -> float:
        before = program.cpu()
        for _ in range(REFRESHES):
            status, answer, _ = program.ask("POST", "/auth/token/refresh", {"refresh_token": held["token"]})
            assert status == 200, answer
            held["token"] = answer["refresh_token"]
        return (program.cpu() - before) / REFRESHES * 1e6

    return run


def flood() -> None:
    """Session checks a second on one core, alone and beside 64 clients that sign in all the time."""
    rows = []
    with ExitStack() as stack:
        programs = open_programs(stack, ("server", "flask"))
        for name, program in programs.items():
            _, cookies = program.sign_in()
            check = program.request("GET", "/auth/session", Cookie=cookies)
            # For nobody: the work is that of a wrong password, and no account is closed by it.
            body = {"identifier": "nobody@example.com", "password": PASSWORD}
            request = program.request("POST", "/auth/sign-in/password", body=body)
            program.load(check, clients=WATCHERS, seconds=1)
            alone = program.load(check, clients=WATCHERS, seconds=FLOOD_SECONDS / 2)
            flooding = program.start_load(request, clients=FLOOD, seconds=FLOOD_SECONDS + 2)
            time.sleep(1.5)
            beside = program.load(check, clients=WATCHERS, seconds=FLOOD_SECONDS / 2)
            signed = finished(flooding)
            rows.append(
                (
                    name,
                    f"{alone.rate:.0f}",
                    f"{beside.rate:.0f}",
                    f"{beside.rate / alone.rate:.0%}",
                    f"{beside.wait(0.99):.0f}",
                    f"{signed.statuses.get(401, 0) / signed.seconds:.0f}",
                    str(signed.statuses.get(503, 0)),
                    f"{program.memory():.0f}",
                )
            )
    head = ("program", "alone/s", "in flood/s", "kept", "p99 ms", "sign-ins/s", "busy", "RSS MiB")
    table(f"Session checks beside {FLOOD} sign-in clients, one core", head, rows)


def tokens() -> None:
    """The cost of checking access tokens in a service, seen for the first time and again, against the JOSE library's
    own decoding and check of claims."""
    verify, seen, decode = token_checks(TOKENS)
    medians = interleaved({"the library alone": decode, "Verifier, first time": verify, "Verifier, again": seen})
    library = medians["the library alone"]
    rows = [(name, f"{cost:.1f}", f"{cost / library:.3f}x") for name, cost in medians.items()]
    table("Access token, CPU µs a check", ("who checks", "µs", "to the library"), rows)


def start() -> None:
    """Memory and start time, from nothing to the first answer."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder:
        for name in ("bare asgi", *HOSTS):
            place = Path(folder) / name.replace(" ", "-")
            seed(place)
            times, memory = [], 0.0
            for _ in range(3):
                with running(name, place) as program:
                    times.append(program.started_in)
                    memory = program.memory()
            rows.append((name, f"{statistics.median(times):.2f}", f"{memory:.0f}"))
    table("Start to first answer, and memory then", ("program", "s", "RSS MiB"), rows)


BENCHES = {"session": session, "sign_in": sign_in, "refresh": refresh, "flood": flood, "tokens": tokens, "start": start}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="which; all if none is named")
    for name in parser.parse_args().names or BENCHES:
        BENCHES[name]()


if __name__ == "__main__":
    main()
