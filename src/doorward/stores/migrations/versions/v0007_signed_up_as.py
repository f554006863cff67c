"""The id that a user had at sign-up, where the host has given it another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from doorward.stores.tables import text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("doorward_account", sa.Column("signed_up_as", text(64), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.drop_column("doorward_account", "signed_up_as")
