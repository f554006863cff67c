"""`doorward service`: accounts for programs, which nobody can sign in to."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.core.call import Call
from doorward.http.answers import user_shape
from doorward.server import programs
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports


@click.group("service")
def command() -> None:
    """Accounts for programs: no password, no address, no way in but API keys."""


@command.command("add")
@CONFIG
@click.argument("name")
@reports
def add(output: Output, config: Path | None, name: str) -> None:
    """Make a service account. NAME is unique among people and services: 3 to 64 letters, digits, dots, hyphens."""

    async def story(call: Call) -> dict[str, object]:
        return await user_shape(call, await programs.add_service(call, name=name))

    made = run_story(config, story)
    how = f"doorward api-key create {name} --name … --scope …"
    output.result(made, f"{name} is there (id {made['id']}). Give it a key: {how}")


@command.command("list")
@CONFIG
@reports
def list_services(output: Output, config: Path | None) -> None:
    """Show the service accounts, newest first."""
    found = run_story(config, programs.services)
    if output.as_json:
        output.result({"items": found, "next": None})
        return
    rows = [
        (row["id"], row["name"], "yes" if row["active"] else "no", str(row["keys"]), row["created_at"]) for row in found
    ]
    output.table(("id", "name", "open", "keys", "since"), rows)


@command.command("disable")
@CONFIG
@click.argument("who")
@reports
def disable(output: Output, config: Path | None, who: str) -> None:
    """Close a service account: all its keys end. `doorward user enable` opens it again, without them."""
    closed = run_story(config, lambda call: programs.disable_service(call, who))
    output.result(closed, f"{closed['name']} is closed, and its keys are ended.")
