"""`doorward user`: look up people and change what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.core.call import Call
from doorward.core.refusals import Misconfigured
from doorward.http.answers import moment, user_shape
from doorward.server import people
from doorward.server.commands.demanded import GRACE, SECOND_FACTOR
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports
from doorward.server.typed import new_password


@click.group("user")
def command() -> None:
    """Look up people and change what they may do. WHO is an id, an e-mail address or a user name."""


@command.command("add")
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

    made = run_story(config, story)
    output.result(made, f"{made['email']} can sign in now (id {made['id']}).")


@command.command("list")
@CONFIG
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--after", metavar="ID", help="Go on after this one: `next` of the list before.")
@reports
def list_users(output: Output, config: Path | None, limit: int, after: str | None) -> None:
    """Show users, newest first."""
    users, following = run_story(config, lambda call: people.page(call, limit=limit, after=after))
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


@command.command("show")
@CONFIG
@click.argument("who")
@reports
def show(output: Output, config: Path | None, who: str) -> None:
    """Show one user: addresses, ways to sign in, sessions."""
    found = run_story(config, lambda call: people.show(call, who))
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


@command.command("disable")
@CONFIG
@click.argument("who")
@reports
def disable(output: Output, config: Path | None, who: str) -> None:
    """Close an account: its sessions end, and nobody signs in to it."""
    done = run_story(config, lambda call: people.set_active(call, who, active=False))
    output.result(done, f"Closed; {done['sessions_ended']} sessions ended.")


@command.command("enable")
@CONFIG
@click.argument("who")
@reports
def enable(output: Output, config: Path | None, who: str) -> None:
    """Open an account again."""
    output.result(run_story(config, lambda call: people.set_active(call, who, active=True)), "Open again.")


@command.command("erase")
@CONFIG
@click.argument("who")
@click.option("--yes", is_flag=True, help="Do not ask.")
@reports
def erase(output: Output, config: Path | None, who: str, yes: bool) -> None:
    """Erase a user and everything about them, without the time in which people can keep their account. For good."""
    if not yes:
        shown = run_story(config, lambda call: people.show(call, who))
        click.confirm(f"Erase {shown['email'] or shown['username']} ({shown['id']}) for good?", abort=True, err=True)
    output.result(run_story(config, lambda call: people.erase(call, who)), "Erased.")


@command.command("end-sessions")
@CONFIG
@click.argument("who")
@reports
def end_sessions(output: Output, config: Path | None, who: str) -> None:
    """Sign a user out everywhere."""
    done = run_story(config, lambda call: people.sign_out(call, who))
    output.result(done, f"{done['sessions_ended']} sessions ended.")


@command.command("recover")
@CONFIG
@click.argument("who")
@click.option("--mail", is_flag=True, help="Mail the link to their main address, and do not print it.")
@reports
def recover(output: Output, config: Path | None, who: str, mail: bool) -> None:
    """Help WHO, who lost a password or second factor and is who they say: print a link that opens once. Whoever holds
    it sets these up anew. All addresses are told, and can stop it."""
    made = run_story(config, lambda call: people.recover(call, who, mail=mail))
    until = moment(made.expires_at)
    told = [f"Hand this over by a way you trust. It opens once, before {until}:", made.link]
    output.result({"link": made.link, "expires_at": until}, *(told if made.link else ["The letter is on its way."]))


@command.command("grant")
@CONFIG
@click.argument("who")
@click.argument("role")
@reports
def grant(output: Output, config: Path | None, who: str, role: str) -> None:
    """Give a user a role; `admin` is the one that permits everything."""
    done = run_story(config, lambda call: people.grant_role(call, who, role))
    output.result(done, f"Roles now: {', '.join(done['roles'])}.")


@command.command("revoke")
@CONFIG
@click.argument("who")
@click.argument("role")
@reports
def revoke(output: Output, config: Path | None, who: str, role: str) -> None:
    """Take a role away from a user."""
    done = run_story(config, lambda call: people.revoke_role(call, who, role))
    output.result(done, f"Roles now: {', '.join(done['roles']) or 'none'}.")


@command.command("policy")
@CONFIG
@click.argument("who")
@SECOND_FACTOR
@GRACE
@reports
def policy(output: Output, config: Path | None, who: str, second_factor: str, grace_days: int) -> None:
    """Say what second factor WHO must have, beside what is demanded of everybody. The strictest holds."""
    done = run_story(config, lambda call: people.demand(call, who, second_factor, grace_days))
    output.result(done, f"Second factor of {who}: {second_factor}; {done['sessions_ended']} sessions without it ended.")


@command.command("addresses")
@CONFIG
@click.argument("who")
@reports
def addresses(output: Output, config: Path | None, who: str) -> None:
    """Show the e-mail addresses and the phone number somebody signs in by."""
    found = run_story(config, lambda call: people.addresses(call, who))
    if output.as_json:
        output.result(found)
        return
    rows = [(one["email"], "main" if one["primary"] else "", _shown(one["verified"])) for one in found["items"]]
    output.table(("address", "", "verified"), [*rows, *([(found["phone"], "", "yes")] if found["phone"] else [])])


@command.command("add-address")
@CONFIG
@click.argument("who")
@click.argument("email")
@reports
def add_address(output: Output, config: Path | None, who: str, email: str) -> None:
    """Give WHO another e-mail address, which you vouch for. All addresses are told."""
    found = run_story(config, lambda call: people.add_address(call, who, email))
    output.result(found, f"They can sign in by {email}, too.")


@command.command("phone")
@CONFIG
@click.argument("who")
@click.argument("number", required=False)
@click.option("--remove", is_flag=True, help="Take the number away.")
@reports
def phone(output: Output, config: Path | None, who: str, number: str | None, remove: bool) -> None:
    """Give WHO the phone number NUMBER, which you vouch for: they can sign in by it."""
    if remove == (number is not None):
        raise Misconfigured("user.E2", "give the number, or --remove")
    done = run_story(config, lambda call: people.set_phone(call, who, number))
    output.result(done, f"They can sign in by {done['phone']}." if done["phone"] else "They have no phone number now.")
