"""`doorward init`: write a configuration to keep."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.core.refusals import Misconfigured
from doorward.server.config import write_private
from doorward.server.output import Output, reports
from doorward.server.template import config_text


@click.command("init")
@click.argument("path", type=click.Path(path_type=Path), default=Path("doorward.toml"))
@click.option("--origin", metavar="URL", default="http://localhost:8000", show_default=True, help="What people see.")
@reports
def command(output: Output, path: Path, origin: str) -> None:
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
