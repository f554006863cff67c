"""Sign in by a code that is mailed: typed where it was asked for, and worth no more than the mailbox (rule 6)."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.core import by_mail
from doorward.core.action import AttemptText, CodeText, Identifier, Issue, UrlText, action
from doorward.core.attempt import RESET, SIGN_IN, STEP_UP
from doorward.core.by_mail import Owner
from doorward.core.call import Call
from doorward.core.feature import Feature, Page
from doorward.core.refusals import Refused
from doorward.core.sign_in import Stepped, UnderWay, advance, begin, current, held, keep, proof_by, step_of
from doorward.core.steps import EMAIL, Prove
from doorward.core.tries import limit_letters, limit_tries
from doorward.core.users import canonical_identifier, tell

PURPOSES = (SIGN_IN, STEP_UP, RESET)


@action("sign_in.email_code.send", status=202)
async def send(
    call: Call,
    *,
    identifier: Identifier | None = None,
    attempt: AttemptText | None = None,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Send a code to the address of an identifier; or, for an attempt under way, another one, or that of a step-up. The
    answer is the same for who is unknown."""
    if identifier is None:
        under_way, identifier, owner = await _asked_before(call, attempt)
        await _limit(call, identifier)
    else:
        by_mail.require_offered(call)
        under_way = await begin(call, issue=issue, remember=remember, return_to=return_to)
        await _limit(call, identifier)
        owner = await by_mail.owner_of(call, identifier)
    async with call.store.transaction():
        asked, code = await by_mail.with_code(call, under_way.attempt, owner, to=identifier)
        kept = await keep(call, under_way, asked)  # a refusal commits: no letter without its code
        await _write(call, owner, code)
    return held(call, kept, Prove((EMAIL.name,)), to=by_mail.shown_to(identifier))


async def _limit(call: Call, identifier: str) -> None:
    canonical = canonical_identifier(identifier)
    await limit_tries(call, "email-code", canonical)
    await limit_letters(call, canonical)


async def _asked_before(call: Call, attempt: str | None) -> tuple[UnderWay, str, Owner | None]:
    """The attempt that a further code is for: one that waits for a code, or one of which the mailbox is asked, as it is
    before a second factor is enrolled (rule 7)."""
    under_way = await _current(call, attempt)
    asked = under_way.attempt
    if not asked.user_id:
        return under_way, asked.to, await by_mail.owner_of(call, asked.to)
    step, user = await step_of(call, under_way)
    owner = None if user is None else await by_mail.mailbox_of(call, user)
    if owner is None or not isinstance(step, Prove) or EMAIL.name not in step.methods:
        raise Refused("wrong_method")
    return under_way, owner.address, owner


async def _current(call: Call, attempt: str | None) -> UnderWay:
    """An attempt that somebody has proved something in; or, where mail lets in, one that has only asked for a code. The
    code that is to reset a password signs nobody in."""
    under_way = await current(call, attempt, purpose=PURPOSES)
    if not under_way.attempt.user_id:
        if under_way.attempt.purpose == RESET:
            raise Refused("no_sign_in_under_way")
        by_mail.require_offered(call)
    return under_way


async def _write(call: Call, owner: Owner | None, code: str) -> None:
    life = call.policy.code_life
    if owner is None:
        return await call.later(None, life=life)
    words = {"code": code, "minutes": str(int(life.total_seconds()) // 60)}
    await tell(call, owner.user, "sign_in_code", words, to=owner.address, life=life)


@action("sign_in.email_code", proving=True)
async def sign_in(
    call: Call, *, code: CodeText, attempt: AttemptText | None = None, trust_device: bool = False
) -> Stepped:
    """Prove the mailbox by the code in the letter, together with its attempt. A second factor is asked for as ever."""
    under_way, user = await by_mail.check_code(call, await _current(call, attempt), code)
    used = await by_mail.use_up(call, under_way)
    return await advance(call, used, user, proof_by(call, EMAIL), trust_device=trust_device)


async def load_code(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Where the code went, for the browser that asked."""
    under_way = await _current(call, None)
    return {"to": by_mail.shown_to(under_way.attempt.to)}


class EmailCode(Feature):
    """Codes by mail as a way in."""

    actions = (send, sign_in)
    methods = (EMAIL,)
    pages = (
        Page("/sign-in/email-code/send", "email_code_send.html"),
        Page("/sign-in/email-code", "email_code.html", load_code),
    )
