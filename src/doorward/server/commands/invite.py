"""`doorward invite`: a letter with a link, by which somebody comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from doorward.core.call import Call
from doorward.features.invitations import create, invite
from doorward.http.answers import plain
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports


@click.command("invite")
@CONFIG
@click.argument("email")
@click.option("--role", help="What they get when they accept.")
@click.option("--name", default="", help="As others see it; they can change it.")
@reports
def command(output: Output, config: Path | None, email: str, role: str | None, name: str) -> None:
    """Invite EMAIL: who gets the letter makes an account by its link, also where sign-up is closed. Who has one gets
    the role, once they have signed in."""
    given: dict[str, Any] = create.read({"email": email, "name": name, **({"role": role} if role else {})})

    async def story(call: Call) -> Any:
        return await plain(call, await invite(call, email=given["email"], role=given["role"] or "", name=given["name"]))

    made = run_story(config, story)
    output.result(made, f"{made['address']} is invited until {made['expires_at']} (id {made['id']}).")
