"""Out again: this session, or all of them."""

from __future__ import annotations

from doorward.core.action import action
from doorward.core.call import Call
from doorward.core.events import SignedOut
from doorward.core.feature import Feature
from doorward.core.identify import end_session, end_sessions
from doorward.core.refusals import Refused


@action("sign_out", status=204, hosts=True)
async def sign_out(call: Call, *, all: bool = False) -> None:
    """End this session, or with `all` every one. Nobody signed in is an answer like any other: 204.

    At a protected host it ends the session that its cookie leads to, and with it those of all hosts.
    """
    if all and call.client.host:  # scripts of another application could ask for it
        raise Refused("not_permitted", "This can't be done at another host.")
    call.effects.session_ended = True
    if call.identity is None:
        return
    user, session = call.identity.user, call.identity.session
    async with call.all_or_nothing():  # with the keys and the entry that listeners see to
        if all:
            await end_sessions(call, user.id)
        else:
            await end_session(call, user.id, session.id)
        await call.emit(SignedOut(at=call.now, user_id=user.id, session_id="" if all else session.id))
    call.identity = None


class SignOut(Feature):
    """The way out."""

    actions = (sign_out,)
