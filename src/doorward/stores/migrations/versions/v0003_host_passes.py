"""Forward-auth at other hosts: what leads from there to a session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "doorward_host_pass",
        sa.Column("digest", text(255), nullable=False),
        sa.Column("kind", text(16), nullable=False),
        sa.Column("host", text(300), nullable=False),
        sa.Column("session_id", text(64), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_doorward_host_pass"),
    )
    op.create_index("ix_doorward_host_pass_expires_at", "doorward_host_pass", ["expires_at"], unique=False)
    op.create_index("ix_doorward_host_pass_session_id", "doorward_host_pass", ["session_id"], unique=False)
    op.create_index("ix_doorward_host_pass_user_id", "doorward_host_pass", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_doorward_host_pass_user_id", table_name="doorward_host_pass")
    op.drop_index("ix_doorward_host_pass_session_id", table_name="doorward_host_pass")
    op.drop_index("ix_doorward_host_pass_expires_at", table_name="doorward_host_pass")
    op.drop_table("doorward_host_pass")
