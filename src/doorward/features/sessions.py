"""The sessions of who is signed in: the present one, all of them, and their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.core.accounts import account_of
from doorward.core.action import IdText, Needs, action
from doorward.core.call import Call
from doorward.core.facts import facts_of
from doorward.core.feature import Feature, Page
from doorward.core.identify import end_session, end_sessions
from doorward.core.refusals import Refused, invalid
from doorward.core.session import Identity, Session, level_of
from doorward.core.sign_in import Stepped
from doorward.core.steps import has_second_factor
from doorward.locale import _


@dataclass(frozen=True, slots=True)
class Sessions:
    """Newest first."""

    items: tuple[Identity, ...]
    next: str | None = None


# More than this many at once are not shown; ending «others» ends them all.
MOST_SHOWN = 100


@action("session", method="GET", needs=Needs.SIGNED_IN, keys=True)
async def session(call: Call) -> Stepped:
    """Who makes the request, and by which session; by an API key it is none."""
    return Stepped(identity=call.caller)


@action("sessions.list", method="GET", needs=Needs.SIGNED_IN)
async def list_sessions(call: Call) -> Sessions:
    """All sessions of who is signed in."""
    user = call.signed_in.user
    rows = await call.store.find(
        Session, user_id=user.id, expires_at__gt=call.now, order="-created_at", limit=MOST_SHOWN
    )
    return Sessions(tuple(Identity(user, row, level_of(row, call.policy, call.now)) for row in rows))


@action("sessions.end", needs=Needs.SIGNED_IN, status=204)
async def end(call: Call, *, id: IdText | None = None, others: bool = False) -> None:
    """End one session by its id, or all others. Somebody else's id is not found."""
    identity = call.signed_in
    if (id is None) == (not others):
        raise invalid("id", "required", "send either id, or others: true")
    if others:
        await end_sessions(call, identity.user.id, but=identity.session)
    elif id is not None and not await end_session(call, identity.user.id, id):
        raise Refused("not_found")


async def load_ways(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """By which methods one signs in, and whether a second step is asked for."""
    user = call.signed_in.user
    facts = await facts_of(call, user, await account_of(call, user), ())
    return {"enrolled": facts.enrolled | facts.used_up, "second_step": has_second_factor(facts)}


class SessionList(Feature):
    """The account area's frame; one's sessions, to be seen and ended."""

    actions = (session, list_sessions, end)
    pages = (
        Page("/", "home.html", load_ways, Needs.SIGNED_IN, area="", title=_("Overview"), place=0),
        Page(
            "/security",
            "security.html",
            load_ways,
            Needs.SIGNED_IN,
            area="security",
            title=_("Security"),
            row="security_row.html",
            place=20,
        ),
        Page(
            "/sessions",
            "sessions.html",
            needs=Needs.SIGNED_IN,
            reads=("sessions.list",),
            area="sessions",
            title=_("Devices"),
            hint=_("Where you are signed in, and how to end it."),
            row="sessions_row.html",
            place=30,
        ),
    )
