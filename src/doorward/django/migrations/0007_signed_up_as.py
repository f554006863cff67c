"""The id that a user had at sign-up, where the host has given it another."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("doorward", "0006_recovery"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="signed_up_as",
            field=models.CharField(default="", max_length=64),
        ),
    ]
