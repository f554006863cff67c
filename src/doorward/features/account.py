"""One's own account: see and change it, take everything in it along, close it, and keep it after all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from doorward.core.accounts import account_of
from doorward.core.action import AttemptText, Identifier, NameText, Needs, PasswordText, Text, TokenText, action
from doorward.core.call import Call
from doorward.core.cursors import all_rows
from doorward.core.doorward import require
from doorward.core.erasure import erase_due
from doorward.core.events import AccountClosing, AccountKept, SignedOut
from doorward.core.feature import Feature, Page
from doorward.core.identify import end_sessions
from doorward.core.links import add_link, find_link, remove_links, take_link
from doorward.core.records import Account, Plus, Record, User, about_users
from doorward.core.refusals import Refused, invalid
from doorward.core.rights import let_go
from doorward.core.sign_in import Stepped, UnderWay, advance, current, step_of
from doorward.core.steps import Confirm
from doorward.core.tries import limit_tries
from doorward.core.usernames import change_username
from doorward.core.users import check_fits, tell
from doorward.features.password import check_present
from doorward.locale import _, catalogues
from doorward.primitives import places, text

UNDO = "close-undo"  # the purpose of the link that keeps an account

LocaleText = Annotated[str, Text(35, least=0)]
ZoneText = Annotated[str, Text(64, least=0)]


@dataclass(frozen=True, slots=True)
class Profile:
    """Who one is, and how one wants to be spoken to; empty where nothing was chosen."""

    user: User
    locale: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Export:
    """Everything held about a user, by the name of its table, without what is secret."""

    service: str
    exported_at: datetime
    user: Mapping[str, Any]
    records: Mapping[str, tuple[Mapping[str, Any], ...]]


@dataclass(frozen=True, slots=True)
class Closing:
    """Until when the account may be kept; afterwards it is erased."""

    closes_at: datetime


@action("account", method="GET", needs=Needs.SIGNED_IN)
async def account(call: Call) -> Profile:
    """One's own account: name, user name, language, time zone."""
    user = call.signed_in.user
    kept = await account_of(call, user)
    return Profile(user, kept.locale, kept.time_zone)


@action("account.update", needs=Needs.SIGNED_IN)
async def update(
    call: Call,
    *,
    name: NameText | None = None,
    username: Identifier | None = None,
    locale: LocaleText | None = None,
    time_zone: ZoneText | None = None,
) -> Profile:
    """Change what is given, and nothing else. Another user name is another way to sign in: every address is told, and
    who has a second factor proves it."""
    user = call.signed_in.user
    check_fits(call, name=name, username=username)
    changes = _places(locale, time_zone)
    kept = await account_of(call, user)
    renames = username is not None and username != user.username
    if renames:
        await require(call, Needs.FRESH_WITH_SECOND)
        await limit_tries(call, "username", user.id)  # it says which names are taken
    async with call.all_or_nothing():
        if renames:
            await change_username(call, user, kept, username or "")
            await tell(call, user, "username_changed")
        if name is not None and name != user.name:
            await call.store.change(User, {"id": user.id}, name=name)
        if changes:
            await call.store.change(Account, {"user_id": user.id}, version=Plus(1), **changes)
    now = await call.store.get(User, id=user.id) or user
    return Profile(now, changes.get("locale", kept.locale), changes.get("time_zone", kept.time_zone))


def _places(locale: str | None, time_zone: str | None) -> dict[str, str]:
    changes = {}
    if locale is not None:
        tag = places.canonical_locale(locale) if locale else ""
        if tag is None:
            raise invalid("locale", "not_valid", "expected a language tag such as en or de-AT (BCP 47)")
        changes["locale"] = tag
    if time_zone is not None:
        if time_zone and time_zone not in places.time_zones():
            raise invalid("time_zone", "not_valid", "expected a time zone such as Europe/Vienna")
        changes["time_zone"] = time_zone
    return changes


@action("account.export", needs=Needs.FRESH)
async def export(call: Call) -> Export:
    """Everything held about who is signed in, as one document. Secrets and digests are not in it."""
    user = call.signed_in.user
    records: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for kind in about_users(call.world.records):
        rows = await all_rows(call, kind, user_id=user.id)
        records[kind.table.removeprefix("doorward_")] = tuple(map(_shown, rows))
    for feature in call.world.features.values():
        records |= {name: await load(call) for name, load in feature.exports.items()}
    return Export(call.world.settings.rp_name, call.now, _shown(user), records)


def _shown(row: Record) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).exported}


@action("account.close", needs=Needs.SIGNED_IN, proving=True)
async def close(call: Call, *, password: PasswordText | None = None) -> Closing:
    """Close one's account, with a fresh proof or the password: it is erased after a time in which it can be kept.

    Ends all sessions and keys. Its address and user name stay taken until it is erased.
    """
    user = call.signed_in.user
    await account_of(call, user)
    await require(call, Needs.FRESH if password is None else Needs.FRESH_WITH_SECOND)
    if password is not None:
        await check_present(call, user, password)
    closes_at = call.now + call.policy.close_grace
    async with call.all_or_nothing():
        await let_go(call, user)
        if await call.store.change(Account, {"user_id": user.id, "closes_at": None}, closes_at=closes_at) != 1:
            raise Refused("state_changed")
        await end_sessions(call, user.id)
        token = await add_link(call, UNDO, life=call.policy.close_grace, user_id=user.id)
        words = {"link": call.link(f"/account/undo?token={token}"), "until": closes_at.isoformat()}
        await tell(call, user, "account_closing", words)
        await call.emit(SignedOut(at=call.now, user_id=user.id))
        await call.emit(AccountClosing(at=call.now, user_id=user.id, closes_at=closes_at))
    return Closing(closes_at)


@action("account.undo", status=204)
async def undo(call: Call, *, token: TokenText) -> None:
    """Keep an account that is being closed, by the link in the letter. It signs nobody in (rule 9)."""
    async with call.all_or_nothing():
        link = await take_link(call, UNDO, token)
        if not await _keep(call, link.user_id):
            raise Refused("invalid_token")


@action("sign_in.keep_account")
async def keep_account(call: Call, *, attempt: AttemptText | None = None) -> Stepped:
    """Keep an account that is being closed, at the end of a sign-in that has proved everything else."""
    under_way, user = await _asked(call, attempt)
    async with call.all_or_nothing():
        if not await _keep(call, user.id):
            raise Refused("attempt_expired")
        return await advance(call, under_way, user)


async def _asked(call: Call, attempt: str | None) -> tuple[UnderWay, User]:
    """An attempt that lacks nothing but this."""
    under_way = await current(call, attempt)
    step, user = await step_of(call, under_way)
    if user is None or step != Confirm("keep_account"):
        raise Refused("wrong_method")
    return under_way, user


async def _keep(call: Call, user_id: str) -> bool:
    """Whether the account was being closed, and is not any more. Its erasure takes the row under the other guard."""
    still = {"user_id": user_id, "closes_at__gt": call.now}
    if await call.store.change(Account, still, closes_at=None, version=Plus(1)) != 1:
        return False
    await remove_links(call, user_id, UNDO)
    user = await call.store.get(User, id=user_id)
    if user is not None:
        await tell(call, user, "account_kept")
        await call.emit(AccountKept(at=call.now, user_id=user_id))
    return True


async def load_profile(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """What can be chosen."""
    spoken = catalogues(call.world.settings.locales).languages
    return {"languages": {tag: one.name for tag, one in spoken.items()}, "zones": places.zones_to_choose()}


async def load_closing(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """How long an account that is closed can be kept."""
    return {"days": call.policy.close_grace.days}


async def load_undo(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Whose account the link would keep, and nothing more: it changes nothing until the button is pressed."""
    token = query.get("token", "")
    if not token:
        return {"token": "", "to": ""}
    user = await call.store.get(User, id=(await find_link(call, UNDO, token)).user_id)
    return {"token": token, "to": text.masked_address(user.email or "") if user is not None else ""}


async def load_keeping(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Until when the account of the sign-in under way can be kept."""
    _, user = await _asked(call, None)
    return {"closes_at": (await account_of(call, user)).closes_at}


class OwnAccount(Feature):
    """The account itself, in the hands of whose it is."""

    actions = (account, update, export, close, undo, keep_account)
    pages = (
        Page(
            "/account",
            "profile.html",
            load_profile,
            Needs.SIGNED_IN,
            reads=("account",),
            area="account",
            title=_("Profile"),
            hint=_("Who you are, how to reach you, and your data."),
            place=10,
        ),
        Page(
            "/account/export",
            "export.html",
            needs=Needs.FRESH,
            area="account",
            title=_("Your data"),
            hint=_("Everything that is kept of you, as one file."),
            place=80,
        ),
        Page(
            "/account/close",
            "close_account.html",
            load_closing,
            Needs.FRESH,
            area="account",
            title=_("Close your account"),
            hint=_("Signs you out everywhere. You have time to change your mind."),
            place=90,
        ),
        Page("/account/closed", "account_closed.html", load_closing),
        Page("/account/undo", "undo_close.html", load_undo),
        Page("/sign-in/keep-account", "keep_account.html", load_keeping),
    )
    chores = (erase_due,)
