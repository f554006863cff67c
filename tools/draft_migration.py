"""Draft a migration out of what the records have become: `python tools/draft_migration.py 0002 outbox_priority URL`.

URL is a migrated PostgreSQL database (SQLite can't show the indexes on expressions that it has). Without arguments one
first migration is written in the place of all there are, which is right only before the first release. Read and
correct the draft: Alembic knows nothing of renamed columns and of data that has to be moved.
"""

import re
import subprocess
import sys
from dataclasses import fields

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops

from doorward.core.doorward import records_of
from doorward.limits.store import LimitWindow
from doorward.presets import standard
from doorward.stores import migrations
from doorward.stores.revision import TABLE, VERSIONS
from doorward.stores.tables import metadata_for

NAMED = re.compile(r"op\.f\(('[^']*')\)")
PAGE = '''"""{sentence}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "{number}"
down_revision = {before}


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''


def first(metadata: sa.MetaData) -> tuple[ops.UpgradeOps, ops.DowngradeOps]:
    """All tables, from nothing."""
    made: list[ops.MigrateOperation] = []
    for table in metadata.sorted_tables:
        made.append(ops.CreateTableOp.from_table(table))
        made += [ops.CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=lambda index: index.name)]
    dropped = [ops.DropTableOp(table.name) for table in reversed(metadata.sorted_tables)]
    return ops.UpgradeOps(made), ops.DowngradeOps(dropped)


def since(metadata: sa.MetaData, url: str) -> tuple[ops.UpgradeOps, ops.DowngradeOps]:
    """What differs from that database."""
    options = {"target_metadata": metadata, "compare_type": True, "version_table": TABLE}
    with migrations.connected(url) as connection:
        context = MigrationContext.configure(connection, opts=options)
        script = produce_migrations(context, metadata)
    for added in columns_added(script.upgrade_ops):
        added.column.server_default = default_of(added.table_name, added.column)
    return script.upgrade_ops, script.downgrade_ops


def columns_added(operations: ops.OpContainer) -> list[ops.AddColumnOp]:
    inner = [part for part in operations.ops if isinstance(part, ops.OpContainer)]
    here = [part for part in operations.ops if isinstance(part, ops.AddColumnOp)]
    return [*here, *(added for part in inner for added in columns_added(part))]


def default_of(table: str, column: sa.Column) -> sa.DefaultClause | None:
    """What rows that are there already hold in a new column: what a new record would."""
    if column.nullable:
        return None
    (kind,) = (kind for kind in records_of(standard()) if kind.table == table)
    default = next(field.default for field in fields(kind) if field.name == column.name)
    # `true` and `false` are words of both databases; a number is no boolean in PostgreSQL.
    plain = str(default).lower() if isinstance(default, bool | int) else repr(default)
    return sa.DefaultClause(sa.text(plain))


def rendered_type(kind: str, item: object, _: object) -> str | bool:
    """Types by the names that tables.py gives them, instead of what they are made of."""
    if kind == "type" and isinstance(item, sa.String):
        return f"text({item.length or ''})"
    return "moment()" if kind == "type" and isinstance(item, sa.DateTime) else False


def write(number: str, name: str, drafted: tuple[ops.UpgradeOps, ops.DowngradeOps]) -> None:
    up, down = (NAMED.sub(r"\1", render_python_code(part, render_item=rendered_type)) for part in drafted)
    before = f'"{int(number) - 1:04}"' if number != "0001" else "None"
    sentence = "All tables of the first release." if number == "0001" else f"{name.replace('_', ' ').capitalize()}."
    path = VERSIONS / f"v{number}_{name}.py"
    page = PAGE.format(sentence=sentence, number=number, before=before, upgrade=up, downgrade=down)
    lines = [line for line in page.splitlines() if not line.strip().startswith("# ###")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=True)


def main() -> None:
    metadata = metadata_for((*records_of(standard()), LimitWindow))
    if len(sys.argv) == 4:
        number, name, url = sys.argv[1:]
        write(number, name, since(metadata, url))
    elif len(sys.argv) == 1:
        for old in VERSIONS.glob("v[0-9]*.py"):
            old.unlink()
        write("0001", "first", first(metadata))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
