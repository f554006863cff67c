"""`manage.py doorward_policy`: what second factor the users of a group, or one user, must have."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from doorward.core.call import Call
from doorward.core.demands import DEMANDS, demand_named, demand_of_role, demand_of_user
from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.core.users import find_user
from doorward.django.runtime import auth


class Command(BaseCommand):
    """Roles are groups here: a group's demand holds for all its members from their next sign-in on."""

    help = "Say what second factor the users of a group, or one user, must have. The strictest demand holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--group", help="The name of a group.")
        whose.add_argument("--user", help="A primary key, an e-mail address or a user name.")
        parser.add_argument("--second-factor", choices=DEMANDS, required=True, help="`optional` takes it away.")
        parser.add_argument("--grace-days", type=int, default=0, help="Time to set one up, from the next sign-in on.")

    def handle(self, *args: Any, group: str, user: str, second_factor: str, grace_days: int, **options: Any) -> None:
        level, grace = demand_named(second_factor), timedelta(days=grace_days)

        async def story(call: Call) -> int:
            if group:
                await demand_of_role(call, group, level, grace=grace)
                return 0
            return await demand_of_user(call, await _named(call, user), level, grace=grace)

        if not 0 <= grace_days <= 365:
            raise CommandError("--grace-days: 0 to 365")
        try:
            ended = auth().run(story)
        except Refused as refused:
            raise CommandError(refused.detail or refused.reason) from None
        self.stdout.write(f"Second factor of {group or user}: {second_factor}; {ended} sessions without it ended.")


async def _named(call: Call, who: str) -> User:
    user = await call.store.get(User, id=who) or await find_user(call, who)
    if user is None:
        raise Refused("not_found", "There is no such user.")
    return user
