"""Passwords that operators type: never an argument, which would stand in the list of processes."""

from __future__ import annotations

import getpass
import sys

from doorward.core.refusals import Misconfigured

LONGEST_LINE = 8192  # characters of a password on standard input; the rules say less, and say it better


def password_typed() -> str:
    """Asked for at a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline(LONGEST_LINE).rstrip("\r\n")


def new_password() -> str:
    """The same, twice at a terminal."""
    password = password_typed()
    if sys.stdin.isatty() and getpass.getpass("Once more: ") != password:
        raise Misconfigured("user.E1", "the two passwords differ; nothing was changed")
    return password
