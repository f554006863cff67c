"""Prove once more who you are, before something that matters (RFC 9470)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from doorward.core.accounts import account_of
from doorward.core.action import Needs, UrlText, action
from doorward.core.attempt import STEP_UP
from doorward.core.call import Call
from doorward.core.facts import facts_of
from doorward.core.feature import Feature, Page
from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.core.sign_in import Stepped, begin, current, held, keep
from doorward.core.steps import Done, Enroll, Prove, Refuse, next_step


@action("step_up", needs=Needs.SIGNED_IN)
async def step_up(call: Call, *, return_to: UrlText | None = None) -> Stepped:
    """The methods that would make this session fresh; then the sign_in.* actions, with the attempt given here."""
    identity = call.signed_in
    account = await account_of(call, identity.user)
    facts = await facts_of(call, identity.user, account, identity.proofs, fresh_within=call.policy.fresh_within)
    step = next_step(facts, call.world.gates)
    under_way = await begin(call, purpose=STEP_UP, issue=identity.session.kind, return_to=return_to)
    if isinstance(step, Done):
        return Stepped(identity=identity, return_to=under_way.attempt.return_to)
    if isinstance(step, Refuse):
        raise Refused(step.reason)
    attempt = replace(
        under_way.attempt,
        user_id=identity.user.id,
        subject=identity.session.id,
        auth_epoch=account.auth_epoch,
        proofs=identity.session.proofs,
    )
    return held(call, await keep(call, under_way, attempt), step)


async def load_step(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """What the attempt under way still asks for."""
    return {"methods": await asked(call)}


async def asked(call: Call) -> tuple[str, ...]:
    under_way = await current(call, None)
    user = await call.store.get(User, id=under_way.attempt.user_id)
    if user is None:
        return ()
    within = call.policy.fresh_within if under_way.attempt.purpose == STEP_UP else None
    facts = await facts_of(call, user, await account_of(call, user), under_way.attempt.proved, fresh_within=within)
    step = next_step(facts, call.world.gates)
    return step.methods if isinstance(step, Prove | Enroll) else ()


class StepUp(Feature):
    """Fresh proof for sensitive actions."""

    actions = (step_up,)
    pages = (
        Page("/step-up", "step_up.html", needs=Needs.SIGNED_IN),
        Page("/sign-in/second-step", "second_step.html", load_step),
    )
