"""All tables, from nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("user_id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("auth_epoch", models.CharField(max_length=64)),
                ("version", models.BigIntegerField(default=1)),
                ("username_key", models.CharField(max_length=255, null=True, unique=True)),
                ("address_exempt", models.BooleanField(default=False)),
                ("locale", models.CharField(default="", max_length=35)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_account",
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("digest", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, default="", max_length=64)),
                ("purpose", models.CharField(max_length=16)),
                ("subject", models.CharField(default="", max_length=64)),
                ("proofs", models.TextField(default="[]")),
                ("auth_epoch", models.CharField(default="", max_length=64)),
                ("host_digest", models.CharField(default="", max_length=255)),
                ("code", models.CharField(default="", max_length=255)),
                ("code_tries", models.BigIntegerField(default=0)),
                ("code_expires_at", models.DateTimeField(null=True)),
                ("to", models.CharField(default="", max_length=320)),
                ("issue", models.CharField(default="session", max_length=16)),
                ("remember", models.BooleanField(default=False)),
                ("return_to", models.CharField(default="", max_length=2048)),
                ("browser", models.BooleanField(default=False)),
                ("network", models.CharField(db_index=True, max_length=64)),
                ("guard", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_attempt",
            },
        ),
        migrations.CreateModel(
            name="Authenticator",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("kind", models.CharField(max_length=32)),
                ("handle", models.CharField(max_length=255, null=True, unique=True)),
                ("name", models.CharField(default="", max_length=255)),
                ("data", models.TextField(default="")),
                ("failures", models.BigIntegerField(default=0)),
                ("known_failures", models.BigIntegerField(default=0)),
                ("guard", models.BigIntegerField(default=0)),
                ("disabled_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_authenticator",
            },
        ),
        migrations.CreateModel(
            name="EmailAddress",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("address", models.CharField(max_length=320)),
                ("canonical", models.CharField(db_index=True, max_length=320)),
                ("canonical_version", models.BigIntegerField(default=1)),
                ("verified_key", models.CharField(max_length=320, null=True, unique=True)),
                ("verified_at", models.DateTimeField(null=True)),
                ("is_primary", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_email_address",
            },
        ),
        migrations.CreateModel(
            name="LimitWindow",
            fields=[
                ("key", models.CharField(max_length=128, primary_key=True, serialize=False)),
                ("whole_at", models.BigIntegerField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_limit",
            },
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=32)),
                ("body", models.TextField()),
                ("tries", models.BigIntegerField(default=0)),
                ("due_at", models.DateTimeField(db_index=True)),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_outbox",
            },
        ),
        migrations.CreateModel(
            name="PendingSignUp",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("canonical", models.CharField(db_index=True, max_length=320)),
                ("address", models.CharField(max_length=320)),
                ("name", models.CharField(default="", max_length=255)),
                ("username", models.CharField(default="", max_length=255)),
                ("password", models.TextField()),
                ("link", models.CharField(max_length=255, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_pending_sign_up",
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("digest", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_recovery_code",
            },
        ),
        migrations.CreateModel(
            name="RefreshFamily",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("session_id", models.CharField(max_length=64, unique=True)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("key_id", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=255)),
                ("parent", models.CharField(default="", max_length=255)),
                ("generation", models.BigIntegerField(default=0)),
                ("rotated_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_refresh_family",
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=255, unique=True)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("proofs", models.TextField()),
                ("auth_epoch", models.CharField(max_length=64)),
                ("host_digest", models.CharField(max_length=255)),
                ("kind", models.CharField(default="session", max_length=16)),
                ("remember", models.BooleanField(default=False)),
                ("user_agent", models.CharField(default="", max_length=400)),
                ("ip", models.CharField(default="", max_length=64)),
                ("created_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_session",
            },
        ),
        migrations.CreateModel(
            name="TokenKey",
            fields=[
                ("kid", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("slot", models.CharField(max_length=64, unique=True)),
                ("algorithm", models.CharField(max_length=16)),
                ("jwk", models.TextField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_token_key",
            },
        ),
        migrations.CreateModel(
            name="TotpEnrolment",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=255, unique=True)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("secret", models.TextField()),
                ("name", models.CharField(default="", max_length=255)),
                ("tries", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_totp_enrolment",
            },
        ),
    ]
