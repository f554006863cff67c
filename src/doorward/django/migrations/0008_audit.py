"""The audit log: what happened, under pseudonyms, and the keys that lead to them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("doorward", "0007_signed_up_as"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=16)),
                ("event", models.CharField(max_length=255)),
                ("subject", models.CharField(db_index=True, max_length=64)),
                ("details", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_audit_entry",
            },
        ),
        migrations.CreateModel(
            name="AuditKey",
            fields=[
                ("user_id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=64, unique=True)),
                ("key", models.CharField(max_length=255)),
            ],
            options={
                "db_table": "doorward_audit_key",
            },
        ),
    ]
