"""`doorward audit`: what happened to an account, or to all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from doorward.core.call import Call
from doorward.features.audit import trail
from doorward.http.answers import plain
from doorward.server import people
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports


@click.command("audit")
@CONFIG
@click.argument("who", required=False)
@click.option("--all", "everybody", is_flag=True, help="Of everybody, and of nobody who is known.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@reports
def command(output: Output, config: Path | None, who: str | None, everybody: bool, limit: int) -> None:
    """Show what happened to WHO, newest first: an id, an e-mail address or a user name.

    What happened to who is erased is there under a pseudonym, and nothing opens its details.
    """
    if (who is None) != everybody:
        raise click.UsageError("name one account, or say --all")

    async def story(call: Call) -> Any:
        user = None if who is None else await people.find(call, who)
        return await plain(call, await trail(call, user, limit=limit))

    found = run_story(config, story)
    if output.as_json:
        output.result({"items": found})
        return
    rows = [(one["at"], one["event"], one["user_id"] or one["subject"], _said(one["details"])) for one in found]
    output.table(("at", "event", "about", "details"), rows)


def _said(details: dict[str, Any]) -> str:
    return json.dumps(details, ensure_ascii=False) if details else ""
