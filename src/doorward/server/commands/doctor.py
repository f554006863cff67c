"""`doorward doctor`: name each thing that is wrong, with its cure."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.server import doctor
from doorward.server.checks import CHECKS
from doorward.server.opening import CONFIG, sources_of
from doorward.server.output import PROBLEM, Output, reports

MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


@click.command("doctor")
@CONFIG
@click.option("--tls-cert", type=click.Path(path_type=Path), help="As for `serve`.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="As for `serve`.")
@click.option("--tls-dev", is_flag=True, help="As for `serve`.")
@reports
def command(output: Output, config: Path | None, tls_cert: Path | None, tls_key: Path | None, tls_dev: bool) -> int:
    """Look at the real configuration and name each thing that is wrong, with its cure. Exit code 1 if one is."""
    found = list(doctor.examine(sources_of(config), CHECKS, cert=tls_cert, key=tls_key, tls_dev=tls_dev))
    problems = sum(each.level == "problem" for each in found)
    if output.as_json:
        output.result({"ok": problems == 0, "findings": [doctor.as_json(each) for each in found]})
    else:
        rows: list[tuple[str, str, str]] = []
        for each in found:
            rows.append((MARKS[each.level], each.check, each.found))
            rows += [("", "", f"→ {each.cure}")] if each.cure else []
        output.table(("", "", ""), rows)
        output.say(f"{problems} problem{'' if problems == 1 else 's'} found." if problems else "All is well.")
    return PROBLEM if problems else 0
