"""Invite people by mail: whoever the letter reaches makes an account, or takes the role that goes with it.

An invitation is worth what who made it may do at the moment it is accepted, and ends with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import ClassVar

from doorward.core.accounts import account_of
from doorward.core.action import (
    CursorText,
    EmailText,
    IdText,
    Issue,
    NameText,
    Needs,
    RoleText,
    TokenText,
    UrlText,
    action,
)
from doorward.core.attempt import SIGN_UP
from doorward.core.call import Call, Letter
from doorward.core.cursors import page_of
from doorward.core.events import Event, SignedUp
from doorward.core.feature import Feature, Page, Sweep
from doorward.core.records import Moves, Record, User, column
from doorward.core.refusals import Refused, invalid
from doorward.core.rights import INVITE, check_may_give, grant, permissions_of
from doorward.core.sign_in import Stepped, UnderWay, begin
from doorward.core.tries import limit_letters
from doorward.core.users import check_fits, find_user
from doorward.features import sign_up
from doorward.features.sign_up import PendingSignUp
from doorward.locale import _
from doorward.primitives import text, tokens

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(Record):
    """Somebody may come in, once. `user_id` is who invites, empty for an operator; `digest` is that of the token.

    The address is another person's, so it is in no export of who invites.
    """

    table: ClassVar[str] = "doorward_invitation"
    exported: ClassVar[tuple[str, ...]] = ("id", "role", "created_at", "expires_at")
    moves: ClassVar[Moves] = Moves.ALWAYS

    id: str = column(key=True, size=64)
    digest: str = column(unique=True)
    user_id: str = column(index=True, size=64, default="")
    address: str = column(size=320)
    canonical: str = column(index=True, size=320)
    name: str = column(default="")
    role: str = column(size=150, default="")
    created_at: datetime = column()
    expires_at: datetime = column(index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationSent(Event):
    """Somebody was invited, by `user_id`; by an operator where that is empty."""

    invitation_id: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRevoked(Event):
    """An invitation is good no more. `user_id` as in `InvitationSent`."""

    invitation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationAccepted(Event):
    """`user_id` has accepted an invitation `by` somebody; by an operator where that is empty."""

    invitation_id: str
    role: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """An invitation that waits, as who made it sees it. The token is in the letter and nowhere else."""

    id: str
    address: str
    name: str
    role: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitedPeople:
    """Newest first."""

    items: tuple[Invited, ...]
    next: str | None = None


@action("invitations.create", needs=Needs.FRESH, permission=INVITE)
async def create(call: Call, *, email: EmailText, role: RoleText | None = None, name: NameText = "") -> Invited:
    """Invite somebody by mail, with a role or none. The answer is the same whether the address has an account."""
    return await invite(call, email=email, role=role or "", name=name, by=call.signed_in.user)


async def invite(call: Call, *, email: str, role: str = "", name: str = "", by: User | None = None) -> Invited:
    """The letter of an invitation, in the place of one that the same person sent before. `by` None: the operator."""
    email = email.strip(" ")
    canonical = text.canonical_address(email)
    if canonical is None:
        raise invalid("email", "not_valid", "this is not an e-mail address")
    check_fits(call, email=email, name=name)
    if role:
        await check_may_give(call, role, by=by)
    if by is not None:
        await _limit_invitations(call, by)
    await limit_letters(call, canonical)
    token, invited_by = call.new_secret(), by.id if by else ""
    invitation = Invitation(
        id=call.new_id(),
        digest=_digest(token),
        user_id=invited_by,
        address=email,
        canonical=canonical,
        name=name,
        role=role,
        created_at=call.now,
        expires_at=call.now + call.policy.invitation_life,
    )
    async with call.store.transaction():
        await call.store.remove(Invitation, canonical=canonical, user_id=invited_by)
        await call.store.add(invitation)
        await call.later(_letter(call, invitation, by, token), life=call.policy.invitation_life)
        await call.emit(InvitationSent(at=call.now, user_id=invited_by, invitation_id=invitation.id, role=role))
    return _shown(invitation)


async def _limit_invitations(call: Call, by: User) -> None:
    """Who writes to strangers has a budget a day (rule 45): a stolen session is no way to send letters to everybody."""
    most, seconds = call.policy.invitations_per_day, int(DAY.total_seconds())
    wait = await call.world.limits.hit(f"invitations:{by.id}", most=most, seconds=seconds)
    if wait:
        raise Refused("too_many_attempts", retry_after=wait)


def _letter(call: Call, invitation: Invitation, by: User | None, token: str) -> Letter:
    words = {
        "service": call.world.settings.rp_name,
        "name": "",  # nobody has proved the address: what a stranger writes to it is not carried
        "inviter": _named(by),
        "until": invitation.expires_at.isoformat(),
        "link": call.link(f"/invitations/accept?token={token}"),
    }
    return Letter(invitation.address, "invitation", words)


def _named(by: User | None) -> str:
    """Who invites, by what was proved or is unique: a name says what its owner likes."""
    return "" if by is None else by.email or by.username or ""


def _digest(token: str) -> str:
    return tokens.digest(token, purpose="invitation")


def _shown(invitation: Invitation) -> Invited:
    kept = {f.name for f in fields(Invited)}
    return Invited(**{name: value for name, value in asdict(invitation).items() if name in kept})


@action("invitations.list", method="GET", needs=Needs.SIGNED_IN, permission=INVITE)
async def list_invitations(call: Call, *, limit: int = 100, after: CursorText | None = None) -> InvitedPeople:
    """The invitations of who is signed in that wait to be accepted."""
    rows, following = await page_of(
        call, Invitation, of="invitations.list", limit=limit, after=after, user_id=call.signed_in.user.id
    )
    return InvitedPeople(tuple(_shown(row) for row in rows if row.expires_at > call.now), following)


async def waiting(call: Call, *, limit: int, after: str | None = None) -> InvitedPeople:
    """All invitations that wait, for an operator; `after` and `next` are ids."""
    last = await call.store.get(Invitation, id=after) if after else None
    if after and last is None:
        raise Refused("not_found", "There is no such invitation, or not any more.")
    where = {"expires_at__gt": call.now}
    rows = await call.store.find(Invitation, order="-created_at", limit=limit + 1, after=last, **where)
    more = len(rows) > limit
    return InvitedPeople(tuple(map(_shown, rows[:limit])), rows[limit - 1].id if more else None)


@action("invitations.revoke", needs=Needs.SIGNED_IN, permission=INVITE, status=204)
async def revoke(call: Call, *, id: IdText) -> None:
    """Take an invitation back. Somebody else's is not found."""
    await withdraw(call, id, user_id=call.signed_in.user.id)


async def withdraw(call: Call, id: str, **whose: str) -> Invited:
    """End an invitation, also in the hands of who has opened it and not yet made an account. Raises `not_found`."""
    async with call.all_or_nothing():
        gone = await call.store.take(Invitation, id=id, **whose)
        if gone is None:
            raise Refused("not_found", "There is no such invitation, or not any more.")
        await call.emit(InvitationRevoked(at=call.now, user_id=gone.user_id, invitation_id=gone.id))
    return _shown(gone)


@action("invitations.accept")
async def accept(
    call: Call,
    *,
    token: TokenText,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Accept an invitation: who has no account makes one, its address proved by the letter. Who has one gets the role
    that goes with it, once they are signed in: a letter opens nobody's account."""
    invitation = await _behind(call, token)
    owner = await find_user(call, invitation.address)
    if owner is not None:
        return await _joined(call, invitation, owner)
    under_way = await begin(
        call, purpose=SIGN_UP, issue=issue, remember=remember, return_to=return_to, life=sign_up.ATTEMPT_LIFE
    )
    return await _asked_to_choose(call, under_way, invitation)


async def _behind(call: Call, token: str) -> Invitation:
    """The invitation of a token, while it is good. Raises `invalid_token`."""
    invitation = await call.store.get(Invitation, digest=_digest(token))
    if invitation is None or invitation.expires_at <= call.now:
        raise Refused("invalid_token")
    await _inviter(call, invitation)
    return invitation


async def _inviter(call: Call, invitation: Invitation) -> User | None:
    """Who invites; None for an operator. Raises `invalid_token` where they might not do so now."""
    by = await call.store.get(User, id=invitation.user_id) if invitation.user_id else None
    try:
        if invitation.user_id and not await _may_invite(call, by):
            raise Refused("not_permitted")
        if invitation.role:
            await check_may_give(call, invitation.role, by=by)
    except Refused:
        raise Refused("invalid_token") from None
    return by


async def _may_invite(call: Call, by: User | None) -> bool:
    if by is None or not by.active or (await account_of(call, by)).closes_at is not None:
        return False
    return INVITE in await permissions_of(call, by)


async def _joined(call: Call, invitation: Invitation, owner: User) -> Stepped:
    identity = call.signed_in
    if identity.user.id != owner.id:
        raise Refused("not_permitted", "This invitation is for another account: sign in to that one.")
    async with call.all_or_nothing():
        await redeem(call, invitation.id, owner)
    return Stepped(identity=replace(identity, user=owner))


async def _asked_to_choose(call: Call, under_way: UnderWay, invitation: Invitation) -> Stepped:
    """The sign-up that has its address proved and chooses a password. The invitation is used up by its end, so that
    who closes the page can open the letter again."""
    pending = PendingSignUp(
        id=call.new_id(),
        canonical=invitation.canonical,
        address=invitation.address,
        name=invitation.name,
        password="",
        invitation=invitation.id,
        link=tokens.digest(call.new_secret(), purpose="-"),  # it has none
        created_at=call.now,
        expires_at=min(invitation.expires_at, call.now + call.policy.sign_up_life),
    )
    under_way = replace(under_way, attempt=replace(under_way.attempt, subject=pending.id, to=pending.address))
    async with call.store.transaction():
        await call.store.add(pending)
        return await sign_up.complete(call, under_way, pending)


async def redeem(call: Call, id: str, user: User) -> None:
    """Use an invitation up, in the caller's transaction: of forty at once one gets it. Raises `invalid_token`."""
    invitation = await call.store.take(Invitation, id=id, expires_at__gt=call.now)
    if invitation is None:
        raise Refused("invalid_token")
    by = await _inviter(call, invitation)
    if invitation.role:
        await grant(call, user, invitation.role, by=by)
    await call.emit(
        InvitationAccepted(
            at=call.now,
            user_id=user.id,
            invitation_id=invitation.id,
            role=invitation.role,
            by=invitation.user_id,
        )
    )


async def redeem_at_sign_up(call: Call, event: SignedUp) -> None:
    """The account that an invitation was for is there: without the invitation it is not."""
    user = await call.store.get(User, id=event.user_id) if event.invitation else None
    if user is not None:
        await redeem(call, event.invitation, user)


async def load_list(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """A page of one's invitations."""
    return {"invitations": await list_invitations.run(call, after=query.get("after") or None)}


async def load_roles(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """The roles that who is signed in can give."""
    book = call.world.roles
    mine = await permissions_of(call, call.signed_in.user)
    known = () if book is None else await book.known(call.store)
    return {"roles": [role.name for role in known if mine.cover(role.permissions)]}


async def load_link(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Who invites whom, masked. A GET changes nothing: mail scanners follow links (rule 32)."""
    token = query.get("token", "")
    if not token:
        return {"token": ""}
    invitation = await _behind(call, token)
    owner = await find_user(call, invitation.address)
    mine = owner is not None and call.identity is not None and call.identity.user.id == owner.id
    return {
        "token": token,
        "to": text.masked_address(invitation.address),
        "inviter": _named(await _inviter(call, invitation)),
        "role": invitation.role,
        "joins": mine,
        "signs_in_first": owner is not None and not mine,
    }


class Invitations(Feature):
    """People who are invited by mail, by those who may."""

    records = (Invitation,)
    actions = (create, list_invitations, revoke, accept)
    listeners = ((SignedUp, redeem_at_sign_up),)
    pages = (
        Page(
            "/invitations",
            "invitations.html",
            load_list,
            Needs.SIGNED_IN,
            permission=INVITE,
            area="invitations",
            title=_("Invitations"),
            hint=_("Who you have asked to come."),
            place=60,
        ),
        Page("/invitations/create", "invite.html", load_roles, Needs.FRESH, permission=INVITE, area="invitations"),
        Page("/invitations/accept", "invitation.html", load_link),
    )
    sweeps = (Sweep(Invitation, "expires_at"),)
