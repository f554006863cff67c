"""`doorward hashes`: what passwords are stored as."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.core.records import User
from doorward.features.password_hashes import count_schemes, wrap_all
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports


@click.group("hashes")
def command() -> None:
    """What passwords are stored as."""


@command.command("list")
@CONFIG
@reports
def list_schemes(output: Output, config: Path | None) -> None:
    """Count the stored passwords by scheme."""
    users = run_story(config, lambda call: call.store.count(User))
    with output.progress("counting", users) as tick:
        counts = run_story(config, lambda call: count_schemes(call, tick))
    if output.as_json:
        output.result({"schemes": dict(counts.most_common())})
    else:
        output.table(("scheme", "passwords"), [(name, f"{count:,}") for name, count in counts.most_common()])


@command.command("wrap")
@CONFIG
@click.option("--dry-run", is_flag=True, help="Count what would be wrapped, and change nothing.")
@reports
def wrap(output: Output, config: Path | None, dry_run: bool) -> None:
    """Put weak old hashes under argon2id, without anybody's password. Safe to stop, to run again, and beside a server.

    Weak are MD5, SHA-1, SHA-256 and SHA-512 with or without salt, DES crypt, md5-crypt, phpass, and PBKDF2 with few
    rounds. Nobody is signed out; who signs in next gets a plain argon2id hash.
    """
    users = run_story(config, lambda call: call.store.count(User))
    with output.progress("wrapping", users) as tick:
        done = run_story(config, lambda call: wrap_all(call, dry_run=dry_run, tick=tick))
    total = done.wrapped.total()
    output.result(
        {
            "dry_run": dry_run,
            "users": done.users,
            "wrapped": dict(done.wrapped),
            "overtaken": done.overtaken,
            "left": done.left,
        },
        f"{total:,} of {done.users:,} passwords {'would be' if dry_run else 'are'} wrapped.",
        *(f"{count:,} {name}" for name, count in done.wrapped.most_common()),
        *([f"{done.overtaken:,} were changed meanwhile, and are left as they are."] if done.overtaken else []),
        *([f"{done.left:,} can't be wrapped, and stay until their owners sign in."] if done.left else []),
    )
