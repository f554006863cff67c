"""Who is let in by mail: whose mailbox an address is, what is sent there, and whom a code or link from it stands for.

Nothing here tells who exists: for nobody the same rows are written, and no code or link of theirs is ever right.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from doorward.core import links, mailed
from doorward.core.accounts import epoch_of
from doorward.core.attempt import Attempt
from doorward.core.call import Call
from doorward.core.links import MailedLink
from doorward.core.records import PERSON, Account, EmailAddress, User
from doorward.core.refusals import Refused
from doorward.core.sign_in import UnderWay
from doorward.core.users import addresses_of, find_user
from doorward.primitives import text

# Links of one kind that are good for a user at the same time: the newest ones (rule 8).
MOST_LIVE = 3
# Users of a host who share an address that none of them proved: so many get a letter each.
MOST_SHARING = 5
# The links that let in by mail. What changes an address ends them: `remove_links(call, user_id, *LINKS)`.
RESET_LINK, MAGIC_LINK = LINKS = "reset", "magic_link"


class Owner(NamedTuple):
    """Who reads the mail of an address. `address` is as it stands in our books: what was typed is never written to."""

    user: User
    address: str


def require_offered(call: Call) -> None:
    """Refuse where the policy lets nobody in by mail (rule 6)."""
    if not call.policy.sign_in_by_mail:
        raise Refused("wrong_method", "This service lets nobody in by mail alone. Sign in another way.")


async def owners_of(call: Call, address: str) -> list[Owner]:
    """Whose mailbox an address is: who proved it, else those of the host who had it before us (rule 3).

    Disabled accounts and those of programs are nobody's.
    """
    canonical = text.canonical_address(address)
    if canonical is None:
        return []
    proved = await call.store.get(EmailAddress, verified_key=canonical)
    if proved is not None:
        user = await call.store.get(User, id=proved.user_id)
        return [Owner(user, proved.address)] if user is not None and await _may_sign_in(call, user) else []
    users = await call.store.find(User, limit=MOST_SHARING, email=address.strip(" "))
    same = [user for user in users if text.canonical_address(user.email or "") == canonical]
    return [Owner(user, user.email or "") for user in same if await _may_sign_in(call, user, before_us=True)]


async def _may_sign_in(call: Call, user: User, *, before_us: bool = False) -> bool:
    account = await call.store.get(Account, user_id=user.id)
    if account is None:
        return user.active
    return user.active and account.kind == PERSON and (account.address_exempt or not before_us)


async def owner_of(call: Call, identifier: str) -> Owner | None:
    """The one whom an address or user name means, and where they read mail; None where it is nobody, or several."""
    owners = await owners_of(call, identifier)
    if owners:
        return owners[0] if len(owners) == 1 else None
    user = await find_user(call, identifier)
    return await mailbox_of(call, user) if user is not None and await _may_sign_in(call, user) else None


async def mailbox_of(call: Call, user: User) -> Owner | None:
    """A user, and the first of the addresses through which they are told things."""
    addresses = await addresses_of(call, user)
    if not addresses:
        return None
    return Owner(user, user.email if user.email and user.email in addresses else addresses[0])


def shown_to(identifier: str) -> str:
    """Where a letter went, masked; only where the client sent that address itself (rule 4)."""
    return text.masked_address(identifier) if text.canonical_address(identifier) else ""


async def with_code(call: Call, attempt: Attempt, owner: Owner | None, *, to: str) -> tuple[Attempt, str]:
    """The attempt with a new code for its owner, and the code; for nobody with a decoy, and no code.

    Until the code is typed it is bound to nobody (rule 4): `subject` is who may become its user, `to` is what the
    client typed, and nothing that a client sees tells it from a decoy's.
    """
    epoch = await epoch_of(call, None if owner is None else owner.user)
    asked = replace(attempt, to=to, auth_epoch=attempt.auth_epoch or epoch)
    if not asked.user_id:
        asked = replace(asked, subject="" if owner is None else owner.user.id)
    if owner is None:
        return mailed.with_decoy_code(call, asked), ""
    return mailed.with_code(call, asked, bound_to=owner.address)


async def check_code(call: Call, under_way: UnderWay, code: str) -> tuple[UnderWay, User]:
    """Spend a try, and say whose code this is. The mailbox it went to must still be theirs. `use_up` it then.

    Raises `wrong_code`, also for who was disabled or has another address now; `attempt_expired` after the last try.
    """
    owner = await _meant(call, under_way.attempt)
    address = owner.address if owner is not None else call.new_secret()
    under_way = await mailed.check_code(call, under_way, code, bound_to=address)
    if owner is None:
        raise Refused("wrong_code")
    return under_way, owner.user


async def use_up(call: Call, under_way: UnderWay) -> UnderWay:
    """A code is good once: of forty parallel requests one uses it up."""
    asked = under_way.attempt
    if under_way.stored:
        mine = {"digest": asked.digest, "code": asked.code}
        if await call.store.change(Attempt, mine, code="", code_expires_at=None) != 1:
            raise Refused("wrong_code")
    return replace(under_way, attempt=replace(asked, code="", code_expires_at=None))


async def _meant(call: Call, asked: Attempt) -> Owner | None:
    sharing: list[Owner | None] = [*await owners_of(call, asked.to)] or [await owner_of(call, asked.to)]
    wanted = asked.user_id or asked.subject
    return next((owner for owner in sharing if owner is not None and owner.user.id == wanted), None)


async def add_link(call: Call, purpose: str, owner: Owner | None, *, life: timedelta) -> str:
    """The token of a link that lets an owner in; for nobody a decoy. In the transaction of its letter."""
    epoch = await epoch_of(call, None if owner is None else owner.user)
    if owner is None:
        return await links.add_link(call, purpose, life=life)
    return await links.add_link(
        call, purpose, life=life, user_id=owner.user.id, subject=owner.address, auth_epoch=epoch
    )


async def behind(call: Call, link: MailedLink) -> Owner:
    """Whom a link lets in: its mailbox is still theirs, and fewer than three newer ones were asked for.

    Raises `invalid_token`.
    """
    newer = {"user_id": link.user_id, "purpose": link.purpose, "created_at__gt": link.created_at}
    owners = await owners_of(call, link.subject)
    owner = next((owner for owner in owners if owner.user.id == link.user_id), None)
    if owner is None or await call.store.count(MailedLink, **newer) >= MOST_LIVE:
        raise Refused("invalid_token")
    return owner
