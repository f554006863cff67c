"""Short-term limits that several processes share without a Valkey."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "doorward_limit",
        sa.Column("key", text(128), nullable=False),
        sa.Column("whole_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_doorward_limit"),
    )
    op.create_index("ix_doorward_limit_expires_at", "doorward_limit", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_doorward_limit_expires_at", table_name="doorward_limit")
    op.drop_table("doorward_limit")
