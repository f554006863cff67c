"""What is demanded of users, and which browsers they trust, as Django models; `models.py` brings them in."""

from __future__ import annotations

from django.db import models

from doorward.django.columns import moment, number, text


class TrustedDevice(models.Model):
    """A browser in which no second factor is asked for."""

    id = text(64, primary_key=True)
    digest = text(unique=True)
    user_id = text(64, db_index=True)
    auth_epoch = text(64)
    user_agent = text(400, default="")
    ip = text(64, default="")
    created_at = moment()
    last_used_at = moment(null=True)
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_trusted_device"


class FactorDemand(models.Model):
    """What second factor is demanded of who has a role, or of one user."""

    id = text(64, primary_key=True)
    user_id = text(64, db_index=True, default="")
    role = text(150, default="")
    second_factor = text(32)
    grace_days = number(default=0)
    created_at = moment()

    class Meta:
        db_table = "doorward_factor_demand"


class FactorGrace(models.Model):
    """Since when a demand that leaves time holds for a user."""

    id = text(64, primary_key=True)
    user_id = text(64, db_index=True)
    source = text(64, db_index=True)
    began_at = moment()

    class Meta:
        db_table = "doorward_factor_grace"
