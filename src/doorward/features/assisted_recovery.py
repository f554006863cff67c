"""An administrator helps who lost everything: with a link, good once, by which they set it up anew themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorward.core.accounts import account_of
from doorward.core.action import IdText, Issue, Needs, PasswordText, TokenText, UrlText, action, demanded
from doorward.core.attempt import RECOVERY
from doorward.core.call import Call
from doorward.core.doorward import require
from doorward.core.events import RecoveryAssisted
from doorward.core.feature import Feature, Page
from doorward.core.identify import end_sessions
from doorward.core.links import add_link, find_link, remove_links, take_link
from doorward.core.records import PERSON, Account, Authenticator, Plus, User
from doorward.core.recovering import ASSISTED_LINK, cancel_link
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.rights import RECOVER_USERS, permissions_of
from doorward.core.sign_in import Stepped, advance, begin, proof_by
from doorward.core.steps import ASSISTED
from doorward.core.tries import limit_tries
from doorward.core.users import addresses_of, standing_addresses, tell
from doorward.features import password as passwords
from doorward.features.password_rules import check_new_password
from doorward.primitives import hashing, text

LINK_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Assistance:
    """What was made: a link, shown this once, to be handed to the person; without `link` it was mailed."""

    link: str | None
    expires_at: datetime


@action("users.recover", needs=Needs.FRESH, permission=RECOVER_USERS)
async def recover(call: Call, *, user_id: IdText, show: bool = False) -> Assistance:
    """Make the link for somebody, and mail it to their main address; with `show` it is in the answer instead, for who
    has no address any more. Needs a fresh AAL2. Nobody helps who may do more than they may."""
    await require(call, demanded(Needs.FRESH, permission=RECOVER_USERS, aal=2))
    helper = call.signed_in.user
    await limit_tries(call, "users-recover", helper.id)
    user = await call.store.get(User, id=user_id)
    if user is None:
        raise Refused("not_found", "There is no such user.")
    if user.id == helper.id:
        raise Refused("not_permitted", "Nobody recovers their own account: ask another administrator.")
    return await assist(call, user, by=helper, show=show)


async def assist(call: Call, user: User, *, by: User | None, show: bool) -> Assistance:
    """The story of it. `by` is who helps, who must have all permissions of who is helped; None: the operator. Whoever
    holds the link becomes that user, so it can't be a way to more power."""
    if not call.world.offers("recovery.cancel"):  # what removes lost factors, and what every address can stop it by
        raise Misconfigured("recovery.E1", "AssistedRecovery() needs LostFactor(); add it to Auth(…)")
    account = await account_of(call, user)
    if not user.active or account.kind != PERSON:
        raise Refused("state_changed", "Nobody may sign in to this account: it is closed, or a program's.")
    if by is not None and not (await permissions_of(call, by)).cover(await permissions_of(call, user)):
        raise Refused("not_permitted", "Nobody helps somebody who may do what they may not.")
    addresses = await standing_addresses(call, user)
    if not addresses and not show:
        raise Refused("wrong_method", "There is no address to mail the link to.")
    async with call.all_or_nothing():
        await remove_links(call, user.id, ASSISTED_LINK)
        helper = by.id if by else ""
        token = await add_link(
            call, ASSISTED_LINK, life=LINK_LIFE, user_id=user.id, subject=helper, auth_epoch=account.auth_epoch
        )
        link, until = call.link(f"/recovery/assisted?token={token}"), call.now + LINK_LIFE
        words = {"until": until.isoformat(), "cancel_link": await cancel_link(call, user, LINK_LIFE)}
        await tell(call, user, "recovery_assisted", words)
        if not show:
            to = next((row.address for row in addresses if row.is_primary), addresses[0].address)
            mailed = {"link": link, "until": until.isoformat()}
            await tell(call, user, "recovery_link", mailed, to=to, life=LINK_LIFE)
        await call.emit(RecoveryAssisted(at=call.now, user_id=user.id, by=by.id if by else ""))
    return Assistance(link if show else None, until)


@action("recovery.assisted", proving=True)
async def open_link(
    call: Call,
    *,
    token: TokenText,
    new_password: PasswordText | None = None,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Use the link: choose a new password, or prove the present one next; then enrol another second factor, if there
    was one. All sessions end. The link alone lets nobody in."""
    user = await _user_behind(call, token)
    under_way = await begin(call, purpose=RECOVERY, issue=issue, remember=remember, return_to=return_to)
    authenticator = await passwords.password_of(call, user)
    new_hash = "" if new_password is None else await _hash_of(call, user, new_password)
    async with call.all_or_nothing():
        link = await take_link(call, ASSISTED_LINK, token)
        # What ends sessions at this moment ends the link: the epoch it was made under is the guard.
        still = {"user_id": user.id, "auth_epoch": link.auth_epoch}
        if await call.store.change(Account, still, version=Plus(1)) != 1:
            raise Refused("invalid_token")
        await _demand_helper(call, link.subject, user)
        if new_hash:
            await passwords.bind_anew(call, user, authenticator, new_hash, by_mail=False)
        else:
            await end_sessions(call, user.id)
        await tell(call, user, "recovery_link_used")
        fresh = await call.store.get(User, id=user.id) or user
        proofs = [proof_by(call, ASSISTED)]
        if new_hash:
            proofs.append(proof_by(call, passwords.METHOD, authenticator=authenticator.id))
        stepped = await advance(call, under_way, fresh, *proofs)
    call.effects.known_device = user.id  # rule 12: with tries that strangers can't use up
    return stepped


async def _demand_helper(call: Call, helper_id: str, user: User) -> None:
    """Who made the link might make it now: what their user was given since is no way to more power either. An operator
    always might."""
    if not helper_id:
        return
    helper = await call.store.get(User, id=helper_id)
    may = None if helper is None or not helper.active else await permissions_of(call, helper)
    if may is None or RECOVER_USERS not in may or not may.cover(await permissions_of(call, user)):
        raise Refused("invalid_token")


async def _user_behind(call: Call, token: str) -> User:
    user = await call.store.get(User, id=(await find_link(call, ASSISTED_LINK, token)).user_id)
    if user is None or not user.active:
        raise Refused("invalid_token")
    return user


async def _hash_of(call: Call, user: User, new_password: str) -> str:
    await limit_tries(call, "recovery-assisted", user.id)  # a slow hash each
    context = [user.name, user.username or "", *await addresses_of(call, user)]
    await check_new_password(call, new_password, context=context)
    return await call.hash.hash(new_password)


async def load_assisted(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """What the link would do: whose account it is, and what will be gone. Looking changes nothing (rule 32)."""
    token = query.get("token", "")
    if not token:
        return {"token": "", "to": "", "username": "", "lost": (), "has_password": False}
    user = await _user_behind(call, token)
    rows = await call.store.find(Authenticator, user_id=user.id)
    stored = user.password or next((row.data for row in rows if row.kind == passwords.METHOD.name), "")
    return {
        "token": token,
        "to": text.masked_address(user.email or "") if user.email else "",
        "username": user.username or "",
        "lost": [{"kind": row.kind, "name": row.name} for row in rows if row.kind != passwords.METHOD.name],
        "has_password": hashing.is_usable(stored),
    }


class AssistedRecovery(Feature):
    """A way back in that an administrator opens."""

    actions = (recover, open_link)
    methods = (ASSISTED,)
    pages = (Page("/recovery/assisted", "recovery_assisted.html", load_assisted),)
