"""Accounts and tokens, complete: what people and programs have between sign-up and closing the account."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("doorward", "0001_first"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=255, unique=True)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("name", models.CharField(max_length=255)),
                ("prefix", models.CharField(max_length=16)),
                ("scopes", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_api_key",
            },
        ),
        migrations.CreateModel(
            name="FormerUsername",
            fields=[
                ("key", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_former_username",
            },
        ),
        migrations.CreateModel(
            name="MailedLink",
            fields=[
                ("digest", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("purpose", models.CharField(max_length=32)),
                ("user_id", models.CharField(db_index=True, default="", max_length=64)),
                ("subject", models.CharField(default="", max_length=320)),
                ("auth_epoch", models.CharField(default="", max_length=64)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_mailed_link",
            },
        ),
        migrations.CreateModel(
            name="PhoneNumber",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("number", models.CharField(max_length=16)),
                ("verified_key", models.CharField(max_length=16, null=True, unique=True)),
                ("verified_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_phone_number",
            },
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("permissions", models.TextField(default="")),
                ("version", models.BigIntegerField(default=1)),
            ],
            options={
                "db_table": "doorward_role",
                "permissions": (("roles", "Can give and take roles"),),
            },
        ),
        migrations.CreateModel(
            name="SpentProof",
            fields=[
                ("digest", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_dpop_proof",
            },
        ),
        migrations.CreateModel(
            name="UserRole",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("role", models.CharField(db_index=True, max_length=64)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_user_role",
            },
        ),
        migrations.AddField(
            model_name="account",
            name="closes_at",
            field=models.DateTimeField(db_index=True, null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="kind",
            field=models.CharField(default="person", max_length=16),
        ),
        migrations.AddField(
            model_name="account",
            name="time_zone",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="attempt",
            name="jkt",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="pendingsignup",
            name="role",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="session",
            name="jkt",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="tokenkey",
            name="expires_at",
            field=models.DateTimeField(db_index=True, null=True),
        ),
        migrations.AddField(
            model_name="tokenkey",
            name="signs_from",
            field=models.DateTimeField(null=True),
        ),
    ]
