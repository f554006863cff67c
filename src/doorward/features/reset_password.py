"""A new password for who forgot theirs or never had one: by the code or link of a letter, then through the gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from doorward.core import by_mail, links
from doorward.core.action import (
    AttemptText,
    CodeText,
    EmailText,
    Issue,
    Needs,
    PasswordText,
    TokenText,
    UrlText,
    action,
)
from doorward.core.attempt import RESET
from doorward.core.by_mail import RESET_LINK, Owner
from doorward.core.call import Call
from doorward.core.events import AuthenticatorAdded
from doorward.core.feature import Feature, Page
from doorward.core.identify import end_sessions
from doorward.core.records import Account, Authenticator, Plus, User
from doorward.core.refusals import Refused, invalid
from doorward.core.sign_in import Stepped, UnderWay, advance, begin, current, held, keep, own_attempt, proof_by
from doorward.core.steps import BY_RESET, EMAIL, Prove
from doorward.core.tries import limit_letters, limit_tries
from doorward.core.users import addresses_of, tell
from doorward.features import password as passwords
from doorward.features.password_rules import check_new_password
from doorward.primitives import hashing, text


@action("password.forgot", status=202)
async def forgot(
    call: Call,
    *,
    email: EmailText,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Ask for a letter with a code and a link. The answer is the same for an address that is nobody's."""
    canonical = text.canonical_address(email)
    if canonical is None:
        raise invalid("email", "not_valid", "this is not an e-mail address")
    life = call.policy.reset_life
    under_way = await begin(call, purpose=RESET, issue=issue, remember=remember, return_to=return_to, life=life)
    await limit_tries(call, "forgot", canonical)
    await limit_letters(call, canonical)
    owners = await by_mail.owners_of(call, email)
    async with call.store.transaction():
        under_way = await _send(call, under_way, owners, to=email)
    return held(call, under_way, Prove((EMAIL.name,)), to=text.masked_address(email))


async def _send(call: Call, under_way: UnderWay, owners: list[Owner], *, to: str) -> UnderWay:
    """One letter to nobody or somebody; where several share an address that none of them proved, one to each, with a
    link of its own and no code, which could not say whose it is (rule 3)."""
    only = owners[0] if len(owners) == 1 else None
    asked, code = await by_mail.with_code(call, under_way.attempt, only, to=to)
    for owner in (*owners,) or (None,):
        link = await by_mail.add_link(call, RESET_LINK, owner, life=call.policy.reset_life)
        await _write(call, owner, code=code, link=link)
    return await keep(call, under_way, asked)


async def _write(call: Call, owner: Owner | None, *, code: str, link: str) -> None:
    life = call.policy.reset_life
    if owner is None:
        return await call.later(None, life=life)
    words = {
        "username": owner.user.username or "",
        "code": code,
        "minutes": str(int(call.policy.code_life.total_seconds()) // 60),
        "link_minutes": str(int(life.total_seconds()) // 60),
        "link": call.link(f"/password/reset?token={link}"),
    }
    if code:
        await tell(call, owner.user, "reset_password", words, to=owner.address, life=life)
    else:
        await tell(call, owner.user, "reset_password_of_one", words, to=owner.address, life=life)


@action("password.reset", proving=True)
async def reset(
    call: Call,
    *,
    new_password: PasswordText,
    token: TokenText | None = None,
    code: CodeText | None = None,
    attempt: AttemptText | None = None,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Choose a new password: with the token of the link, or the code and its attempt. Then the usual gates: a second
    factor is asked for. All sessions end, and all verified addresses are told."""
    if (code is None) == (token is None):
        raise invalid("code", "required", "send either code and attempt, or token")
    if token is None:
        return await _by_code(call, attempt, code or "", new_password)
    link = await links.find_link(call, RESET_LINK, token)
    owner = await by_mail.behind(call, link)
    mine = await own_attempt(call, attempt, purpose=RESET, subject=owner.user.id)
    under_way = mine or await begin(call, purpose=RESET, issue=issue, remember=remember, return_to=return_to)
    bound = replace(under_way.attempt, auth_epoch=link.auth_epoch)
    return await _with_password(call, replace(under_way, attempt=bound), owner.user, new_password, token=token)


async def _by_code(call: Call, attempt: str | None, code: str, new_password: str) -> Stepped:
    under_way = await current(call, attempt, purpose=RESET)
    # Before the code is looked at nothing is said that an account would have to be known for.
    await check_new_password(call, new_password, context=[under_way.attempt.to])
    under_way, user = await by_mail.check_code(call, under_way, code)
    return await _with_password(call, under_way, user, new_password)


async def _with_password(call: Call, under_way: UnderWay, user: User, new_password: str, *, token: str = "") -> Stepped:
    """Take the new password, which ends all other ways that mail gave to this account, and go on to the gates."""
    await limit_tries(call, "reset", user.id)  # a slow hash each
    await check_new_password(call, new_password, context=await _context(call, user))
    authenticator = await passwords.password_of(call, user)
    new_hash = await call.hash.hash(new_password)
    async with call.all_or_nothing():
        if token:
            await links.take_link(call, RESET_LINK, token)
        under_way = await by_mail.use_up(call, under_way)
        await _replace(call, user, authenticator, new_hash, auth_epoch=under_way.attempt.auth_epoch)
        await tell(call, user, "password_reset")
    call.effects.known_device = user.id  # rule 12: a proven reset has the tries that strangers can't use up
    fresh = await call.store.get(User, id=user.id) or user
    renewed = replace(under_way, attempt=replace(under_way.attempt, auth_epoch=""))  # from here on under the new epoch
    return await advance(call, renewed, fresh, proof_by(call, EMAIL, authenticator=BY_RESET))


async def _replace(call: Call, user: User, authenticator: Authenticator, new_hash: str, *, auth_epoch: str) -> None:
    """The epoch that the letter was written under is the guard: of a hundred parallel resets one finds it unchanged."""
    still = {"user_id": user.id, "auth_epoch": auth_epoch}
    if await call.store.change(Account, still, version=Plus(1)) != 1:
        raise Refused("attempt_expired")
    await passwords.bind_anew(call, user, authenticator, new_hash, by_mail=True)


async def _context(call: Call, user: User) -> list[str]:
    return [user.name, user.username or "", *await addresses_of(call, user)]


@action("password.set", needs=Needs.FRESH, status=204)
async def set_first(call: Call, *, new_password: PasswordText) -> None:
    """Choose a password where there is none yet. Needs a fresh proof; ends all other sessions."""
    user = call.signed_in.user
    await limit_tries(call, "password-set", user.id)
    authenticator = await passwords.password_of(call, user)
    if hashing.is_usable(passwords.stored_hash(user, authenticator)):
        raise Refused("wrong_method", "There is a password already. Change it instead.")
    await check_new_password(call, new_password, context=await _context(call, user))
    new_hash = await call.hash.hash(new_password)
    async with call.all_or_nothing():
        await passwords.replace_hash(call, user, authenticator, new_hash)
        await end_sessions(call, user.id, but=call.signed_in.session)
        await passwords.restamp(call, user)
        await call.emit(AuthenticatorAdded(at=call.now, user_id=user.id, kind=passwords.METHOD.name))
        await tell(call, user, "authenticator_added", {"kind": "password", "device": ""})


async def load_reset(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Whose password is about to change: masked, and unchanged by looking (rule 32). Without a token: where the code
    went, for the browser that asked."""
    if token := query.get("token", ""):
        owner = await by_mail.behind(call, await links.find_link(call, RESET_LINK, token))
        shared = len(await by_mail.owners_of(call, owner.address)) > 1
        name = owner.user.username if shared else ""
        return {"token": token, "to": text.masked_address(owner.address), "username": name or ""}
    under_way = await current(call, None, purpose=RESET)
    return {"token": "", "to": text.masked_address(under_way.attempt.to), "username": ""}


class ResetPassword(Feature):
    """The way back in for who forgot the password."""

    actions = (forgot, reset, set_first)
    pages = (
        Page("/password/forgot", "forgot_password.html"),
        Page("/password/reset", "reset_password.html", load_reset),
        Page("/password/set", "set_password.html", needs=Needs.FRESH, area="security"),
    )
