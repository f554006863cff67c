"""Text messages: to whom they may go, and how many. Each one costs, and there are people who live on that.

Toll fraud has texts sent, through services like ours, to numbers that pay those who ask for them. So numbers that
nobody has proved have half of each day's budget, and the other half is left to people who sign in.
"""

from __future__ import annotations

from collections.abc import Iterator

from doorward.core.call import Call, TextMessage
from doorward.core.events import TextsHeldBack
from doorward.core.records import Account, PhoneNumber, User
from doorward.core.refusals import Refused
from doorward.primitives import phones, tokens

DAY = 86_400  # seconds
BLOCK = 4  # digits: fraud rents ten thousand numbers in a row


def require_offered(call: Call) -> None:
    """Refuse where no text messages are sent: without SMS_URL, or where the policy wants none."""
    if not call.world.texts:
        raise Refused("wrong_method", "This service sends no text messages.")


def may_be_texted(call: Call, number: str) -> bool:
    """Whether it is a phone of one of the countries that text messages go to."""
    return phones.takes_texts(number) and phones.region_of(number) in call.world.settings.texted_regions


async def number_of(call: Call, user: User) -> PhoneNumber | None:
    """The number of a user, which somebody has vouched for."""
    rows = await call.store.find(PhoneNumber, user_id=user.id, limit=1)
    return rows[0] if rows and rows[0].verified_key is not None else None


async def limit_texts(call: Call, number: str, *, own: str) -> None:
    """The budgets of a day for a message to a number that is somebody's. `own` names theirs: nobody else uses it up.

    Raises `too_many_attempts`.
    """
    await _hit(call, own, call.policy.texts_per_number)
    for name, most in _shared(call, number):
        await _hit(call, name, most, tell=True)


async def limit_unproved_texts(call: Call, user: User, number: str) -> None:
    """The same for a number that nobody has proved: its own budget, that of who asks, and half of what all share."""
    for own in (own_budget(call, "adding", user.id), own_budget(call, "added", number)):
        await _hit(call, own, max(1, call.policy.texts_per_number // 2))
    for name, most in _shared(call, number):
        await _hit(call, f"unproved-{name}", max(1, most // 2), tell=True)
    for name, most in _shared(call, number):
        await _hit(call, name, most, tell=True)


def own_budget(call: Call, what: str, subject: str) -> str:
    """The name of a budget of its own; no number stands in it."""
    return f"texts:{what}:{tokens.hmac_digest(call.keyring.key('limits'), 'texts', what, subject)}"


def _shared(call: Call, number: str) -> Iterator[tuple[str, int]]:
    """From narrow to wide: what is over its own budget must not use up everybody's."""
    policy = call.policy
    block = tokens.hmac_digest(call.keyring.key("limits"), "texts", "range", number[:-BLOCK])
    yield f"texts-range:{block}", policy.texts_per_range
    yield f"texts-country:{phones.region_of(number)}", policy.texts_per_country
    yield "texts-all", policy.texts_per_day


async def _hit(call: Call, name: str, most: int, *, tell: bool = False) -> None:
    wait = await call.world.limits.hit(name, most=most, seconds=DAY)
    if wait:
        if tell:
            await call.emit(TextsHeldBack(at=call.now, budget=name.partition(":")[0].removeprefix("unproved-")))
        raise Refused("too_many_attempts", retry_after=wait)


async def text(call: Call, reader: str, number: str, template: str, code: str = "") -> None:
    """A text message in the language of a user, by their id, in the transaction that causes it."""
    settings, life = call.world.settings, call.policy.code_life
    words = {"service": settings.rp_name}
    if code:
        words |= {"code": code, "minutes": str(int(life.total_seconds()) // 60), "host": settings.origin.host}
    account = await call.store.get(Account, user_id=reader)
    locale = "" if account is None else account.locale
    await call.later(TextMessage(number, template, words, locale), life=life)
