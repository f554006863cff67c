"""`doorward admin`: the first way in."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.http.answers import moment
from doorward.server import people
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports


@click.group("admin")
def command() -> None:
    """The first way in, without mail."""


@command.command("bootstrap")
@CONFIG
@click.argument("email")
@reports
def bootstrap(output: Output, config: Path | None, email: str) -> None:
    """Print a link that opens once: whoever holds it chooses a password for EMAIL, and has the role admin. You vouch
    for the address. Who has an account already: `doorward user grant EMAIL admin`."""
    made = run_story(config, lambda call: people.invite(call, email=email))
    until = moment(made.expires_at)
    output.result(
        {"email": made.email, "link": made.link, "expires_at": until},
        f"Open this once, before {until}. Whoever has it first becomes {made.email}:",
        made.link,
    )
