"""What every command begins with: its settings from wherever they are, and the core for an operator's hands."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from doorward.assembly import Runtime
from doorward.core.call import Call
from doorward.server.config import Installation, Sources, load, read_sources
from doorward.surroundings import Surroundings

T = TypeVar("T")

CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    help="TOML file with settings; DOORWARD_CONFIG names it too.",
)


def sources_of(config: Path | None, **given: Any) -> Sources:
    """Options, the environment and the file, unparsed."""
    return read_sources(given, os.environ, config)


def installed(config: Path | None) -> Installation:
    """The installation that a command works on. Nothing is made for it."""
    return load(sources_of(config))


def operator(installation: Installation) -> Runtime:
    """The core, for commands: no request, nobody signed in."""
    runtime = Runtime(installation.options)
    runtime.assemble((), Surroundings())
    return runtime


def run_story(config: Path | None, story: Callable[[Call], Awaitable[T]]) -> T:
    """A story in an installation that is opened for it, and closed."""
    runtime = operator(installed(config))
    try:
        return runtime.run(story)
    finally:
        runtime.close()
