"""Make an account: nothing exists before the address is proved, so nobody can sit on an address that is not theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from doorward.core import mailed
from doorward.core.accounts import new_account
from doorward.core.action import AttemptText, EmailText, Identifier, Issue, NameText, PasswordText, UrlText, action
from doorward.core.attempt import SIGN_UP, Attempt
from doorward.core.call import Call, Letter
from doorward.core.events import SignedUp
from doorward.core.feature import Feature, Page, Sweep
from doorward.core.records import Authenticator, EmailAddress, Moves, Record, User, column
from doorward.core.refusals import Refused, invalid
from doorward.core.rights import grant
from doorward.core.settings import Settings
from doorward.core.sign_in import Stepped, UnderWay, advance, begin, current, held, keep, proof_by
from doorward.core.steps import EMAIL, Enroll, Proof, Verify
from doorward.core.tries import limit_letters, limit_tries
from doorward.core.usernames import check_username
from doorward.core.users import check_fits, find_user
from doorward.features import password as passwords
from doorward.features.password_rules import check_new_password
from doorward.primitives import text, tokens
from doorward.primitives.hashing import is_usable

ATTEMPT_LIFE = timedelta(hours=1)
# In the place of a hash: the account is to have a passkey, and no password.
WITHOUT_PASSWORD = "!"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignUp(Record):
    """What somebody asked for before proving the address; several per address may wait. `link` is a digest.

    `canonical` is empty in a decoy: the address was taken, and no code or link of it is right. `role` is what the
    operator gives to who proves the address; nobody can ask for one. `invitation` is the id of the one that let its
    holder in.
    """

    table: ClassVar[str] = "doorward_pending_sign_up"
    moves: ClassVar[Moves] = Moves.NEVER

    id: str = column(key=True, size=64)
    canonical: str = column(index=True, size=320)
    address: str = column(size=320)
    name: str = column(default="")
    username: str = column(default="")
    password: str = column(size=0)
    role: str = column(size=64, default="")
    invitation: str = column(size=64, default="")
    link: str = column(unique=True)
    created_at: datetime = column()
    expires_at: datetime = column(index=True)


@action("sign_up", status=202)
async def sign_up(
    call: Call,
    *,
    email: EmailText,
    password: PasswordText | None = None,
    name: NameText = "",
    username: Identifier | None = None,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Ask for an account, without a password for one with a passkey alone. The answer is the same for a taken address;
    its owner gets a letter instead."""
    if call.world.settings.sign_up == "closed":
        raise Refused("sign_up_closed")
    if call.world.settings.sign_up == "invitation":
        raise Refused("sign_up_closed", "New accounts are for people who are invited.")
    canonical = text.canonical_address(email)
    if canonical is None:
        raise invalid("email", "not_valid", "this is not an e-mail address")
    if not may_sign_up(canonical, call.world.settings):
        raise Refused("sign_up_closed", "New accounts are for addresses of certain domains only.")
    check_fits(call, email=email, name=name, username=username)
    if password is not None:
        await check_new_password(call, password, context=[email, name, username or ""])
    elif not _has_passkeys(call):
        raise invalid("password", "required", "this field is required")
    under_way = await begin(
        call, purpose=SIGN_UP, issue=issue, remember=remember, return_to=return_to, life=ATTEMPT_LIFE
    )
    await limit_tries(call, "sign-up", canonical)
    await check_username(call, username)  # it says which names are taken, so it is counted before
    await limit_letters(call, canonical)
    hash = await call.hash.hash(password) if password is not None else WITHOUT_PASSWORD
    taken = await find_user(call, email)  # also one of the host's own, whose sign-in a second account would shadow
    link = call.new_secret()
    pending = PendingSignUp(
        id=call.new_id(),
        canonical="" if taken else canonical,
        address=email,
        name=name,
        username=username or "",
        password=hash,
        link=tokens.digest(link, purpose="sign-up-link"),
        created_at=call.now,
        expires_at=call.now + call.policy.sign_up_life,
    )
    under_way = replace(under_way, attempt=replace(under_way.attempt, subject=pending.id, to=email))
    async with call.store.transaction():
        await call.store.add(pending)
        under_way = await send_code(call, under_way, pending, link)
    return held(call, under_way, Verify("email"), to=text.masked_address(email))


def may_sign_up(canonical: str, settings: Settings) -> bool:
    """Whether an address is of a domain that may sign up: a domain means itself alone, with a dot before it all below.

    It says nothing about who has an account, and is asked before anything is looked up.
    """
    domain = canonical.rpartition("@")[2]
    allowed = settings.sign_up_domains
    return settings.sign_up == "open" or any(
        domain.endswith(one) if one.startswith(".") else domain == one for one in allowed
    )


async def send_code(call: Call, under_way: UnderWay, pending: PendingSignUp, link: str) -> UnderWay:
    """Put a new code into the attempt and its letter into the outbox; the owner of a taken address gets another."""
    attempt, letter = with_code(call, under_way, pending, link)
    kept = await keep(call, under_way, attempt)
    await call.later(letter, life=call.policy.sign_up_life)
    return kept


def with_code(call: Call, under_way: UnderWay, pending: PendingSignUp, link: str) -> tuple[Attempt, Letter]:
    settings = call.world.settings
    words = {"service": settings.rp_name, "name": pending.name}
    if not pending.canonical:
        attempt = mailed.with_decoy_code(call, under_way.attempt)
        return attempt, Letter(pending.address, "address_taken", {**words, "sign_in_link": call.link("/sign-in")})
    attempt, code = mailed.with_code(call, under_way.attempt)
    words |= {
        "code": code,
        "minutes": str(int(call.policy.code_life.total_seconds()) // 60),
        "link": call.link(f"/email/verify?token={link}"),
    }
    return attempt, Letter(pending.address, "verify_address", words)


async def complete(call: Call, under_way: UnderWay, pending: PendingSignUp, first: First | None = None) -> Stepped:
    """Make the account of a proved address, and sign in. One of forty parallel requests gets to do it.

    `first` is its first authenticator, where that is no password.
    """
    if under_way.attempt.user_id:  # somebody's already: no second account comes out of it
        raise Refused("wrong_method")
    if pending.username and await _is_taken(call, pending.username):
        await call.store.change(PendingSignUp, {"id": pending.id}, password=pending.password)
        return await _enroll(call, under_way, "username")
    if first is None and not is_usable(pending.password):
        return await _enroll(call, under_way, *_ways(call, pending))
    try:
        return await _completed(call, under_way, pending, first)
    except Conflict:
        done = await call.store.get(PendingSignUp, id=pending.id) is None
        raise Refused("no_sign_in_under_way" if done else "state_changed") from None


def _has_passkeys(call: Call) -> bool:
    """Whether one can have a passkey, and nothing else."""
    return "passkey" in call.world.offered


def _ways(call: Call, pending: PendingSignUp) -> tuple[str, ...]:
    """What the account can be made with: as was asked, or whatever there is where that was dropped (rules 1 and 2)."""
    if not _has_passkeys(call):
        return ("password",)
    return ("passkey",) if pending.password == WITHOUT_PASSWORD else ("password", "passkey")


class First(NamedTuple):
    """The first authenticator of an account that is made with it, and the proof that making it was."""

    authenticator: Authenticator
    proof: Proof


async def _completed(call: Call, under_way: UnderWay, pending: PendingSignUp, first: First | None) -> Stepped:
    async with call.all_or_nothing():
        # The address first: whoever proves the same one waits there, and holds nothing that this one will need.
        user = await make_user(call, pending, first and first.authenticator)
        if await call.store.take(PendingSignUp, id=pending.id) is None:
            raise Refused("no_sign_in_under_way")
        # Whoever else asked for this address did not own it: what they chose is gone (pre-hijacking).
        await call.store.remove(PendingSignUp, canonical=pending.canonical)
        await call.emit(SignedUp(at=call.now, user_id=user.id, invitation=pending.invitation))
        if pending.role:
            await grant(call, user, pending.role, by=None)
        if first is None:
            authenticator = await passwords.password_of(call, user)
            proof = proof_by(call, passwords.METHOD, authenticator=authenticator.id)
        else:
            proof = first.proof
        return await advance(call, under_way, user, proof, proof_by(call, EMAIL))


async def _enroll(call: Call, under_way: UnderWay, *what: str) -> Stepped:
    """Hold the attempt back until what is missing is chosen; the address counts as proved in it."""
    attempt = under_way.attempt.with_proof(proof_by(call, EMAIL))
    return held(call, await keep(call, under_way, attempt), Enroll(what))


async def _is_taken(call: Call, username: str) -> bool:
    try:
        await check_username(call, username)
    except Refused:
        return True
    return False


async def make_user(call: Call, pending: PendingSignUp, first: Authenticator | None = None) -> User:
    """The user, with an address and the first authenticator: that one, or the password that is pending."""
    key = text.skeleton(text.canonical_username(pending.username) or "") if pending.username else None
    user = User(
        id=pending.id,  # by which a passkey that it is made with knows it; a host may choose another
        email=pending.address,
        username=pending.username or None,
        name=pending.name,
        password=pending.password if first is None else None,
        created_at=call.now,
    )
    made = await call.store.add_user(user)
    if made is None:
        raise Conflict
    user = made
    address = EmailAddress(
        id=call.new_id(),
        user_id=user.id,
        address=pending.address,
        canonical=pending.canonical,
        canonical_version=text.CANONICAL_VERSION,
        verified_key=pending.canonical,
        verified_at=call.now,
        is_primary=True,
        created_at=call.now,
    )
    data = pending.password if user.password is None else ""
    bound = passwords.new_password_authenticator(call, user.id, data=data)
    if first is not None:
        bound = replace(first, user_id=user.id)
    account = new_account(call, user.id, username_key=key, signed_up_as=pending.id)
    if not await call.store.add(account, address, bound):
        raise Conflict
    return user


@action("sign_up.password")
async def choose_password(call: Call, *, new_password: PasswordText, attempt: AttemptText | None = None) -> Stepped:
    """Choose the password of an address that was proved by its link in another browser (rule 1)."""
    under_way, pending = await _enrolling(call, attempt)
    if is_usable(pending.password):
        raise Refused("state_changed")
    await limit_tries(call, "sign-up-password", pending.id)
    await check_new_password(call, new_password, context=[pending.address, pending.name])
    hash = await call.hash.hash(new_password)
    return await complete(call, under_way, replace(pending, password=hash))


@action("sign_up.username")
async def choose_username(call: Call, *, username: Identifier, attempt: AttemptText | None = None) -> Stepped:
    """Choose another user name: the one asked for was taken before the address was proved (rule 2)."""
    under_way, pending = await _enrolling(call, attempt)
    check_fits(call, username=username)
    await check_username(call, username)
    await call.store.change(PendingSignUp, {"id": pending.id}, username=username)
    return await complete(call, under_way, replace(pending, username=username))


async def _enrolling(call: Call, attempt: str | None) -> tuple[UnderWay, PendingSignUp]:
    """An attempt of ours whose address is proved in it, and what is pending."""
    under_way = await current(call, attempt, purpose=SIGN_UP)
    pending = await call.store.get(PendingSignUp, id=under_way.attempt.subject)
    proved = any(proof.method == EMAIL.name for proof in under_way.attempt.proved)
    if pending is None or not proved or pending.expires_at <= call.now:
        raise Refused("wrong_method")
    return under_way, pending


async def without_authenticator(call: Call, attempt: str | None) -> tuple[UnderWay, PendingSignUp] | None:
    """A sign-up whose address is proved, and that has no password: what its account will be made with. None where
    there is no such one under way."""
    try:
        under_way, pending = await _enrolling(call, attempt)
    except Refused:
        return None
    if is_usable(pending.password) or under_way.attempt.user_id:
        return None
    if pending.username and await _is_taken(call, pending.username):
        raise Refused("username_taken")
    return under_way, pending


async def load_enrolling(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Whose account is about to be made, in the browser that proved the address."""
    _, pending = await _enrolling(call, None)
    return {"address": pending.address, "invited": bool(pending.invitation)}


class Conflict(Exception):
    """Two proved one address or claimed one name at the same moment: all of this one's writes roll back."""


class SignUp(Feature):
    """Accounts that people make themselves."""

    records = (PendingSignUp,)
    actions = (sign_up, choose_password, choose_username)
    pages = (
        Page("/sign-up", "sign_up.html"),
        Page("/sign-up/password", "choose_password.html", load_enrolling),
        Page("/sign-up/username", "choose_username.html", load_enrolling),
    )
    sweeps = (Sweep(PendingSignUp, "expires_at"),)
