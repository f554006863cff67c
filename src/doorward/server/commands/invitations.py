"""`doorward invitations`: those that wait, whoever sent them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from doorward.core.call import Call
from doorward.features.invitations import waiting, withdraw
from doorward.http.answers import plain
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports


@click.group("invitations")
def command() -> None:
    """Invitations that wait to be accepted. `doorward invite EMAIL` makes one."""


@command.command("list")
@CONFIG
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--after", metavar="ID", help="Go on after this one: `next` of the list before.")
@reports
def list_invitations(output: Output, config: Path | None, limit: int, after: str | None) -> None:
    """Show invitations, newest first, whoever sent them."""

    async def story(call: Call) -> Any:
        return await plain(call, await waiting(call, limit=limit, after=after))

    found = run_story(config, story)
    if output.as_json:
        output.result(found)
        return
    rows = [(one["id"], one["address"], one["name"], one["role"], one["expires_at"]) for one in found["items"]]
    output.table(("id", "address", "name", "role", "good until"), rows)
    if found["next"]:
        output.say(f"More: doorward invitations list --after {found['next']}")


@command.command("revoke")
@CONFIG
@click.argument("id")
@reports
def revoke(output: Output, config: Path | None, id: str) -> None:
    """Take an invitation back. ID is that of `doorward invitations list`."""

    async def story(call: Call) -> Any:
        return await plain(call, await withdraw(call, id))

    gone = run_story(config, story)
    output.result(gone, f"The invitation of {gone['address']} is good no more.")
