"""Demands on a second factor, devices that are trusted, and how long AAL2 lasts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "doorward_factor_demand",
        sa.Column("id", text(64), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("role", text(150), nullable=False),
        sa.Column("second_factor", text(32), nullable=False),
        sa.Column("grace_days", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_factor_demand"),
    )
    op.create_index("ix_doorward_factor_demand_user_id", "doorward_factor_demand", ["user_id"], unique=False)
    op.create_table(
        "doorward_factor_grace",
        sa.Column("id", text(64), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("source", text(64), nullable=False),
        sa.Column("began_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_factor_grace"),
    )
    op.create_index("ix_doorward_factor_grace_source", "doorward_factor_grace", ["source"], unique=False)
    op.create_index("ix_doorward_factor_grace_user_id", "doorward_factor_grace", ["user_id"], unique=False)
    op.create_table(
        "doorward_trusted_device",
        sa.Column("id", text(64), nullable=False),
        sa.Column("digest", text(255), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("auth_epoch", text(64), nullable=False),
        sa.Column("user_agent", text(400), nullable=False),
        sa.Column("ip", text(64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("last_used_at", moment(), nullable=True),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_trusted_device"),
        sa.UniqueConstraint("digest", name="uq_doorward_trusted_device_digest"),
    )
    op.create_index("ix_doorward_trusted_device_expires_at", "doorward_trusted_device", ["expires_at"], unique=False)
    op.create_index("ix_doorward_trusted_device_user_id", "doorward_trusted_device", ["user_id"], unique=False)
    op.add_column(
        "doorward_attempt", sa.Column("max_age", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("doorward_attempt", sa.Column("acr", text(16), server_default=sa.text("''"), nullable=False))
    op.add_column(
        "doorward_attempt", sa.Column("trust_device", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("doorward_session", sa.Column("lapsed_at", moment(), nullable=True))
    op.add_column("doorward_session", sa.Column("enroll_by", moment(), nullable=True))


def downgrade() -> None:
    op.drop_column("doorward_session", "enroll_by")
    op.drop_column("doorward_session", "lapsed_at")
    op.drop_column("doorward_attempt", "trust_device")
    op.drop_column("doorward_attempt", "acr")
    op.drop_column("doorward_attempt", "max_age")
    op.drop_index("ix_doorward_trusted_device_user_id", table_name="doorward_trusted_device")
    op.drop_index("ix_doorward_trusted_device_expires_at", table_name="doorward_trusted_device")
    op.drop_table("doorward_trusted_device")
    op.drop_index("ix_doorward_factor_grace_user_id", table_name="doorward_factor_grace")
    op.drop_index("ix_doorward_factor_grace_source", table_name="doorward_factor_grace")
    op.drop_table("doorward_factor_grace")
    op.drop_index("ix_doorward_factor_demand_user_id", table_name="doorward_factor_demand")
    op.drop_table("doorward_factor_demand")
