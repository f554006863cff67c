"""Demands on a second factor, devices that are trusted, and how long AAL2 lasts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("doorward", "0004_invitations"),
    ]

    operations = [
        migrations.CreateModel(
            name="FactorDemand",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, default="", max_length=64)),
                ("role", models.CharField(default="", max_length=150)),
                ("second_factor", models.CharField(max_length=32)),
                ("grace_days", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_factor_demand",
            },
        ),
        migrations.CreateModel(
            name="FactorGrace",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("source", models.CharField(db_index=True, max_length=64)),
                ("began_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_factor_grace",
            },
        ),
        migrations.CreateModel(
            name="TrustedDevice",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=255, unique=True)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("auth_epoch", models.CharField(max_length=64)),
                ("user_agent", models.CharField(default="", max_length=400)),
                ("ip", models.CharField(default="", max_length=64)),
                ("created_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_trusted_device",
            },
        ),
        migrations.AddField(
            model_name="attempt",
            name="acr",
            field=models.CharField(default="", max_length=16),
        ),
        migrations.AddField(
            model_name="attempt",
            name="max_age",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="attempt",
            name="trust_device",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="session",
            name="enroll_by",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="lapsed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
