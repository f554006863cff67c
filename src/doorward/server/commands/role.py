"""`doorward role`: which roles there are, and what they permit."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from doorward.core.call import Call
from doorward.core.demands import demand_named, demand_of_role
from doorward.features.roles import BOOK, add_role, permit, remove_role, shown
from doorward.server.commands.demanded import GRACE, SECOND_FACTOR
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports


@click.group("role")
def command() -> None:
    """Roles, and what they permit. `doorward user grant WHO ROLE` gives one."""


@command.command("add")
@CONFIG
@click.argument("name")
@click.argument("permissions", nargs=-1)
@reports
def add(output: Output, config: Path | None, name: str, permissions: tuple[str, ...]) -> None:
    """Make the role NAME, with PERMISSIONS such as orders.read."""
    made = run_story(config, lambda call: add_role(call, name, permissions))
    output.result(asdict(shown(made)), f"There is a role {name} now. Give it: doorward user grant WHO {name}")


@command.command("list")
@CONFIG
@reports
def list_roles(output: Output, config: Path | None) -> None:
    """Show all roles, and what they permit."""
    roles = [shown(role) for role in run_story(config, lambda call: BOOK.known(call.store))]
    if output.as_json:
        output.result({"items": [asdict(role) for role in roles], "next": None})
        return
    rows = [(role.name, "everything" if role.everything else " ".join(role.permissions)) for role in roles]
    output.table(("role", "permits"), rows)


@command.command("permit")
@CONFIG
@click.argument("name")
@click.argument("permissions", nargs=-1, required=True)
@click.option("--not", "fewer", is_flag=True, help="Take these permissions away from it.")
@reports
def permit_role(output: Output, config: Path | None, name: str, permissions: tuple[str, ...], fewer: bool) -> None:
    """Give the role NAME more permissions, or with --not fewer. All who have the role have them at once."""

    changes = {"fewer": permissions} if fewer else {"more": permissions}
    role = shown(run_story(config, lambda call: permit(call, name, **changes)))
    output.result(asdict(role), f"{name} permits now: {' '.join(role.permissions) or 'nothing'}")


@command.command("policy")
@CONFIG
@click.argument("name")
@SECOND_FACTOR
@GRACE
@reports
def policy(output: Output, config: Path | None, name: str, second_factor: str, grace_days: int) -> None:
    """Say what second factor all who have the role NAME must have, from their next sign-in on."""

    async def story(call: Call) -> None:
        await demand_of_role(call, name, demand_named(second_factor), grace=timedelta(days=grace_days))

    run_story(config, story)
    done = {"name": name, "second_factor": second_factor, "grace_days": grace_days}
    output.result(done, f"Second factor of all who have {name}: {second_factor}, from their next sign-in on.")


@command.command("remove")
@CONFIG
@click.argument("name")
@reports
def remove(output: Output, config: Path | None, name: str) -> None:
    """Remove the role NAME, also from all who have it."""
    holders = run_story(config, lambda call: remove_role(call, name))
    output.result({"name": name, "holders": holders}, f"Removed; {holders} had it.")
