"""Tell people of what happens to their account, and let them say: this was not me."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from doorward.core.action import TokenText, action
from doorward.core.call import Call
from doorward.core.devices import is_known_device
from doorward.core.events import SignedIn, SignedOut
from doorward.core.feature import Feature, Page
from doorward.core.identify import end_sessions
from doorward.core.links import MailedLink, find_link, remove_links, take_link
from doorward.core.records import Account, User
from doorward.core.refusals import Refused
from doorward.core.session import Session
from doorward.core.users import NOT_ME, tell
from doorward.primitives import text, tokens
from doorward.primitives.agents import neighbourhood

# How long a place is remembered from which somebody signed in, and how long an account counts as just made.
PLACE_LIFE = timedelta(days=30)
JUST_MADE = timedelta(hours=1)
COMPARED = 100  # sessions, newest first
# Sign-ins that are told of in a day, with everything else that is told: who is flooded reads none of it.
MOST_A_DAY = 10


async def tell_of_sign_in(call: Call, event: SignedIn) -> None:
    """A sign-in from a device or network that is new for this user. The one that ends a sign-up tells nothing."""
    session = await call.store.get(Session, id=event.session_id)
    if session is None or session.created_at < call.now - timedelta(seconds=1):  # a step-up goes on with its session
        return
    rows = await call.store.find(Session, user_id=event.user_id, order="-created_at", limit=COMPARED)
    earlier = [row for row in rows if row.id != session.id]
    remembered = not await _is_first_from(call, session)
    if await _is_known(call, session, earlier, remembered=remembered) or await _is_just_made(call, session, earlier):
        return
    user = await call.store.get(User, id=event.user_id)
    told = await call.store.count(
        MailedLink, user_id=event.user_id, purpose=NOT_ME, created_at__gt=call.now - timedelta(days=1)
    )
    if user is not None and told < MOST_A_DAY:
        await tell(call, user, "new_sign_in", {"agent": session.user_agent, "network": session.ip})


async def _is_first_from(call: Call, session: Session) -> bool:
    """Whether nobody signed in as this user from this place for a while. A program is known by its name as well."""
    agent = "" if call.client.browser else session.user_agent
    place = tokens.hmac_digest(call.keyring.key("limits"), session.user_id, neighbourhood(session.ip), agent)
    return await call.world.limits.once(f"place:{place}", seconds=int(PLACE_LIFE.total_seconds()))


async def _is_known(call: Call, session: Session, earlier: list[Session], *, remembered: bool) -> bool:
    """A browser by its cookie and network; a program, which keeps no cookie, by its name and network."""
    near = [row for row in earlier if neighbourhood(row.ip) == neighbourhood(session.ip)]
    if call.client.browser:
        return is_known_device(call, session.user_id) and (remembered or bool(near) or not earlier)
    return remembered or any(row.user_agent == session.user_agent for row in near)


async def _is_just_made(call: Call, session: Session, earlier: list[Session]) -> bool:
    account = await call.store.get(Account, user_id=session.user_id)
    return not earlier and account is not None and account.created_at > call.now - JUST_MADE


@action("not_me", status=204)
async def not_me(call: Call, *, token: TokenText) -> None:
    """Say that it was not you: ends all sessions, sign-ins under way, tokens and keys of the account.

    It proves nothing and opens nothing (rule 9): what comes next is a sign-in with all its gates, or a new password.
    """
    async with call.store.transaction():
        link = await take_link(call, NOT_ME, token)
        await remove_links(call, link.user_id, NOT_ME)
        await end_sessions(call, link.user_id)
        await call.emit(SignedOut(at=call.now, user_id=link.user_id))


async def load_link(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Whose account it is about, masked. A GET changes nothing: mail scanners follow links (rule 32)."""
    token = query.get("token", "")
    if not token:
        return {"token": "", "to": ""}
    link = await find_link(call, NOT_ME, token)
    user = await call.store.get(User, id=link.user_id)
    if user is None:
        raise Refused("invalid_token")
    return {"token": token, "to": text.masked_address(user.email) if user.email else ""}


class Notices(Feature):
    """Letters about sign-ins from new places, and «this was not me» in every letter about what was done."""

    actions = (not_me,)
    listeners = ((SignedIn, tell_of_sign_in),)
    pages = (Page("/not-me", "not_me.html", load_link),)
