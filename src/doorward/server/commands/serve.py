"""`doorward serve`: start the server, and say where to go."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from doorward import __version__
from doorward.server import tls
from doorward.server.config import DATA, Installation, check_exposure, load, make_folder, parse_listen
from doorward.server.opening import CONFIG, operator, sources_of
from doorward.server.output import Output, reports
from doorward.server.program import Plan, check, run


@click.command("serve")
@CONFIG
@click.option("--listen", metavar="ADDRESS:PORT", help="Where to listen; 127.0.0.1:8000 unless set.")
@click.option("--origin", metavar="URL", help="What people see in their browser, such as https://auth.example.com.")
@click.option("--tls-cert", type=click.Path(path_type=Path), help="Certificate chain in PEM; HTTP/2 comes with it.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its unencrypted key in PEM.")
@click.option("--tls-dev", is_flag=True, help="Make a certificate for this machine, and say how to trust it.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--access-log", is_flag=True, help="Log each request, without its query.")
@reports
def command(
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
    plan = Plan(options=installation.options, listen=address, tls=certificate, workers=workers, access_log=access_log)
    check(plan, installation.settings)
    operator(installation).close()  # what is wrong shows here, once, and not in each worker
    _greet(output, installation, plan)
    run(plan, installation.settings)


def _certificate(installation: Installation, cert: Path | None, key: Path | None, dev: bool) -> tls.Tls | None:
    if dev:
        make_folder(DATA)
        return tls.development(DATA, installation.settings.origin, datetime.now(UTC))
    return tls.brought(cert, key) if cert is not None and key is not None else None


def _greet(output: Output, installation: Installation, plan: Plan) -> None:
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
