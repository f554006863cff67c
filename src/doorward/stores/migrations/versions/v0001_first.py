"""All tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import moment, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "doorward_account",
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("auth_epoch", text(64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("username_key", text(255), nullable=True),
        sa.Column("address_exempt", sa.Boolean(), nullable=False),
        sa.Column("locale", text(35), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_doorward_account"),
        sa.UniqueConstraint("username_key", name="uq_doorward_account_username_key"),
    )
    op.create_table(
        "doorward_attempt",
        sa.Column("digest", text(255), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("purpose", text(16), nullable=False),
        sa.Column("subject", text(64), nullable=False),
        sa.Column("proofs", text(), nullable=False),
        sa.Column("auth_epoch", text(64), nullable=False),
        sa.Column("host_digest", text(255), nullable=False),
        sa.Column("code", text(255), nullable=False),
        sa.Column("code_tries", sa.BigInteger(), nullable=False),
        sa.Column("code_expires_at", moment(), nullable=True),
        sa.Column("to", text(320), nullable=False),
        sa.Column("issue", text(16), nullable=False),
        sa.Column("remember", sa.Boolean(), nullable=False),
        sa.Column("return_to", text(2048), nullable=False),
        sa.Column("browser", sa.Boolean(), nullable=False),
        sa.Column("network", text(64), nullable=False),
        sa.Column("guard", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_doorward_attempt"),
    )
    op.create_index("ix_doorward_attempt_expires_at", "doorward_attempt", ["expires_at"], unique=False)
    op.create_index("ix_doorward_attempt_network", "doorward_attempt", ["network"], unique=False)
    op.create_index("ix_doorward_attempt_user_id", "doorward_attempt", ["user_id"], unique=False)
    op.create_table(
        "doorward_authenticator",
        sa.Column("id", text(64), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("kind", text(32), nullable=False),
        sa.Column("handle", text(255), nullable=True),
        sa.Column("name", text(255), nullable=False),
        sa.Column("data", text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("known_failures", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", moment(), nullable=True),
        sa.Column("last_used_at", moment(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_authenticator"),
        sa.UniqueConstraint("handle", name="uq_doorward_authenticator_handle"),
    )
    op.create_index("ix_doorward_authenticator_user_id", "doorward_authenticator", ["user_id"], unique=False)
    op.create_table(
        "doorward_email_address",
        sa.Column("id", text(64), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("address", text(320), nullable=False),
        sa.Column("canonical", text(320), nullable=False),
        sa.Column("canonical_version", sa.BigInteger(), nullable=False),
        sa.Column("verified_key", text(320), nullable=True),
        sa.Column("verified_at", moment(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_email_address"),
        sa.UniqueConstraint("verified_key", name="uq_doorward_email_address_verified_key"),
    )
    op.create_index("ix_doorward_email_address_canonical", "doorward_email_address", ["canonical"], unique=False)
    op.create_index("ix_doorward_email_address_user_id", "doorward_email_address", ["user_id"], unique=False)
    op.create_table(
        "doorward_limit",
        sa.Column("key", text(128), nullable=False),
        sa.Column("whole_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_doorward_limit"),
    )
    op.create_index("ix_doorward_limit_expires_at", "doorward_limit", ["expires_at"], unique=False)
    op.create_table(
        "doorward_outbox",
        sa.Column("id", text(64), nullable=False),
        sa.Column("kind", text(32), nullable=False),
        sa.Column("body", text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("due_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_outbox"),
    )
    op.create_index("ix_doorward_outbox_due_at", "doorward_outbox", ["due_at"], unique=False)
    op.create_table(
        "doorward_pending_sign_up",
        sa.Column("id", text(64), nullable=False),
        sa.Column("canonical", text(320), nullable=False),
        sa.Column("address", text(320), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("username", text(255), nullable=False),
        sa.Column("password", text(), nullable=False),
        sa.Column("link", text(255), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_pending_sign_up"),
        sa.UniqueConstraint("link", name="uq_doorward_pending_sign_up_link"),
    )
    op.create_index("ix_doorward_pending_sign_up_canonical", "doorward_pending_sign_up", ["canonical"], unique=False)
    op.create_index("ix_doorward_pending_sign_up_expires_at", "doorward_pending_sign_up", ["expires_at"], unique=False)
    op.create_table(
        "doorward_recovery_code",
        sa.Column("digest", text(255), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_doorward_recovery_code"),
    )
    op.create_index("ix_doorward_recovery_code_user_id", "doorward_recovery_code", ["user_id"], unique=False)
    op.create_table(
        "doorward_refresh_family",
        sa.Column("id", text(64), nullable=False),
        sa.Column("session_id", text(64), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("key_id", text(64), nullable=False),
        sa.Column("digest", text(255), nullable=False),
        sa.Column("parent", text(255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("rotated_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_refresh_family"),
        sa.UniqueConstraint("session_id", name="uq_doorward_refresh_family_session_id"),
    )
    op.create_index("ix_doorward_refresh_family_expires_at", "doorward_refresh_family", ["expires_at"], unique=False)
    op.create_index("ix_doorward_refresh_family_user_id", "doorward_refresh_family", ["user_id"], unique=False)
    op.create_table(
        "doorward_session",
        sa.Column("id", text(64), nullable=False),
        sa.Column("digest", text(255), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("proofs", text(), nullable=False),
        sa.Column("auth_epoch", text(64), nullable=False),
        sa.Column("host_digest", text(255), nullable=False),
        sa.Column("kind", text(16), nullable=False),
        sa.Column("remember", sa.Boolean(), nullable=False),
        sa.Column("user_agent", text(400), nullable=False),
        sa.Column("ip", text(64), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("last_seen_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_session"),
        sa.UniqueConstraint("digest", name="uq_doorward_session_digest"),
    )
    op.create_index("ix_doorward_session_expires_at", "doorward_session", ["expires_at"], unique=False)
    op.create_index("ix_doorward_session_user_id", "doorward_session", ["user_id"], unique=False)
    op.create_table(
        "doorward_token_key",
        sa.Column("kid", text(64), nullable=False),
        sa.Column("slot", text(64), nullable=False),
        sa.Column("algorithm", text(16), nullable=False),
        sa.Column("jwk", text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_doorward_token_key"),
        sa.UniqueConstraint("slot", name="uq_doorward_token_key_slot"),
    )
    op.create_table(
        "doorward_totp_enrolment",
        sa.Column("id", text(64), nullable=False),
        sa.Column("holder", text(255), nullable=False),
        sa.Column("user_id", text(64), nullable=False),
        sa.Column("secret", text(), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_totp_enrolment"),
        sa.UniqueConstraint("holder", name="uq_doorward_totp_enrolment_holder"),
    )
    op.create_index("ix_doorward_totp_enrolment_expires_at", "doorward_totp_enrolment", ["expires_at"], unique=False)
    op.create_index("ix_doorward_totp_enrolment_user_id", "doorward_totp_enrolment", ["user_id"], unique=False)
    op.create_table(
        "doorward_user",
        sa.Column("id", text(64), nullable=False),
        sa.Column("email", text(255), nullable=True),
        sa.Column("username", text(255), nullable=True),
        sa.Column("name", text(255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password", text(1024), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doorward_user"),
    )
    op.create_index("ix_doorward_user_email", "doorward_user", [sa.literal_column("lower(email)")], unique=False)
    op.create_index("ix_doorward_user_username", "doorward_user", [sa.literal_column("lower(username)")], unique=False)


def downgrade() -> None:
    op.drop_table("doorward_user")
    op.drop_table("doorward_totp_enrolment")
    op.drop_table("doorward_token_key")
    op.drop_table("doorward_session")
    op.drop_table("doorward_refresh_family")
    op.drop_table("doorward_recovery_code")
    op.drop_table("doorward_pending_sign_up")
    op.drop_table("doorward_outbox")
    op.drop_table("doorward_limit")
    op.drop_table("doorward_email_address")
    op.drop_table("doorward_authenticator")
    op.drop_table("doorward_attempt")
    op.drop_table("doorward_account")
