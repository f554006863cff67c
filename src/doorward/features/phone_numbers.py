"""A phone number that people add themselves, by a code in a text message: to sign in by, and later as a second step.

It counts from its proof on. A number that takes the place of another is told to all addresses, and for a day it proves
nothing: `sms_settling` of the policy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from doorward.core import by_text, mailed
from doorward.core.accounts import account_of
from doorward.core.action import CodeText, Needs, ShortName, action
from doorward.core.attempt import ADD_PHONE, Attempt
from doorward.core.call import Call
from doorward.core.demands import is_the_last
from doorward.core.events import AuthenticatorAdded, AuthenticatorRemoved
from doorward.core.facts import enrolled_methods
from doorward.core.feature import Feature, Page
from doorward.core.records import Account, Authenticator, PhoneNumber, Plus, User
from doorward.core.refusals import Refused, invalid
from doorward.core.sign_in import Stepped, UnderWay, begin
from doorward.core.steps import SMS, Verify
from doorward.core.tries import limit_tries
from doorward.core.users import tell
from doorward.locale import _
from doorward.primitives.phones import canonical_phone, masked_phone


@dataclass(frozen=True, slots=True)
class Phone:
    """A number as its user sees it. `second_step`: it can be one now; `settles_at`: from when on it may be, at the
    earliest, where a code has proved it."""

    phone: str
    verified: bool
    second_step: bool
    settles_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Phones:
    items: tuple[Phone, ...]
    next: str | None = None


@action("phone.list", method="GET", needs=Needs.SIGNED_IN)
async def list_phones(call: Call) -> Phones:
    """The number of who is signed in, and one that waits for its code."""
    user = call.signed_in.user
    number, factor = await by_text.number_of(call, user), await _factor(call, user)
    proves = SMS.name in await enrolled_methods(call, user)
    settles = None if factor is None else factor.created_at + call.policy.sms_settling
    known = [] if number is None else [Phone(number.number, True, proves, settles, number.created_at)]
    asked = await _asked(call)
    waiting = [] if asked is None else [Phone(asked.to, False, False, None, asked.created_at)]
    return Phones((*known, *waiting))


# A number is a way to say who one is, and a factor: adding one is binding (NIST SP 800-63B-4 §3.1.3.3, rule 43).
@action("phone.add", needs=Needs.FRESH, status=202)
async def add(call: Call, *, phone: ShortName) -> Stepped:
    """Ask for a code at a number, which takes the place of the present one once that is typed. The answer is the same
    for somebody else's number, whose owner is told (rule 14)."""
    by_text.require_offered(call)
    identity = call.signed_in
    user, number = identity.user, _canonical(call, phone)
    await limit_tries(call, "phone-change", user.id)
    present, factor = await by_text.number_of(call, user), await _factor(call, user)
    if present is not None and present.number == number and factor is not None:
        raise invalid("phone", "known", "this number is yours already")
    await by_text.limit_unproved_texts(call, user, number)
    attempt = replace(
        (await begin(call, purpose=ADD_PHONE, life=call.policy.code_life)).attempt,
        user_id=user.id,
        subject=identity.session.id,
        to=number,
        auth_epoch=(await account_of(call, user)).auth_epoch,
    )
    owner = await call.store.get(PhoneNumber, verified_key=number)
    reader = user.id if owner is None else owner.user_id
    async with call.store.transaction():
        await call.store.remove(Attempt, user_id=user.id, purpose=ADD_PHONE)
        if reader != user.id:
            asked, code, template = mailed.with_decoy_code(call, attempt), "", "phone_wanted"
        else:
            (asked, code), template = mailed.with_code(call, attempt, bound_to=number), "verify_phone"
        await by_text.text(call, reader, number, template, code)
        await call.store.add(asked)
    left = int(call.policy.code_life.total_seconds())
    return Stepped(hold=Verify("phone"), to=masked_phone(number), expires_in=left)


def _canonical(call: Call, phone: str) -> str:
    number = canonical_phone(phone, region=call.world.settings.phone_region)
    if number is None:
        raise invalid("phone", "not_valid", "no number of a person; with its country, such as +49 171 1234567")
    if not by_text.may_be_texted(call, number):
        raise invalid("phone", "not_offered", "no mobile number of a country that this service sends messages to")
    return number


async def _factor(call: Call, user: User) -> Authenticator | None:
    return await call.store.get(Authenticator, handle=f"{SMS.name}:{user.id}")


async def _asked(call: Call) -> Attempt | None:
    """The number that this session waits for. Its attempt needs no secret: it is worth nothing in another session."""
    session = call.signed_in.session
    where: dict[str, Any] = {
        "user_id": session.user_id,
        "subject": session.id,
        "purpose": ADD_PHONE,
        "expires_at__gt": call.now,
    }
    rows = await call.store.find(Attempt, order="-created_at", limit=1, code_tries__lt=call.policy.code_tries, **where)
    return rows[0] if rows else None


@action("phone.confirm", needs=Needs.SIGNED_IN, status=204, proving=True)
async def confirm(call: Call, *, code: CodeText) -> None:
    """Prove the number by the code that came to it; the one before goes. Told to all addresses."""
    by_text.require_offered(call)
    user, asked = call.signed_in.user, await _asked(call)
    if asked is None:
        raise Refused("state_changed", "Ask for a code first: none is under way, or it had too many wrong tries.")
    await mailed.check_code(call, UnderWay(asked, "", stored=True), code, method=SMS.name, bound_to=asked.to)
    async with call.all_or_nothing():
        if await call.store.take(Attempt, digest=asked.digest, code=asked.code) is None:
            raise Refused("wrong_code")
        await call.store.change(Account, {"user_id": user.id}, version=Plus(1))
        await _drop(call, user, except_for=asked.to)
        if not await call.store.add(*_bound(call, user, asked.to)):  # somebody else proved it in the meantime
            raise Refused("state_changed")
        await call.emit(AuthenticatorAdded(at=call.now, user_id=user.id, kind=SMS.name))
        await tell(call, user, "authenticator_added", {"kind": _("phone number"), "device": masked_phone(asked.to)})


def _bound(call: Call, user: User, number: str) -> tuple[PhoneNumber, Authenticator]:
    """A number that its user has proved, and the factor that it is: by the id of its row, so that no other is it."""
    id = call.new_id()
    phone = PhoneNumber(
        id=id, user_id=user.id, number=number, verified_key=number, verified_at=call.now, created_at=call.now
    )
    factor = Authenticator(
        id=call.new_id(),
        user_id=user.id,
        kind=SMS.name,
        handle=f"{SMS.name}:{user.id}",
        data=id,
        created_at=call.now,
    )
    return phone, factor


async def _drop(call: Call, user: User, *, except_for: str = "") -> bool:
    """Take the number away, as a name and as a factor; told, unless it gives way to itself. False: there is none."""
    present = await by_text.number_of(call, user)
    await call.store.remove(Authenticator, user_id=user.id, kind=SMS.name)
    await call.store.remove(PhoneNumber, user_id=user.id)
    if present is not None and present.number != except_for:
        await call.emit(AuthenticatorRemoved(at=call.now, user_id=user.id, kind=SMS.name))
        words = {"kind": _("phone number"), "device": masked_phone(present.number)}
        await tell(call, user, "authenticator_removed", words)
    return present is not None


@action("phone.remove", needs=Needs.FRESH, status=204)
async def remove(call: Call) -> None:
    """Remove the number, and ask no more for one that waits for its code. Told to all addresses."""
    user = call.signed_in.user
    account = await account_of(call, user)
    if SMS.name in await enrolled_methods(call, user) and await is_the_last(call, user, SMS.name):
        raise Refused("last_authenticator")
    async with call.all_or_nothing():
        # A rule over several rows: guarded by the account's version (rule 44).
        seen = {"user_id": user.id, "version": account.version}
        if await call.store.change(Account, seen, version=Plus(1)) != 1:
            raise Refused("state_changed")
        withdrawn = await call.store.remove(Attempt, user_id=user.id, purpose=ADD_PHONE)
        if not await _drop(call, user) and not withdrawn:
            raise Refused("not_found")


class PhoneNumbers(Feature):
    """Phone numbers that people add and remove themselves."""

    actions = (list_phones, add, confirm, remove)
    pages = (
        Page(
            "/phone",
            "phone.html",
            needs=Needs.FRESH,
            reads=("phone.list",),
            area="security",
            title=_("Phone number"),
            row="phone_row.html",
            place=25,
        ),
    )
