"""Accounts and tokens, complete: what people and programs have between sign-up and closing the account."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("doorward", "0001_first"),
    ]

    operations = [
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
    ]
