"""Who may enrol an authenticator: a fresh session, or a sign-in that is held for just this (rule 7)."""

from __future__ import annotations

from typing import NamedTuple

from doorward.core.action import Needs
from doorward.core.call import Call
from doorward.core.doorward import require
from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.core.sign_in import UnderWay, current, step_of
from doorward.core.steps import Enroll, Method


class Holder(NamedTuple):
    """`key` is what begins and what ends an enrolment: a session's id, or an attempt's digest."""

    key: str
    user: User
    under_way: UnderWay | None


async def holder_of(call: Call, attempt: str | None, method: Method) -> Holder:
    """Who enrols by this method. Raises what is missing: a sign-in, a fresh proof, or that the step asks for it."""
    if attempt is None and call.identity is not None:
        await require(call, Needs.FRESH)
        return Holder(call.identity.session.id, call.identity.user, None)
    if attempt is None and not call.client.attempt:
        raise Refused("not_signed_in")
    under_way = await current(call, attempt)
    step, user = await step_of(call, under_way)
    if user is None or not isinstance(step, Enroll) or method.name not in step.methods:
        raise Refused("wrong_method")
    return Holder(under_way.attempt.digest, user, under_way)


async def enrollable(call: Call, attempt: str | None) -> tuple[str, ...]:
    """The methods that the step of a sign-in asks to enrol one of."""
    step, _ = await step_of(call, await current(call, attempt))
    return step.methods if isinstance(step, Enroll) else ()
