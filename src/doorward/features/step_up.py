"""Prove once more who you are, before something that matters (RFC 9470)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from doorward.core.accounts import account_of
from doorward.core.action import Needs, UrlText, action
from doorward.core.attempt import RECOVERY, STEP_UP
from doorward.core.call import Call
from doorward.core.demands import trust_days
from doorward.core.facts import last_used_first
from doorward.core.feature import Feature, Page
from doorward.core.refusals import Refused, invalid
from doorward.core.sign_in import Stepped, begin, current, facts_of_attempt, held, keep, step_of
from doorward.core.steps import EMAIL, LEVELS, Done, Enroll, Prove, Refuse, next_step

Acr = Literal["aal1", "aal2", "phr"]


@action("step_up", needs=Needs.SIGNED_IN)
async def step_up(
    call: Call,
    *,
    max_age: int | None = None,
    acr_values: Acr | None = None,
    return_to: UrlText | None = None,
) -> Stepped:
    """The methods that would make this session fresh; then the sign_in.* actions, with the attempt given here.
    `max_age` and `acr_values` are those of the challenge that led here (RFC 9470)."""
    identity = call.signed_in
    account = await account_of(call, identity.user)
    under_way = await begin(call, purpose=STEP_UP, issue=identity.session.kind, return_to=return_to)
    attempt = replace(
        under_way.attempt,
        user_id=identity.user.id,
        subject=identity.session.id,
        auth_epoch=account.auth_epoch,
        proofs=identity.session.proofs,
        max_age=_seconds(call, max_age),
        acr=acr_values if acr_values in LEVELS else "",
    )
    step = next_step(await facts_of_attempt(call, attempt, identity.user, account), call.world.gates)
    if isinstance(step, Done):
        return Stepped(identity=identity, return_to=attempt.return_to)
    if isinstance(step, Refuse):
        raise Refused(step.reason)
    return held(call, await keep(call, under_way, attempt), step)


def _seconds(call: Call, max_age: int | None) -> int:
    """How old a proof may be, which is never more than the policy says; 0: as it says."""
    if max_age is None:
        return 0
    if max_age < 0:
        raise invalid("max_age", "not_valid", "expected a whole number of seconds")
    return min(max(1, max_age), int(call.policy.fresh_within.total_seconds()))


async def load_start(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """What the challenge asked for, to be sent on with the form."""
    return {name: query.get(name, "") for name in ("max_age", "acr_values")}


async def load_step(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """What the attempt under way still asks for, the method used last first. `enrolling`: before a second factor is
    set up; `trust_days`: for how long this browser may be trusted."""
    under_way = await current(call, None)
    step, user = await step_of(call, under_way)
    methods = step.methods if isinstance(step, Prove | Enroll) else ()
    proved = bool(under_way.attempt.proved)
    return {
        "methods": methods if user is None else await last_used_first(call, user, methods),
        "enrolling": methods == (EMAIL.name,) and proved and under_way.attempt.purpose != STEP_UP,
        "lost": under_way.attempt.purpose == RECOVERY,
        "trust_days": 0 if user is None else await trust_days(call, user),
    }


class StepUp(Feature):
    """Fresh proof for sensitive actions."""

    actions = (step_up,)
    pages = (
        Page("/step-up", "step_up.html", load_start, Needs.SIGNED_IN),
        Page("/sign-in/second-step", "second_step.html", load_step),
    )
