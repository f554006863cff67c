"""The audit log as Django models; `models.py` brings them in."""

from __future__ import annotations

from django.db import models

from doorward.django.columns import moment, text


class AuditKey(models.Model):
    """What leads from a user to their audit entries. To delete a row is to close them for good."""

    user_id = text(64, primary_key=True)
    subject = text(64, unique=True)
    key = text()

    class Meta:
        db_table = "doorward_audit_key"


class AuditEntry(models.Model):
    """Something that happened; its details are sealed by the key of whom it is about."""

    id = text(64, primary_key=True)
    kind = text(16)
    event = text()
    subject = text(64, db_index=True)
    details = text(0)
    created_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_audit_entry"
