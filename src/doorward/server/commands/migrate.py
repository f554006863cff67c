"""`doorward migrate`: bring the database to this release."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.core.refusals import Misconfigured
from doorward.server.opening import CONFIG, installed
from doorward.server.output import Output, reports
from doorward.stores.migrations import migrate, pending
from doorward.stores.revision import head


@click.command("migrate")
@CONFIG
@reports
def command(output: Output, config: Path | None) -> None:
    """Bring the database to this release. Safe to run again, and from several places at once."""
    url = installed(config).settings.database_url
    if url == "memory:":
        raise Misconfigured("store.E4", "a database in memory has nothing to migrate; set DATABASE_URL")
    behind = pending(url)
    if behind:
        output.say(f"Migrating to revision {head()}…")
        migrate(url)
    done = "The database is migrated" if behind else "Nothing to do: the database is at"
    output.result(
        {"migrated": behind, "revision": head()},
        f"{done} revision {head()}.".replace("migrated rev", "migrated to rev"),
    )
