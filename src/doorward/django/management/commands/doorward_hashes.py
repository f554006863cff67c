"""`manage.py doorward_hashes`: count the stored passwords by scheme, or wrap the weak ones."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.hashers import get_hashers
from django.core.management.base import BaseCommand, CommandError

from doorward import actions
from doorward.django.hashers import Wrapped
from doorward.django.runtime import auth

UNREAD = "Django can't read wrapped hashes: add 'doorward.django.hashers.Wrapped' to PASSWORD_HASHERS, but not first"


class Command(BaseCommand):
    """Weak old hashes go under argon2id, without anybody's password. Safe to stop, to run again, beside a server."""

    help = "Count the stored passwords by scheme, or wrap the weak ones in argon2id."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("list", "wrap"))
        parser.add_argument("--dry-run", action="store_true", help="Count what would be wrapped, and change nothing.")

    def handle(self, *args: Any, what: str, dry_run: bool, **options: Any) -> None:
        host = auth()
        if what == "list":
            for name, count in host.run(actions.password_hashes.count_schemes).most_common():
                self.stdout.write(f"{count:>9,} {name}")
            return
        if not any(isinstance(hasher, Wrapped) for hasher in get_hashers()):
            raise CommandError(UNREAD)
        done = host.run(lambda call: actions.password_hashes.wrap_all(call, dry_run=dry_run))
        for name, count in done.wrapped.most_common():
            self.stdout.write(f"{count:>9,} {name}")
        verb = "would be" if dry_run else "are"
        self.stdout.write(f"{done.wrapped.total():,} of {done.users:,} passwords {verb} wrapped.")
