"""Forward-auth at other hosts: what leads from there to a session."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("doorward", "0002_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="HostPass",
            fields=[
                ("digest", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=16)),
                ("host", models.CharField(max_length=300)),
                ("session_id", models.CharField(db_index=True, max_length=64)),
                ("user_id", models.CharField(db_index=True, max_length=64)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "doorward_host_pass",
            },
        ),
    ]
