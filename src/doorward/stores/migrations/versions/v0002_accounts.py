"""Accounts and tokens, complete: what people and programs have between sign-up and closing the account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "doorward_api_key",
        sa.Column("id", text(64), nullable=False),
        sa.Column("digest", text(255), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("prefix", text(16), nullable=False),
        sa.Column("scopes", text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("last_seen_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_api_key"),
        sa.UniqueConstraint("digest", name="uq_doorward_api_key_digest"),
    )
    op.create_index("ix_doorward_api_key_expires_at", "doorward_api_key", ["expires_at"], unique=False)
    op.create_index("ix_doorward_api_key_user_id", "doorward_api_key", ["user_id"], unique=False)
    op.create_table(
        "doorward_dpop_proof",
        sa.Column("digest", text(255), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_doorward_dpop_proof"),
    )
    op.create_index("ix_doorward_dpop_proof_expires_at", "doorward_dpop_proof", ["expires_at"], unique=False)
    op.create_table(
        "doorward_former_username",
        sa.Column("key", text(255), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_doorward_former_username"),
    )
    op.create_index("ix_doorward_former_username_expires_at", "doorward_former_username", ["expires_at"], unique=False)
    op.create_index("ix_doorward_former_username_user_id", "doorward_former_username", ["user_id"], unique=False)
    op.create_table(
        "doorward_mailed_link",
        sa.Column("digest", text(255), nullable=False),
        sa.Column("purpose", text(32), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("subject", text(320), nullable=False),
        sa.Column("auth_epoch", text(64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_doorward_mailed_link"),
    )
    op.create_index("ix_doorward_mailed_link_expires_at", "doorward_mailed_link", ["expires_at"], unique=False)
    op.create_index("ix_doorward_mailed_link_user_id", "doorward_mailed_link", ["user_id"], unique=False)
    op.create_table(
        "doorward_phone_number",
        sa.Column("id", text(64), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("number", text(16), nullable=False),
        sa.Column("verified_key", text(16), nullable=True),
        sa.Column("verified_at", moment(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_phone_number"),
        sa.UniqueConstraint("verified_key", name="uq_doorward_phone_number_verified_key"),
    )
    op.create_index("ix_doorward_phone_number_user_id", "doorward_phone_number", ["user_id"], unique=False)
    op.create_table(
        "doorward_role",
        sa.Column("name", text(64), nullable=False),
        sa.Column("permissions", text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_doorward_role"),
    )
    op.create_table(
        "doorward_user_role",
        sa.Column("id", text(64), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("role", text(64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_user_role"),
    )
    op.create_index("ix_doorward_user_role_role", "doorward_user_role", ["role"], unique=False)
    op.create_index("ix_doorward_user_role_user_id", "doorward_user_role", ["user_id"], unique=False)
    op.add_column("doorward_account", sa.Column("kind", text(16), server_default=sa.text("'person'"), nullable=False))
    op.add_column("doorward_account", sa.Column("time_zone", text(64), server_default=sa.text("''"), nullable=False))
    op.add_column("doorward_account", sa.Column("closes_at", moment(), nullable=True))
    op.create_index("ix_doorward_account_closes_at", "doorward_account", ["closes_at"], unique=False)
    op.add_column("doorward_attempt", sa.Column("jkt", text(64), server_default=sa.text("''"), nullable=False))
    op.add_column("doorward_pending_sign_up", sa.Column("role", text(64), server_default=sa.text("''"), nullable=False))
    op.add_column("doorward_session", sa.Column("jkt", text(64), server_default=sa.text("''"), nullable=False))
    op.add_column("doorward_token_key", sa.Column("expires_at", moment(), nullable=True))
    op.add_column("doorward_token_key", sa.Column("signs_from", moment(), nullable=True))
    op.create_index("ix_doorward_token_key_expires_at", "doorward_token_key", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_doorward_token_key_expires_at", table_name="doorward_token_key")
    op.drop_column("doorward_token_key", "signs_from")
    op.drop_column("doorward_token_key", "expires_at")
    op.drop_column("doorward_session", "jkt")
    op.drop_column("doorward_pending_sign_up", "role")
    op.drop_column("doorward_attempt", "jkt")
    op.drop_index("ix_doorward_account_closes_at", table_name="doorward_account")
    op.drop_column("doorward_account", "closes_at")
    op.drop_column("doorward_account", "time_zone")
    op.drop_column("doorward_account", "kind")
    op.drop_index("ix_doorward_user_role_user_id", table_name="doorward_user_role")
    op.drop_index("ix_doorward_user_role_role", table_name="doorward_user_role")
    op.drop_table("doorward_user_role")
    op.drop_table("doorward_role")
    op.drop_index("ix_doorward_phone_number_user_id", table_name="doorward_phone_number")
    op.drop_table("doorward_phone_number")
    op.drop_index("ix_doorward_mailed_link_user_id", table_name="doorward_mailed_link")
    op.drop_index("ix_doorward_mailed_link_expires_at", table_name="doorward_mailed_link")
    op.drop_table("doorward_mailed_link")
    op.drop_index("ix_doorward_former_username_user_id", table_name="doorward_former_username")
    op.drop_index("ix_doorward_former_username_expires_at", table_name="doorward_former_username")
    op.drop_table("doorward_former_username")
    op.drop_index("ix_doorward_dpop_proof_expires_at", table_name="doorward_dpop_proof")
    op.drop_table("doorward_dpop_proof")
    op.drop_index("ix_doorward_api_key_user_id", table_name="doorward_api_key")
    op.drop_index("ix_doorward_api_key_expires_at", table_name="doorward_api_key")
    op.drop_table("doorward_api_key")
