"""`manage.py doorward_reseal`: seal again by the newest key what an older one of SECRET_KEY_FALLBACKS sealed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from doorward.core.resealing import reseal
from doorward.django.runtime import auth


class Command(BaseCommand):
    """Afterwards the old key may go, for what is sealed. Safe to stop, to run again, and beside a server."""

    help = "Seal again by the newest key what an older one sealed: authenticator apps, signing keys, letters that wait."

    def handle(self, *args: Any, **options: Any) -> None:
        done = auth().run(reseal)
        self.stdout.write(f"{done.values.total():,} values are sealed again by the newest key.")
        if done.overtaken:
            self.stdout.write(f"{done.overtaken:,} were written by somebody else meanwhile; run it again.")
        if done.lost:
            raise CommandError(
                f"{done.lost.total():,} values are sealed by keys that are gone; put these back behind the newest one"
            )
