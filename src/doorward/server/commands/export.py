"""`doorward export`: the whole installation as one file."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.core.call import Call
from doorward.server.moving import Left, leave
from doorward.server.moving.leaving import TO_PIPE
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports

WHOSE = "It holds everybody's addresses and hashes: keep it as you keep the database, and SECRET elsewhere."


@click.command("export")
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--with-sessions",
    is_flag=True,
    help="Sessions, refresh tokens and trusted browsers too.",
)
@reports
def command(output: Output, config: Path | None, file: Path, with_sessions: bool) -> None:
    """Write every record of the installation to FILE as JSON Lines; `-` is standard output.

    It is one state of the database, whatever is written meanwhile. FILE appears when it is whole. Run again after an
    interruption; it begins anew."""
    if output.as_json and file == TO_PIPE:
        raise click.UsageError("with --json, standard output has the outcome; name a file")
    with output.counted("exporting") as (begin, tick):

        async def story(call: Call) -> Left:
            return await leave(call, file, sessions=with_sessions, begin=begin, tick=tick)

        left = run_story(config, story)
    number = sum(left.rows.values())
    if file == TO_PIPE:
        click.echo(f"{number:,} rows. {WHOSE}", err=True)
        return
    output.result(
        {"file": left.path, "rows": left.rows, "bytes": left.size, "sha256": left.sha256},
        f"{left.path}: {number:,} rows of {len(left.rows)} tables, {left.size:,} bytes.",
        WHOSE,
    )
