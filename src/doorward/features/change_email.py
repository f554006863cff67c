"""Several e-mail addresses for one account, one of them primary: add, choose, remove, and undo what somebody else did.

An address counts from its proof on, and not before: until then it is an attempt of the session that asked, so nobody
can sit on an address that is not theirs. Every change is told to all addresses; who had one before can undo it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from doorward.core import by_mail, links, mailed
from doorward.core.accounts import account_of, epoch_of
from doorward.core.action import EmailText, Needs, TokenText, action
from doorward.core.attempt import ADD_EMAIL, Attempt
from doorward.core.call import Call, Letter
from doorward.core.events import AddressesChanged, SignedOut
from doorward.core.facts import facts_of
from doorward.core.feature import Feature, Page
from doorward.core.identify import end_sessions
from doorward.core.links import MailedLink
from doorward.core.records import Account, EmailAddress, Plus, User
from doorward.core.refusals import Refused, invalid
from doorward.core.session import Session
from doorward.core.sign_in import Stepped, UnderWay, begin, held, keep
from doorward.core.steps import Prove, Verify, somebody_is_known
from doorward.core.tries import limit_letters, limit_tries
from doorward.core.users import check_fits, find_user, standing_addresses, tell, verified_since
from doorward.locale import _
from doorward.primitives import text

MOST_ADDRESSES = 10
ATTEMPT_LIFE = timedelta(hours=1)
UNDO, UNDO_LIFE = "undo_email", timedelta(days=7)
TRIES_AT_A_CHANGE = 3  # rule 44


@dataclass(frozen=True, slots=True)
class Address:
    """An address as its user sees it; one that waits for its proof is not verified."""

    email: str
    primary: bool
    verified: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Addresses:
    items: tuple[Address, ...]
    next: str | None = None


@action("email.list", method="GET", needs=Needs.SIGNED_IN)
async def list_addresses(call: Call) -> Addresses:
    """The addresses of who is signed in: the primary one first, those that wait for their proof last."""
    user = call.signed_in.user
    standing = await standing_addresses(call, user)
    asked_for = await call.store.find(Attempt, user_id=user.id, purpose=ADD_EMAIL, expires_at__gt=call.now)
    rows = sorted(standing, key=lambda row: not row.is_primary)
    known = [Address(row.address, row.is_primary, row.verified_key is not None, row.created_at) for row in rows]
    waiting = [Address(row.to, primary=False, verified=False, created_at=row.created_at) for row in asked_for]
    return Addresses((*known, *waiting))


# The owner of an address can have a password reset by it, so each change needs a fresh proof, also of who has no second
# factor (ASVS 5.0 7.5.1; rule 43 asks for less).
@action("email.add", needs=Needs.FRESH, status=202)
async def add(call: Call, *, email: EmailText) -> Stepped:
    """Ask for a further address. The answer is the same for somebody else's, who gets a letter (rule 14)."""
    identity, email = call.signed_in, email.strip(" ")
    user, canonical = identity.user, _canonical(email)
    await limit_tries(call, "email-change", user.id)
    await _refuse_more_or_twice(call, user, email, canonical)
    under_way = await begin(call, purpose=ADD_EMAIL, life=ATTEMPT_LIFE)
    await limit_letters(call, canonical)
    attempt = replace(
        under_way.attempt, user_id=user.id, subject=identity.session.id, to=email, auth_epoch=await epoch_of(call, user)
    )
    async with call.store.transaction():
        await call.store.remove(Attempt, user_id=user.id, purpose=ADD_EMAIL, subject=identity.session.id)
        under_way = await send_code(call, replace(under_way, attempt=attempt))
    return held(call, under_way, Verify("email"), to=text.masked_address(email))


def _canonical(email: str) -> str:
    canonical = text.canonical_address(email)
    if canonical is None:
        raise invalid("email", "not_valid", "this is not an e-mail address")
    return canonical


async def _refuse_more_or_twice(call: Call, user: User, email: str, canonical: str) -> None:
    check_fits(call, email=email)
    rows = await call.store.find(EmailAddress, user_id=user.id)
    if any(row.verified_key == canonical for row in rows):
        raise invalid("email", "known", "this address is yours already")
    if len(rows) >= MOST_ADDRESSES:
        raise invalid("email", "too_many", f"at most {MOST_ADDRESSES} addresses")


async def send_code(call: Call, under_way: UnderWay) -> UnderWay:
    """A new code and link for the address of an attempt; those before are good no more. Whoever owns it already is
    told instead: the same rows, and no code or link that is right. Call it in a transaction."""
    attempt = under_way.attempt
    owner = await find_user(call, attempt.to)
    taken = owner is not None and owner.id != attempt.user_id
    await call.store.remove(MailedLink, purpose=ADD_EMAIL, user_id=attempt.user_id, subject=attempt.digest)
    whose = "" if taken else attempt.user_id
    life = attempt.expires_at - call.now
    token = await links.add_link(call, ADD_EMAIL, life=life, user_id=whose, subject=attempt.digest)
    words = {"service": call.world.settings.rp_name, "name": ""}
    if taken:
        fresh, letter = mailed.with_decoy_code(call, attempt), Letter(attempt.to, "address_wanted", words)
    else:
        fresh, code = mailed.with_code(call, attempt)
        minutes = str(int(call.policy.code_life.total_seconds()) // 60)
        words |= {"code": code, "minutes": minutes, "link": call.link(f"/email/verify?token={token}")}
        letter = Letter(attempt.to, "verify_added_address", words)
    await call.later(letter, life=life)
    return await keep(call, under_way, fresh)


async def asked_by(call: Call, token: str) -> Attempt:
    """The attempt behind a link, while the session that asked still stands. Raises `invalid_token`.

    Only who is signed in to that account gets to see it: else the owner of a mailbox could be led to give an address
    to somebody else's account by one click.
    """
    link = await links.find_link(call, ADD_EMAIL, token)
    if call.signed_in.user.id != link.user_id:
        raise Refused("invalid_token")
    attempt = await call.store.get(Attempt, digest=link.subject, purpose=ADD_EMAIL, expires_at__gt=call.now)
    if attempt is None or await call.store.get(Session, id=attempt.subject, user_id=link.user_id) is None:
        raise Refused("invalid_token")
    return attempt


async def complete(call: Call, attempt: Attempt) -> Stepped:
    """The address of an attempt is proved: from now on it is the account's. It signs nobody in."""
    identity = call.signed_in

    async def story(account: Account) -> None:
        if await call.store.take(Attempt, digest=attempt.digest) is None:
            raise Refused("no_sign_in_under_way")
        await _add(call, identity.user, attempt.to)

    await _guarded(call, identity.user, story)
    call.effects.attempt, call.effects.attempt_ended = "", True
    user = await call.store.get(User, id=identity.user.id) or identity.user
    return Stepped(identity=replace(identity, user=user))


async def add_vouched(call: Call, user: User, email: str) -> None:
    """Add an address that an operator vouches for. It is told as any other is."""
    await _guarded(call, user, lambda account: _add(call, user, email.strip(" ")))


async def _add(call: Call, user: User, address: str) -> None:
    canonical = _canonical(address)
    await _refuse_more_or_twice(call, user, address, canonical)
    before = await standing_addresses(call, user)
    added = EmailAddress(
        id=call.new_id(),
        user_id=user.id,
        address=address,
        canonical=canonical,
        canonical_version=text.CANONICAL_VERSION,
        verified_key=canonical,
        verified_at=call.now,
        created_at=call.now,
    )
    if not await call.store.add(added):  # somebody else proved it in the meantime
        raise Refused("state_changed")
    trusted = next((row for row in before if not row.id), None)
    if not before or (trusted is not None and trusted.canonical == canonical):
        await _make_primary(call, user, added)
    await _changed(call, user, "added")
    for row in before:
        undo = Undo(row.address, is_primary=row.is_primary, is_exempt=not row.id, newcomer=added.id)
        await tell(call, user, "address_added", await _words(call, user, address, undo), to=row.address)
    await tell(call, user, "address_added", await _words(call, user, address), to=address)


@action("email.make_primary", needs=Needs.FRESH, status=204)
async def make_primary(call: Call, *, email: EmailText) -> None:
    """Make a verified address the one that letters go to and that others see. The one before can undo it."""
    user = call.signed_in.user
    await limit_tries(call, "email-change", user.id)

    async def story(account: Account) -> None:
        before = await standing_addresses(call, user)
        chosen = _one_of(before, email)
        if chosen.is_primary:
            return
        await _make_primary(call, user, chosen)
        await _changed(call, user, "primary")
        for row in before:
            undo = Undo(row.address, is_primary=True, is_exempt=not row.id)
            may_undo = row.is_primary and verified_since(row) < verified_since(chosen)
            words = await _words(call, user, chosen.address, undo if may_undo else None)
            await tell(call, user, "address_made_primary", words, to=row.address)

    await _guarded(call, user, story)


@action("email.remove", needs=Needs.FRESH, status=204)
async def remove(call: Call, *, email: EmailText) -> None:
    """Remove an address, or ask no more for one that is not verified. The last verified one stays."""
    user = call.signed_in.user
    await limit_tries(call, "email-change", user.id)
    if await _withdrawn(call, user, email):
        return

    async def story(account: Account) -> None:
        before = await standing_addresses(call, user)
        gone = _one_of(before, email)
        left = [row for row in before if row.canonical != gone.canonical]
        if not any(row.verified_key for row in left):
            raise Refused("last_address")
        await call.store.remove(EmailAddress, id=gone.id, user_id=user.id)
        if gone.is_primary:
            await _make_primary(call, user, left[0])
        await _changed(call, user, "removed")
        # Who came later can't undo what those who were there before have done.
        may_undo = any(verified_since(row) > verified_since(gone) for row in left)
        undo = Undo(gone.address, is_primary=gone.is_primary, is_exempt=not gone.id)
        words = await _words(call, user, gone.address, undo if may_undo else None)
        await tell(call, user, "address_removed", words, to=gone.address)
        for row in left:
            await tell(call, user, "address_removed", await _words(call, user, gone.address), to=row.address)

    await _guarded(call, user, story)


async def _withdrawn(call: Call, user: User, email: str) -> bool:
    waiting = await call.store.find(Attempt, user_id=user.id, purpose=ADD_EMAIL)
    gone = [row.digest for row in waiting if text.canonical_address(row.to) == text.canonical_address(email)]
    return bool(gone) and await call.store.remove(Attempt, user_id=user.id, digest__in=gone) > 0


def _one_of(rows: Sequence[EmailAddress], email: str) -> EmailAddress:
    canonical = text.canonical_address(email)
    found = next((row for row in rows if row.canonical == canonical), None)
    if found is None:
        raise Refused("not_found")
    return found


async def _guarded(call: Call, user: User, story: Callable[[Account], Awaitable[None]]) -> None:
    """A rule over several rows: by the account's version, one at a time (rule 44). A refusal undoes all of it."""
    for _try in range(TRIES_AT_A_CHANGE):
        account = await account_of(call, user)
        seen = {"user_id": user.id, "version": account.version}
        async with call.all_or_nothing():
            if await call.store.change(Account, seen, version=Plus(1)) == 1:
                return await story(account)
    raise Refused("state_changed")


async def _make_primary(call: Call, user: User, chosen: EmailAddress) -> None:
    """The user's row follows. A host's address that was taken on trust is so no more (rule 3)."""
    await call.store.change(EmailAddress, {"user_id": user.id, "is_primary": True}, is_primary=False)
    await call.store.change(EmailAddress, {"id": chosen.id, "user_id": user.id}, is_primary=True)
    await call.store.change(Account, {"user_id": user.id}, address_exempt=False)
    await _write_email(call, user, chosen.address)


async def _write_email(call: Call, user: User, address: str) -> None:
    if await call.store.change(User, {"id": user.id}, email=address) != 1:
        # The host's own table holds it for another of its users, or the user is gone.
        raise Refused("state_changed")


async def _changed(call: Call, user: User, what: str) -> None:
    """What was mailed before a change, and sign-ins under way that it could finish, end with it (rule 8)."""
    await links.remove_links(call, user.id, *by_mail.LINKS)
    await call.store.remove(Attempt, user_id=user.id)
    await call.emit(AddressesChanged(at=call.now, user_id=user.id, what=what))


class Undo(NamedTuple):
    """What an undo brings back: the address that was told, and how it stood; a newcomer's id, who goes again."""

    address: str
    is_primary: bool
    is_exempt: bool
    newcomer: str = ""

    def __str__(self) -> str:
        marks = f"{'p' * self.is_primary}{'e' * self.is_exempt}-"
        return f"{marks} {self.newcomer} {self.address}"

    @classmethod
    def read(cls, subject: str) -> Undo:
        marks, newcomer, address = subject.split(" ", 2)
        return cls(address, "p" in marks, "e" in marks, newcomer)


async def _words(call: Call, user: User, address: str, undo: Undo | None = None) -> Mapping[str, str]:
    """What a letter says of a change: the address it is about, and a link where the reader may undo it."""
    words = {"address": text.masked_address(address), "undo_link": ""}
    if undo is not None:
        token = await links.add_link(call, UNDO, life=UNDO_LIFE, user_id=user.id, subject=str(undo))
        words["undo_link"] = call.link(f"/email/undo?token={token}")
    return words


@action("email.undo", status=202)
async def undo(call: Call, *, token: TokenText) -> Stepped:
    """Undo a change of addresses, and those after it that the same address was told of: ends all sessions, and starts a
    sign-in with all its steps. It proves nothing and opens nothing (rule 9)."""
    link = await links.find_link(call, UNDO, token)
    user = await call.store.get(User, id=link.user_id)
    if user is None:
        raise Refused("invalid_token")
    under_way = await begin(call)

    async def story(account: Account) -> None:
        await _undo(call, user, await links.take_link(call, UNDO, token))

    await _guarded(call, user, story)
    account = await account_of(call, user)
    kept = await keep(call, under_way, replace(under_way.attempt, user_id=user.id))
    return held(call, kept, somebody_is_known(await facts_of(call, user, account, ())) or Prove(()))


async def _undo(call: Call, user: User, link: MailedLink) -> None:
    rows = await call.store.find(MailedLink, user_id=user.id, purpose=UNDO, created_at__gt=link.created_at)
    told = Undo.read(link.subject).address
    after = [row for row in rows if Undo.read(row.subject).address == told]
    await call.store.remove(MailedLink, digest__in=[row.digest for row in after])
    undone = [Undo.read(row.subject) for row in (link, *after)]
    before = await standing_addresses(call, user)
    back = await _bring_back(call, user, undone[0])
    newcomers = [one.newcomer for one in undone if one.newcomer]
    await call.store.remove(EmailAddress, user_id=user.id, id__in=newcomers)
    left = await standing_addresses(call, user)
    if any(one.is_primary for one in undone) and back is not None:
        await _make_primary(call, user, back)
    elif not any(row.is_primary for row in left):
        await _make_primary(call, user, left[0])
    await _changed(call, user, "undone")
    await end_sessions(call, user.id)
    await call.emit(SignedOut(at=call.now, user_id=user.id))  # API keys that a thief has made end, too
    for address in dict.fromkeys(row.address for row in (*before, *await standing_addresses(call, user))):
        await tell(call, user, "address_change_undone", {"address": text.masked_address(told)}, to=address)


async def _bring_back(call: Call, user: User, undo: Undo) -> EmailAddress | None:
    """The address of an undo, as one of the account again; None where it is the host's, taken on trust as before."""
    canonical = _canonical(undo.address)
    found = await call.store.get(EmailAddress, verified_key=canonical)
    if found is not None and found.user_id == user.id:
        return found
    row = EmailAddress(
        id=call.new_id(),
        user_id=user.id,
        address=undo.address,
        canonical=canonical,
        canonical_version=text.CANONICAL_VERSION,
        verified_key=canonical,
        verified_at=call.now,
        created_at=call.now,
    )
    if found is not None or not (undo.is_exempt or await call.store.add(row)):
        raise Refused("state_changed", "Another account has confirmed this address since. Sign in, or ask for help.")
    if not undo.is_exempt:
        return row
    await call.store.change(EmailAddress, {"user_id": user.id, "is_primary": True}, is_primary=False)
    await call.store.change(Account, {"user_id": user.id}, address_exempt=True)
    await _write_email(call, user, undo.address)
    return None


async def load_undo(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """What the page of an undo shows. A GET changes nothing (rule 32)."""
    token = query.get("token", "")
    link = await links.find_link(call, UNDO, token) if token else None
    return {"token": token, "to": text.masked_address(Undo.read(link.subject).address) if link else ""}


class ChangeEmail(Feature):
    """E-mail addresses that people add, choose and remove themselves."""

    actions = (list_addresses, add, make_primary, remove, undo)
    pages = (
        Page(
            "/email",
            "email.html",
            needs=Needs.FRESH,
            reads=("email.list",),
            area="account",
            title=_("E-mail addresses"),
            row="email_row.html",
        ),
        Page("/email/undo", "undo_email.html", load_undo),
    )
