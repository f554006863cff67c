"""Recovery: who waits for another second factor, and whose password a mailbox chose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "doorward_mailed_password",
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("since", moment(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_doorward_mailed_password"),
    )
    op.create_table(
        "doorward_recovery_wait",
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("auth_epoch", text(64), nullable=False),
        sa.Column("ip", text(64), nullable=False),
        sa.Column("user_agent", text(400), nullable=False),
        sa.Column("reminded", sa.Boolean(), nullable=False),
        sa.Column("begun_at", moment(), nullable=False),
        sa.Column("due_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_doorward_recovery_wait"),
    )
    op.create_index("ix_doorward_recovery_wait_due_at", "doorward_recovery_wait", ["due_at"], unique=False)
    op.create_index("ix_doorward_recovery_wait_expires_at", "doorward_recovery_wait", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_doorward_recovery_wait_expires_at", table_name="doorward_recovery_wait")
    op.drop_index("ix_doorward_recovery_wait_due_at", table_name="doorward_recovery_wait")
    op.drop_table("doorward_recovery_wait")
    op.drop_table("doorward_mailed_password")
