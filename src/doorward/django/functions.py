"""SQL functions, for the indexes of a project's user table: `models.Index(AsciiLower("email"), name=…)`."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Lower


class AsciiLower(Lower):
    """`lower` of ASCII letters only, as SQLite's is: by the rules of a language, other letters would become ASCII
    ones, and one user's address another's (CVE-2019-19844)."""

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='LOWER(%(expressions)s COLLATE "C")', **context)
