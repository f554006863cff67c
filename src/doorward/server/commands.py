"""The commands about people and letters: `doorward user`, `doorward admin`, `doorward worker`."""

from __future__ import annotations

import contextlib
import getpass
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from doorward.core.call import Call
from doorward.core.refusals import Misconfigured
from doorward.delivery import Outbox, OutboxThread, Upkeep, open_mail
from doorward.http.answers import moment, user_shape
from doorward.server import people
from doorward.server.opening import CONFIG, installed, operator
from doorward.server.output import PROBLEM, Output, reports

T = TypeVar("T")

MOST_AT_ONCE = 10_000  # letters
LONGEST_LINE = 8192  # characters of a password on standard input; the rules say less, and say it better


def _run(config: Path | None, story: Callable[[Call], Awaitable[T]]) -> T:
    runtime = operator(installed(config))
    try:
        return runtime.run(story)
    finally:
        runtime.stores.close()


@click.group("user")
def user() -> None:
    """Look up people and change what they may do. WHO is an id, an e-mail address or a user name."""


@user.command("add")
@CONFIG
@click.argument("email")
@click.option("--name", default="", help="As others see it.")
@click.option("--username", help="A second name to sign in by.")
@reports
def add(output: Output, config: Path | None, email: str, name: str, username: str | None) -> None:
    """Make an account for EMAIL, whose address you vouch for. The password is asked for, or comes by standard input."""
    password = new_password()

    async def story(call: Call) -> Mapping[str, Any]:
        made = await people.add(call, email=email, password=password, name=name, username=username)
        return await user_shape(call, made)

    made = _run(config, story)
    output.result(made, f"{made['email']} can sign in now (id {made['id']}).")


def new_password() -> str:
    """Never an argument: those stand in the list of processes and in the shell's history."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(LONGEST_LINE).rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise Misconfigured("user.E1", "the two passwords differ; nothing was changed")
    return password


@user.command("list")
@CONFIG
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--after", metavar="ID", help="Go on after this one: `next` of the list before.")
@reports
def list_users(output: Output, config: Path | None, limit: int, after: str | None) -> None:
    """Show users, newest first."""
    users, following = _run(config, lambda call: people.page(call, limit=limit, after=after))
    if output.as_json:
        output.result({"items": users, "next": following})
        return
    titles = ("id", "e-mail", "user name", "name", "may sign in", "since")
    rows = [
        (u["id"], u["email"] or "", u["username"] or "", u["name"], "yes" if u["active"] else "no", u["created_at"])
        for u in users
    ]
    output.table(titles, rows)
    if following:
        output.say(f"More: doorward user list --after {following}")


@user.command("show")
@CONFIG
@click.argument("who")
@reports
def show(output: Output, config: Path | None, who: str) -> None:
    """Show one user: addresses, ways to sign in, sessions."""
    found = _run(config, lambda call: people.show(call, who))
    if output.as_json:
        output.result(found)
        return
    rows = [(name, _shown(value)) for name, value in found.items() if name != "sessions"]
    rows += [("session", f"{row['last_seen_at']} {row['ip']} {row['user_agent']}") for row in found["sessions"]]
    output.table(("", ""), rows)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


@user.command("disable")
@CONFIG
@click.argument("who")
@reports
def disable(output: Output, config: Path | None, who: str) -> None:
    """Close an account: its sessions end, and nobody signs in to it."""
    done = _run(config, lambda call: people.set_active(call, who, active=False))
    output.result(done, f"Closed; {done['sessions_ended']} sessions ended.")


@user.command("enable")
@CONFIG
@click.argument("who")
@reports
def enable(output: Output, config: Path | None, who: str) -> None:
    """Open an account again."""
    output.result(_run(config, lambda call: people.set_active(call, who, active=True)), "Open again.")


@user.command("end-sessions")
@CONFIG
@click.argument("who")
@reports
def end_sessions(output: Output, config: Path | None, who: str) -> None:
    """Sign a user out everywhere."""
    done = _run(config, lambda call: people.sign_out(call, who))
    output.result(done, f"{done['sessions_ended']} sessions ended.")


@click.command("worker")
@CONFIG
@click.option("--once", is_flag=True, help="Try what is due now, and end.")
@reports
def worker(output: Output, config: Path | None, once: bool) -> int:
    """Send the letters that wait, with retries, and remove what is past its time. Any number of workers may run."""
    runtime = operator(installed(config))
    settings, world = runtime.settings, runtime.doorward.world
    outbox = Outbox(runtime.stores, world.keyring, open_mail(settings.smtp_url, settings.mail_from), world.clock)
    if once:
        done = outbox.deliver_once(MOST_AT_ONCE)
        output.result(
            asdict(done), f"{done.sent} sent, {done.postponed} wait for another try, {done.dropped} given up."
        )
        return PROBLEM if done.down else 0
    thread = OutboxThread(outbox, Upkeep(runtime.stores, world.seen, runtime.doorward.sweeps, world.clock))
    thread.post()
    output.result({"working": True}, "Sending letters as they come; Ctrl-C ends it.")
    wait_for_the_end()
    thread.close()
    return 0


def wait_for_the_end() -> None:
    """Until SIGTERM or Ctrl-C."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    with contextlib.suppress(KeyboardInterrupt):
        ending.wait()


@click.group("admin")
def admin() -> None:
    """The first way in, without mail."""


@admin.command("bootstrap")
@CONFIG
@click.argument("email")
@reports
def bootstrap(output: Output, config: Path | None, email: str) -> None:
    """Print a link that opens once: whoever holds it chooses a password for EMAIL. You vouch for the address."""
    made = _run(config, lambda call: people.invite(call, email=email))
    until = moment(made.expires_at)
    output.result(
        {"email": made.email, "link": made.link, "expires_at": until},
        f"Open this once, before {until}. Whoever has it first becomes {made.email}:",
        made.link,
    )
