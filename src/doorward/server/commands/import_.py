"""`doorward import`: a whole installation from its file, or the users of another system."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import click

from doorward.core.call import Call
from doorward.core.refusals import Misconfigured
from doorward.server.moving import Arrived, arrive
from doorward.server.moving.arriving import size_of
from doorward.server.newcomers import Report, take_in
from doorward.server.opening import CONFIG, installed, run_story
from doorward.server.output import PROBLEM, Output, reports

SHOWN = 20  # of those who were here already; after a run that was stopped they are many
USERS_ONLY = "--check and --without-password belong to --users, --beside-others does not"


@click.command("import")
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--users", is_flag=True, help="FILE has users of another system, as JSON Lines or CSV.")
@click.option("--check", is_flag=True, help="With --users: say what would happen, and change nothing.")
@click.option("--without-password", is_flag=True, help="With --users: take in whose hash has an unknown format, too.")
@click.option("--beside-others", is_flag=True, help="Also into a database that has other users.")
@reports
def command(
    output: Output,
    config: Path | None,
    file: Path,
    users: bool,
    check: bool,
    without_password: bool,
    beside_others: bool,
) -> int:
    """Read what `doorward export` wrote into an empty database, while no server uses it. With --users: take in the
    users of another system, with their passwords.

    Safe to stop and to run again: nothing is doubled or lost. Exit code 1 if something could not be imported."""
    if beside_others if users else check or without_password:
        raise click.UsageError(USERS_ONLY)
    if users:
        return _users(output, config, file, check=check, without_password=without_password)
    return _installation(output, config, file, beside_others=beside_others)


def _installation(output: Output, config: Path | None, file: Path, *, beside_others: bool) -> int:
    with output.progress("importing", size_of(file)) as tick:

        async def story(call: Call) -> Arrived:
            return await arrive(call, file, beside_others=beside_others, tick=tick)

        arrived = run_story(config, story)
    number = sum(arrived.added.values())
    origin, was = str(installed(config).settings.origin), arrived.header.origin
    output.result(
        {"added": arrived.added, "there": arrived.there, "made_at": arrived.header.made_at},
        f"{number:,} rows are imported and compared with the file, which was made at {arrived.header.made_at}.",
        *([f"{arrived.there:,} were there already."] if arrived.there else []),
        *([] if arrived.header.sessions else ["Sessions did not move: everybody signs in once more."]),
        *([f"ORIGIN was {was} and is {origin}: what is bound to it is not good here."] if was != origin else []),
    )
    return 0


def _users(output: Output, config: Path | None, file: Path, *, check: bool, without_password: bool) -> int:
    with _opened(file) as opened, output.progress("reading", file.stat().st_size) as tick:

        async def story(call: Call) -> Report:
            return await take_in(call, opened, check=check, without_password=without_password, tick=tick)

        report = run_story(config, story)
    would = "would be" if check else "are"
    output.result(_as_json(report, check=check), f"{report.taken:,} users {would} imported.", *_sentences(report))
    return PROBLEM if report.bad else 0


def _opened(file: Path) -> io.BufferedReader:
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Misconfigured("users.E1", f"{file} can't be read: {error.strerror}; name a file") from None
    if not opened.seekable():
        opened.close()
        raise Misconfigured("users.E1", f"{file} is a pipe; write it to a file, which can be read again")
    return opened


def _as_json(report: Report, *, check: bool) -> dict[str, Any]:
    return {
        "check": check,
        "imported": report.taken,
        "there": [{"line": number, "why": why} for number, why in report.there],
        "bad": [{"line": number, "why": why} for number, why in report.bad],
        "schemes": dict(report.schemes.most_common()),
        "weak": report.weak,
        "without_password": report.without_password,
        "unknown_hashes": report.unknown_hashes,
        "unread": dict(report.unread.most_common()),
    }


def _sentences(report: Report) -> list[str]:
    said = [f"{count:,} {scheme}" for scheme, count in report.schemes.most_common()]
    if report.without_password:
        unknown = f", {report.unknown_hashes:,} of them for a hash of unknown format" if report.unknown_hashes else ""
        said.append(f"{report.without_password:,} without a password{unknown}: they choose one by «forgot password».")
    if report.weak:
        said.append(f"{report.weak:,} have weak hashes: `doorward hashes wrap` puts them under argon2id now.")
    if report.unread:
        said.append("Not read: " + ", ".join(f"{name!r}" for name, _ in report.unread.most_common(20)))
    if report.there:
        said.append(f"{len(report.there):,} were here already, and stay as they are:")
        said += [f"  line {number}: {why}" for number, why in report.there[:SHOWN]]
        said += ["  … (--json names them all)"] if len(report.there) > SHOWN else []
    if report.bad:
        said.append(f"{len(report.bad):,} can't be imported; mend them and run again:")
        said += [f"  line {number}: {why}" for number, why in report.bad]
    return said
