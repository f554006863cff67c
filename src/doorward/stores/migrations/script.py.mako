"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades}


def downgrade() -> None:
    ${downgrades}
