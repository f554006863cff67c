"""Invitations: a record of their own, and the sign-up that one of them lets in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("doorward", "0003_host_passes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=255, unique=True)),
                ("user_id", models.CharField(db_index=True, default="", max_length=64)),
                ("address", models.CharField(max_length=320)),
                ("canonical", models.CharField(db_index=True, max_length=320)),
                ("name", models.CharField(default="", max_length=255)),
                ("role", models.CharField(default="", max_length=150)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_invitation",
                "permissions": (("invite", "Can invite people"),),
            },
        ),
        migrations.AddField(
            model_name="pendingsignup",
            name="invitation",
            field=models.CharField(default="", max_length=64),
        ),
    ]
