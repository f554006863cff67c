"""A code by text message as a second step: a restricted authenticator (NIST SP 800-63B-4 §3.2.9).

It never says who somebody is, resists no phishing, and stands beside a better second factor and not in its place,
unless the policy lets it (`sms_alone`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from doorward.core import by_mail, by_text, mailed
from doorward.core.action import AttemptText, CodeText, Identifier, Issue, UrlText, action
from doorward.core.call import Call
from doorward.core.demands import trust_days
from doorward.core.devices import is_known_device
from doorward.core.facts import enrolled_methods
from doorward.core.feature import Feature, Page
from doorward.core.records import Authenticator, PhoneNumber, User
from doorward.core.refusals import Refused
from doorward.core.sign_in import Stepped, UnderWay, advance, begin, current, held, keep, proof_by
from doorward.core.steps import SMS, Prove
from doorward.core.tries import fail, limit_tries, spend_try, succeed
from doorward.core.users import tell_daily
from doorward.primitives.phones import masked_phone


@action("sign_in.sms_code.send", status=202)
async def send(
    call: Call,
    *,
    identifier: Identifier | None = None,
    attempt: AttemptText | None = None,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Send a code to the phone of who has proved something else already. A code before it is good no more; the tries
    that the attempt has for typed codes stay spent. Who brings an identifier only hears what to prove first, and
    nothing is sent: the same for everybody."""
    if identifier is not None:
        under_way = await begin(call, issue=issue, remember=remember, return_to=return_to)
        kept = await keep(call, under_way, under_way.attempt)
        return held(call, kept, Prove(_first(call)))
    under_way = await current(call, attempt)
    user, number, _ = await _phone_of(call, under_way)
    await limit_tries(call, "sms-code-send", user.id, known=is_known_device(call, user.id))
    await by_text.limit_texts(call, number, own=_budget(call, user))
    asked, code = mailed.with_code(call, under_way.attempt, bound_to=number)
    # ASVS 5.0 6.6.3: to ask for another code must not give more tries.
    asked = replace(asked, code_tries=under_way.attempt.code_tries)
    async with call.store.transaction():
        kept = await keep(call, under_way, asked)  # a refusal commits: no message without its code
        await by_text.text(call, user.id, number, "sign_in_code", code)
    return held(call, kept, Prove((SMS.name,)), to=_shown(under_way, number))


@action("sign_in.sms_code", proving=True)
async def sign_in(
    call: Call, *, code: CodeText, attempt: AttemptText | None = None, trust_device: bool = False
) -> Stepped:
    """Prove the second step with the code in the text message, together with its attempt."""
    under_way = await current(call, attempt)
    user, number, made = await _phone_of(call, under_way)
    key = await limit_tries(call, "sms-code", user.id, known=is_known_device(call, user.id))
    if not await spend_try(call, made):
        await tell_daily(call, user, "second_step_closed")
        raise await fail(call, SMS.name, "wrong_code", user.id)
    under_way = await mailed.check_code(call, under_way, code, method=SMS.name, bound_to=number)
    used = await by_mail.use_up(call, under_way)
    await succeed(call, made, key)
    await call.world.limits.forget(_budget(call, user))
    proof = proof_by(call, SMS, authenticator=made.id)
    return await advance(call, used, user, proof, trust_device=trust_device)


def _first(call: Call) -> tuple[str, ...]:
    """What can say who somebody is."""
    return tuple(name for name, method in call.world.methods.items() if method.primary and name in call.world.offered)


async def _phone_of(call: Call, under_way: UnderWay) -> tuple[User, str, Authenticator]:
    """Whose phone it is, its number, and what was bound with it. Raises `wrong_method` where it is no way to go on."""
    proved = under_way.attempt.proved
    user = await call.store.get(User, id=under_way.attempt.user_id) if proved else None
    usable = user is not None and SMS.name in await enrolled_methods(call, user)
    made = await call.store.get(Authenticator, handle=f"{SMS.name}:{user.id}") if user is not None and usable else None
    phone = None if made is None else await call.store.get(PhoneNumber, id=made.data, user_id=made.user_id)
    if user is None or made is None or phone is None or not by_text.may_be_texted(call, phone.number):
        raise Refused("wrong_method")
    return user, phone.number, made


def _budget(call: Call, user: User) -> str:
    """What a stranger who has learnt the password sends is not taken from the owner's."""
    return by_text.own_budget(call, "known" if is_known_device(call, user.id) else "strangers", user.id)


def _shown(under_way: UnderWay, number: str) -> str:
    """Where the message went, masked; only to who has proved more than a mailbox (rule 4)."""
    return masked_phone(number) if any(proof.factors for proof in under_way.attempt.proved) else ""


async def load_code(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Where the code went, for the browser that asked; `trust_days` as for any second step."""
    under_way = await current(call, None)
    user, number, _ = await _phone_of(call, under_way)
    return {"to": _shown(under_way, number), "trust_days": await trust_days(call, user)}


class SmsCode(Feature):
    """Codes by text message as a second step."""

    actions = (send, sign_in)
    methods = (SMS,)
    pages = (Page("/sign-in/sms-code", "sms_code.html", load_code),)
