"""The audit log: what happened, under pseudonyms, and the keys that lead to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "doorward_audit_entry",
        sa.Column("id", text(64), nullable=False),
        sa.Column("kind", text(16), nullable=False),
        sa.Column("event", text(255), nullable=False),
        sa.Column("subject", text(64), nullable=False),
        sa.Column("details", text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_audit_entry"),
    )
    op.create_index("ix_doorward_audit_entry_expires_at", "doorward_audit_entry", ["expires_at"], unique=False)
    op.create_index("ix_doorward_audit_entry_subject", "doorward_audit_entry", ["subject"], unique=False)
    op.create_table(
        "doorward_audit_key",
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("subject", text(64), nullable=False),
        sa.Column("key", text(255), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_doorward_audit_key"),
        sa.UniqueConstraint("subject", name="uq_doorward_audit_key_subject"),
    )


def downgrade() -> None:
    op.drop_table("doorward_audit_key")
    op.drop_index("ix_doorward_audit_entry_subject", table_name="doorward_audit_entry")
    op.drop_index("ix_doorward_audit_entry_expires_at", table_name="doorward_audit_entry")
    op.drop_table("doorward_audit_entry")
