"""The `doorward` command. Exit codes: 0 well, 1 a problem was named, 2 wrong usage, 3 a package is missing."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from doorward import __version__
from doorward.core.refusals import Misconfigured
from doorward.server import doctor, serve, tls
from doorward.server.checks import CHECKS
from doorward.server.commands import admin, user, worker
from doorward.server.config import DATA, Installation, check_exposure, load, make_folder, parse_listen, write_private
from doorward.server.opening import CONFIG, installed, operator, sources_of
from doorward.server.output import PROBLEM, Output, reports
from doorward.server.template import config_text
from doorward.stores.migrations import migrate as migrate_database
from doorward.stores.migrations import pending
from doorward.stores.revision import head


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="doorward")
def cli() -> None:
    """Doorward: sign-in for Python web applications, and a server of its own.

    Settings come from options, DOORWARD_… in the environment, then a TOML file. Exit codes: 0 well, 1 a problem was
    found and named, 2 wrong usage, 3 a package is missing.
    """


def main() -> int:
    """Run the command line; the exit code."""
    try:
        cli.main(prog_name="doorward", standalone_mode=True)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else PROBLEM
    return 0


@cli.command("serve")
@CONFIG
@click.option("--listen", metavar="ADDRESS:PORT", help="Where to listen; 127.0.0.1:8000 unless set.")
@click.option("--origin", metavar="URL", help="What people see in their browser, such as https://auth.example.com.")
@click.option("--tls-cert", type=click.Path(path_type=Path), help="Certificate chain in PEM; HTTP/2 comes with it.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its unencrypted key in PEM.")
@click.option("--tls-dev", is_flag=True, help="Make a certificate for this machine, and say how to trust it.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--access-log", is_flag=True, help="Log each request, without its query.")
@reports
def serve_command(
    output: Output,
    config: Path | None,
    listen: str | None,
    origin: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_dev: bool,
    workers: int,
    access_log: bool,
) -> None:
    """Start the server.

    Without any settings it is for the first five minutes: ./doorward-data/ gets a secret and an SQLite database, the
    server listens on loopback, and letters are printed to the terminal.
    """
    if (tls_cert is None) != (tls_key is None) or (tls_dev and tls_cert is not None):
        raise click.UsageError("give --tls-cert together with --tls-key, or --tls-dev alone")
    has_tls = tls_dev or tls_cert is not None
    sources = sources_of(config, listen=listen, origin=origin)
    installation = load(sources, make=True, scheme="https" if has_tls else "http")
    address = parse_listen(installation.settings.listen)
    check_exposure(installation.settings, address, tls=has_tls)
    certificate = _certificate(installation, tls_cert, tls_key, tls_dev)
    plan = serve.Plan(
        options=installation.options, listen=address, tls=certificate, workers=workers, access_log=access_log
    )
    serve.check(plan, installation.settings)
    operator(installation).stores.close()  # what is wrong shows here, once, and not in each worker
    _greet(output, installation, plan)
    serve.run(plan, installation.settings)


def _certificate(installation: Installation, cert: Path | None, key: Path | None, dev: bool) -> tls.Tls | None:
    if dev:
        make_folder(DATA)
        return tls.development(DATA, installation.settings.origin, datetime.now(UTC))
    return tls.brought(cert, key) if cert is not None and key is not None else None


def _greet(output: Output, installation: Installation, plan: serve.Plan) -> None:
    settings = installation.settings
    notes = [*installation.notes]
    if not settings.smtp_url:
        notes.append("Letters are printed here; set SMTP_URL to send them.")
    if installation.data is not None:
        notes.append("This is for trying it out: `doorward init` writes a configuration to keep.")
    if plan.workers > 1 and not settings.redis_url and settings.database_url.startswith("sqlite"):
        notes.append("Each worker counts short-term limits for itself; set REDIS_URL to count together.")
    if plan.tls is not None and plan.tls.ca is not None:
        notes.append(tls.how_to_trust(plan.tls))
    start = {"origin": str(settings.origin), "listen": str(plan.listen), "notes": notes, "version": __version__}
    output.result(start, f"Doorward {__version__}: open {settings.origin}", *(f"  {line}" for line in notes))


@cli.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("doorward.toml"))
@click.option("--origin", metavar="URL", default="http://localhost:8000", show_default=True, help="What people see.")
@reports
def init(output: Output, path: Path, origin: str) -> None:
    """Write a commented configuration with a new secret to PATH; an existing file is never touched."""
    text = config_text(origin)
    try:
        written = write_private(path, text)
    except OSError as error:
        raise Misconfigured("config.E3", f"{path} can't be written: {error.strerror}") from None
    if not written:
        raise Misconfigured("config.E4", f"{path} exists already and stays as it is; name another file")
    output.result(
        {"path": str(path), "origin": origin},
        f"{path} is written, with a new secret: keep it private (it has mode 600), and back it up.",
        f"Then: doorward migrate --config {path} && doorward doctor --config {path} && doorward serve --config {path}",
    )


@cli.command()
@CONFIG
@reports
def migrate(output: Output, config: Path | None) -> None:
    """Bring the database to this release. Safe to run again, and from several places at once."""
    url = installed(config).settings.database_url
    if url == "memory:":
        raise Misconfigured("store.E4", "a database in memory has nothing to migrate; set DATABASE_URL")
    behind = pending(url)
    if behind:
        output.say(f"Migrating to revision {head()}…")
        migrate_database(url)
    done = "The database is migrated" if behind else "Nothing to do: the database is at"
    output.result(
        {"migrated": behind, "revision": head()},
        f"{done} revision {head()}.".replace("migrated rev", "migrated to rev"),
    )


@cli.command("doctor")
@CONFIG
@click.option("--tls-cert", type=click.Path(path_type=Path), help="As for `serve`.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="As for `serve`.")
@click.option("--tls-dev", is_flag=True, help="As for `serve`.")
@reports
def doctor_command(
    output: Output, config: Path | None, tls_cert: Path | None, tls_key: Path | None, tls_dev: bool
) -> int:
    """Look at the real configuration and name each thing that is wrong, with its cure. Exit code 1 if one is."""
    found = list(doctor.examine(sources_of(config), CHECKS, cert=tls_cert, key=tls_key, tls_dev=tls_dev))
    problems = sum(each.level == "problem" for each in found)
    if output.as_json:
        output.result({"ok": problems == 0, "findings": [doctor.as_json(each) for each in found]})
    else:
        marks = {"ok": "ok", "note": "note", "problem": "PROBLEM"}
        output.table(
            ("", "", ""), [(marks[f.level], f.check, f.found + (f"\n→ {f.cure}" if f.cure else "")) for f in found]
        )
        output.say(f"{problems} problem{'' if problems == 1 else 's'} found." if problems else "All is well.")
    return PROBLEM if problems else 0


cli.add_command(user)
cli.add_command(admin)
cli.add_command(worker)


if __name__ == "__main__":
    sys.exit(main())
