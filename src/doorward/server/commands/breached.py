"""`doorward breached`: filters of passwords that attackers try first."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from doorward import actions
from doorward.breaches import open_filter
from doorward.core.call import Call
from doorward.features.password_check import PasswordChecked
from doorward.features.password_rules import common_passwords
from doorward.server import filters
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import PROBLEM, Output, reports
from doorward.server.typed import password_typed


@click.group("breached")
def command() -> None:
    """Filters of passwords that attackers try first, beside the one that ships."""


@command.command("build")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--output", "target", type=click.Path(path_type=Path, dir_okay=False), default=Path("breached.bloom"))
@click.option(
    "--bits", type=click.FloatRange(4, 64), default=filters.BITS_PER_ITEM, show_default=True, help="An entry."
)
@click.option("--shortest", type=click.IntRange(1, 64), default=filters.SHORTEST, show_default=True, help="Of words.")
@reports
def build(output: Output, file: Path, target: Path, bits: float, shortest: int) -> None:
    """Make a filter of FILE: words, one a line, or `SHA1HASH:count` lines as Pwned Passwords are exported.

    Killed and run again it goes on where it was. Name what it writes in BREACHED_FILTER.
    """
    whole = 2 * file.stat().st_size if file.exists() else None
    with output.progress(f"reading {file.name} twice", whole) as tick:
        built = filters.build(file, target, bits_per_item=bits, shortest=shortest, tick=tick)
    output.result(
        asdict(built),
        f"{built.path}: {built.entries:,} entries ({built.kind}), {built.size:,} bytes.",
        f"{built.left_out:,} lines are left out: they are too short, too long or no entries.",
        f"Another password is taken for one of them with a chance of {built.chance:.4%}.",
        f"Set BREACHED_FILTER to {target.resolve()} and restart.",
    )


@command.command("check")
@CONFIG
@reports
def check(output: Output, config: Path | None) -> int:
    """Say whether a password would be taken, and why not. Exit code 1 if it is in a breach.

    It is asked for, or comes by standard input."""
    password = password_typed()

    async def story(call: Call) -> PasswordChecked:
        return await actions.password_check.check.run(call, **actions.password_check.check.read({"password": password}))

    found = run_story(config, story)
    said = [remark.detail for remark in (*found.reasons, *found.warnings)]
    output.result(asdict(found), "It would be taken." if found.accepted else "It would not be taken.", *said)
    return PROBLEM if found.breached else 0


@command.command("measure")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--texts", type=click.IntRange(1), default=500_000, show_default=True, help="Random ones to try.")
@reports
def measure(output: Output, file: Path | None, texts: int) -> None:
    """Measure how often a filter, or the one that ships, takes a random text for one of its entries."""
    bloom = (open_filter(file) if file else None) or common_passwords()
    with output.progress("measuring", texts) as tick:
        found = filters.measure(bloom, texts=texts, tick=tick)
    output.result(
        {"texts": found.texts, "taken": found.taken, "share": found.share, "expected": bloom.chance()},
        f"{found.taken:,} of {found.texts:,} random texts are taken for entries: {found.share:.4%}. "
        f"By the bits that are set it should be {bloom.chance():.4%}.",
    )
