"""`doorward api-key`: keys for programs, of people and of services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from doorward.core.call import Call
from doorward.http.answers import plain
from doorward.server import programs
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports

DAY = 86_400  # seconds


@click.group("api-key")
def command() -> None:
    """Keys for programs. WHO is an id, an e-mail address or a user name, of a person or a service."""


@command.command("create")
@CONFIG
@click.argument("who")
@click.option("--name", required=True, help="What the key is for, as lists show it.")
@click.option("--scope", "scopes", required=True, multiple=True, help="What it may be used for; give it several times.")
@click.option("--expires", metavar="DAYS", type=click.IntRange(min=1), help="As long as the policy allows, unless set.")
@reports
def create(
    output: Output, config: Path | None, who: str, name: str, scopes: tuple[str, ...], expires: int | None
) -> None:
    """Make a key and print it, this once. Its owner is told."""
    seconds = None if expires is None else expires * DAY

    async def story(call: Call) -> Any:
        return await plain(call, await programs.new_key(call, who, name=name, scopes=scopes, expires_in=seconds))

    made = run_story(config, story)
    output.result(made, f"Keep it now, it is shown this once. It ends on {made['expires_at']}.", made["key"])


@command.command("list")
@CONFIG
@click.argument("who")
@reports
def list_keys(output: Output, config: Path | None, who: str) -> None:
    """Show somebody's keys, newest first, without their secrets."""
    found = run_story(config, lambda call: programs.keys(call, who))
    if output.as_json:
        output.result({"items": found, "next": None})
        return
    rows = [
        (k["id"], k["name"], f"{k['prefix']}…", " ".join(k["scopes"]), k["last_used_at"] or "never", k["expires_at"])
        for k in found
    ]
    output.table(("id", "name", "key", "scopes", "last used", "ends"), rows)


@command.command("revoke")
@CONFIG
@click.argument("id")
@reports
def revoke(output: Output, config: Path | None, id: str) -> None:
    """End a key at once. ID is that of `doorward api-key list`."""
    ended = run_story(config, lambda call: programs.revoke_key(call, id))
    output.result(ended, f"{ended['name']} is ended.")
