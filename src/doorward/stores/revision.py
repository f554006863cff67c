"""Which revision of the tables this release wants, and which one a database has; without loading Alembic."""

from __future__ import annotations

from functools import cache
from pathlib import Path

UNMIGRATED = "the database lacks tables or columns of this release; run `doorward migrate`"
INCOMPLETE = "the user table wants a value that sign-up does not have; give its column a default: "
VERSIONS = Path(__file__).parent / "migrations" / "versions"
TABLE = "doorward_version"
QUESTION = f"SELECT version_num FROM {TABLE}"  # noqa: S608 (a constant)


@cache
def head() -> str:
    """The newest revision of this release: the number that its file's name begins with."""
    return max(path.name.partition("_")[0].removeprefix("v") for path in VERSIONS.glob("v[0-9]*.py"))


def is_behind(installed: str | None) -> bool:
    """Whether `doorward migrate` has something to do. A database may be ahead: nodes of two releases share it."""
    return installed is None or installed < head()
