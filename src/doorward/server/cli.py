"""The `doorward` command. Exit codes: 0 well, 1 a problem was named, 2 wrong usage, 3 a package is missing."""

from __future__ import annotations

import os
from importlib import import_module
from keyword import iskeyword

import click

from doorward import __version__
from doorward.server.output import PROBLEM

COMMANDS = {
    "serve": "Start the server.",
    "init": "Write a commented configuration with a new secret.",
    "migrate": "Bring the database to this release.",
    "worker": "Send the letters that wait.",
    "user": "Look up people and change what they may do.",
    "service": "Accounts for programs, which nobody can sign in to.",
    "api-key": "Keys for programs, of people and of services.",
    "invite": "Invite somebody by mail.",
    "invitations": "Invitations that wait to be accepted.",
    "role": "Roles, and what they permit.",
    "admin": "The first way in, without mail.",
    "breached": "Filters of passwords that attackers try first.",
    "audit": "What happened to an account, or to all of them.",
    "keys": "Look at the keys that sign access tokens, and replace them.",
    "secrets": "Which keys of SECRET are needed, and how an older one may go.",
    "hashes": "What passwords are stored as.",
    "export": "Write the whole installation to a file.",
    "import": "Read such a file, or take in the users of another system.",
    "doctor": "Name each thing that is wrong, with its cure.",
}


class Commands(click.Group):
    """Commands by name; their modules are loaded one at a time, so that `serve` starts without what `doctor` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        found: click.Command = import_module(f"doorward.server.commands.{module}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="doorward")
def cli() -> None:
    """Doorward: sign-in for Python web applications, and a server of its own.

    Settings come from options, DOORWARD_… in the environment, then a TOML file. Exit codes: 0 well, 1 a problem was
    found and named, 2 wrong usage, 3 a package is missing.
    """
    os.umask(0o077)  # a database or a key that is made here is its maker's alone


def main() -> int:
    """Run the command line; the exit code."""
    try:
        cli.main(prog_name="doorward", standalone_mode=True)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else PROBLEM
    return 0
