"""Recovery: who waits for another second factor, and whose password a mailbox chose."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("doorward", "0005_demands"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailedPassword",
            fields=[
                ("user_id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
            ],
            options={
                "db_table": "doorward_mailed_password",
            },
        ),
        migrations.CreateModel(
            name="RecoveryWait",
            fields=[
                ("user_id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("auth_epoch", models.CharField(max_length=64)),
                ("ip", models.CharField(default="", max_length=64)),
                ("user_agent", models.CharField(default="", max_length=400)),
                ("reminded", models.BooleanField(default=False)),
                ("begun_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(db_index=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_recovery_wait",
            },
        ),
        migrations.AlterModelOptions(
            name="role",
            options={
                "permissions": (("roles", "Can give and take roles"), ("recover", "Can help who lost a way to sign in"))
            },
        ),
    ]
