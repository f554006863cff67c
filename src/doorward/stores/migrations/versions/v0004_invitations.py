"""Invitations: a record of their own, and the sign-up that one of them lets in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "doorward_invitation",
        sa.Column("id", text(64), nullable=False),
        sa.Column("digest", text(255), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("address", text(320), nullable=False),
        sa.Column("canonical", text(320), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("role", text(150), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_invitation"),
        sa.UniqueConstraint("digest", name="uq_doorward_invitation_digest"),
    )
    op.create_index("ix_doorward_invitation_canonical", "doorward_invitation", ["canonical"], unique=False)
    op.create_index("ix_doorward_invitation_expires_at", "doorward_invitation", ["expires_at"], unique=False)
    op.create_index("ix_doorward_invitation_user_id", "doorward_invitation", ["user_id"], unique=False)
    op.add_column(
        "doorward_pending_sign_up", sa.Column("invitation", text(64), server_default=sa.text("''"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("doorward_pending_sign_up", "invitation")
    op.drop_index("ix_doorward_invitation_user_id", table_name="doorward_invitation")
    op.drop_index("ix_doorward_invitation_expires_at", table_name="doorward_invitation")
    op.drop_index("ix_doorward_invitation_canonical", table_name="doorward_invitation")
    op.drop_table("doorward_invitation")
