"""Sign in by password, and change it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from doorward.core.accounts import epoch_of
from doorward.core.action import (
    AttemptText,
    Identifier,
    Issue,
    Needs,
    PasswordText,
    UrlText,
    action,
)
from doorward.core.attempt import Attempt
from doorward.core.by_mail import LINKS
from doorward.core.call import Call
from doorward.core.devices import is_known_device
from doorward.core.events import PasswordChanged
from doorward.core.feature import Feature, Page
from doorward.core.identify import end_sessions
from doorward.core.links import remove_links
from doorward.core.records import Authenticator, Plus, User
from doorward.core.refusals import Refused, invalid
from doorward.core.session import Session, host_digest
from doorward.core.sign_in import Stepped, UnderWay, advance, begin, current, proof_by
from doorward.core.steps import Factor, Method
from doorward.core.tries import fail, limit_tries, spend_try, succeed
from doorward.core.users import addresses_of, canonical_identifier, find_user, tell, tell_daily
from doorward.features.password_rules import check_new_password
from doorward.locale import _
from doorward.primitives import hashing, tokens

METHOD = Method("password", "pwd", frozenset({Factor.KNOWS}), primary=True)

# How many stored hashes are looked at to learn this installation's mix of formats, and for how long that holds.
MIX_SAMPLE, MIX_LIFE = 200, timedelta(hours=1)


@action("sign_in.password", proving=True)
async def sign_in(
    call: Call,
    *,
    password: PasswordText,
    identifier: Identifier | None = None,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
    attempt: AttemptText | None = None,
) -> Stepped:
    """Sign in with an address, user name or phone number, and a password. With `attempt`, prove it for a step-up."""
    if attempt is not None:
        under_way = await current(call, attempt)
        if not under_way.attempt.user_id:
            # A sign-up is nobody's yet: what was proved in it (an address) must not become somebody else's proof.
            raise Refused("wrong_method")
        if identifier is None and (who := await call.store.get(User, id=under_way.attempt.user_id)) is not None:
            identifier = who.email or who.username
    else:
        under_way = await begin(call, issue=issue, remember=remember, return_to=return_to)
    if identifier is None:
        raise invalid("identifier", "required", "this field is required")
    proved = await prove(call, identifier, password)
    proof = proof_by(call, METHOD, authenticator=proved.authenticator.id)
    return await advance(call, begun_under(under_way, proved.epoch), proved.user, proof)


@action("password.change", needs=Needs.FRESH_WITH_SECOND, status=204, proving=True)
async def change(call: Call, *, current_password: PasswordText, new_password: PasswordText) -> None:
    """Choose another password. Ends all other sessions, and tells all verified addresses."""
    user = call.signed_in.user
    authenticator = await check_present(call, user, current_password)
    context = [user.name, user.username or "", *await addresses_of(call, user)]
    await check_new_password(call, new_password, context=context)
    new_hash = await call.hash.hash(new_password)
    async with call.store.transaction():
        await replace_hash(call, user, authenticator, new_hash)
        await end_sessions(call, user.id, but=call.signed_in.session)
        await restamp(call, user)
        await call.emit(PasswordChanged(at=call.now, user_id=user.id))
        await tell(call, user, "password_changed")


async def check_present(call: Call, user: User, password: str) -> Authenticator:
    """The password authenticator of who is signed in, if this is the present password. It counts as a try (rule 43)."""
    authenticator = await password_of(call, user)
    key = await limit_tries(call, "password-change", user.id)
    stored = stored_hash(user, authenticator)
    if not await spend_try(call, authenticator) or not await call.hash.verify(password=password, hash=stored):
        raise await fail(call, METHOD.name, "wrong_credentials", user.id)
    await succeed(call, authenticator, key)
    return authenticator


class Proved(NamedTuple):
    """Whose password it is. `epoch` is the account's from before the hash was read: a change meanwhile moves it on."""

    user: User
    authenticator: Authenticator
    epoch: str


async def prove(call: Call, identifier: str, password: str) -> Proved:
    """The user whose password this is. Unknown, without a password, closed and wrong: one word, the same work."""
    user = await find_user(call, identifier)
    known = user is not None and is_known_device(call, user.id)
    canonical = canonical_identifier(identifier, region=call.world.settings.phone_region)
    limit_key = await limit_tries(call, "password", canonical, known=known)
    epoch = await epoch_of(call, user)
    authenticator = None if user is None else await password_of(call, user)
    if user is None or authenticator is None or not hashing.is_usable(stored_hash(user, authenticator)):
        await spend_nobodys_try(call, canonical)
        await call.hash.work_of(await decoy_scheme(call, canonical), password)
        raise await fail(call, METHOD.name, "wrong_credentials")
    stored = stored_hash(user, authenticator)
    if not await spend_try(call, authenticator):
        await call.hash.work_of(hashing.scheme_of(stored), password)
        await tell_daily(call, user, "password_closed")
        raise await fail(call, METHOD.name, "wrong_credentials", user.id)
    if not await call.hash.verify(password=password, hash=stored):
        raise await fail(call, METHOD.name, "wrong_credentials", user.id)
    await succeed(call, authenticator, limit_key)
    if user.active and call.hash.needs_rehash(stored):
        user = await rehashed(call, user, authenticator, password)
    return Proved(user, authenticator, epoch)


def begun_under(under_way: UnderWay, epoch: str) -> UnderWay:
    """The attempt, bound to the epoch that its first proof was made under: `start_session` compares it."""
    attempt = under_way.attempt
    return replace(under_way, attempt=replace(attempt, auth_epoch=attempt.auth_epoch or epoch))


async def password_of(call: Call, user: User) -> Authenticator:
    """The password authenticator; made on first contact for a user whose hash is in the host's table."""
    handle = f"password:{user.id}"
    found = await call.store.get(Authenticator, handle=handle)
    if found is None:
        await call.store.add(new_password_authenticator(call, user.id))
        found = await call.store.get(Authenticator, handle=handle)
    if found is None:
        raise Refused("state_changed")
    return found


def new_password_authenticator(call: Call, user_id: str, *, data: str = "") -> Authenticator:
    handle = f"password:{user_id}"
    return Authenticator(
        id=call.new_id(), user_id=user_id, kind=METHOD.name, handle=handle, data=data, created_at=call.now
    )


def stored_hash(user: User, authenticator: Authenticator) -> str:
    """The hash: from the user's row where its table has a column for it, else from the authenticator."""
    return authenticator.data if user.password is None else user.password


async def replace_hash(call: Call, user: User, authenticator: Authenticator, new_hash: str) -> None:
    """Compare-and-set: of two changes at once one is refused."""
    if user.password is not None:
        changed = await call.store.change(User, {"id": user.id, "password": user.password}, password=new_hash)
    else:
        where = {"id": authenticator.id, "data": authenticator.data}
        changed = await call.store.change(Authenticator, where, data=new_hash)
    if changed != 1:
        raise Refused("state_changed")


async def bind_anew(call: Call, user: User, authenticator: Authenticator, new_hash: str, *, by_mail: bool) -> None:
    """Another password in the place of one that was lost (NIST SP 800-63B-4 §3.2.2): it may have been disabled, or
    closed to strangers. Ends all sessions, and the links that let in by mail. `by_mail`: a letter alone allowed it."""
    await replace_hash(call, user, authenticator, new_hash)
    anew = {"failures": 0, "known_failures": 0, "disabled_at": None}
    await call.store.change(Authenticator, {"id": authenticator.id}, **anew)
    await end_sessions(call, user.id)
    await remove_links(call, user.id, *LINKS)
    await call.emit(PasswordChanged(at=call.now, user_id=user.id, by_mail=by_mail))


async def restamp(call: Call, before: User) -> None:
    """Sessions and sign-ins under way that the hash of `before` let in take the digest of the new one. Those that a
    host had ended by changing the password itself stay ended."""
    user = await call.store.get(User, id=before.id)
    if user is not None:
        ring = call.keyring
        old = [host_digest(ring.key("host-state", key_id=id), before) for id in ring.ids]
        where = {"user_id": user.id, "host_digest__in": old}
        new = host_digest(ring.key("host-state"), user)
        await call.store.change(Session, where, host_digest=new)
        await call.store.change(Attempt, where, host_digest=new)


async def rehashed(call: Call, user: User, authenticator: Authenticator, password: str) -> User:
    """The user with a hash as one would be made today. Sessions stay: the password is the same one."""
    new_hash = await call.hash.hash(password)
    try:
        async with call.store.transaction():
            await replace_hash(call, user, authenticator, new_hash)
            await restamp(call, user)
    except Refused:
        return await _overtaken(call, user, password)
    return await call.store.get(User, id=user.id) or user


async def _overtaken(call: Call, before: User, password: str) -> User:
    """Somebody else was faster. The user as they are now where the password is still theirs (it was made anew, or
    wrapped); else as they were, and the epoch or digest of then starts no session any more."""
    now = await call.store.get(User, id=before.id)
    if now is None or now.password is None or not await call.hash.verify(password=password, hash=now.password):
        return before
    return now


async def spend_nobodys_try(call: Call, canonical: str) -> None:
    """The committed write that a try costs, where there is nobody whose try it could be: one duration for all."""
    # A few rows, so that strangers who try unknown names do not wait for one lock.
    handle = f"decoy:{tokens.hmac_digest(call.keyring.key('decoy-row'), canonical)[-1]}"
    if await call.store.change(Authenticator, {"handle": handle}, failures=Plus(1)) == 0:
        row = Authenticator(id=call.new_id(), user_id="", kind="decoy", handle=handle, created_at=call.now)
        await call.store.add(row)


async def decoy_scheme(call: Call, canonical: str) -> str:
    """The hash format whose work is done for nobody: HMAC(identifier) picks from this installation's mix (rule 14)."""
    mix: tuple[tuple[str, int], ...]
    at, mix = call.world.memo.get("password-mix", (None, ()))
    if at is None or call.now - at > MIX_LIFE:
        mix = await _measured_mix(call)
        call.world.memo["password-mix"] = (call.now, mix)
    picked = tokens.hmac_digest(call.keyring.key("decoy"), canonical)
    weight = int.from_bytes(picked.encode()[-6:], "big") % sum(count for _, count in mix)
    for scheme, count in mix:
        weight -= count
        if weight < 0:
            return scheme
    raise AssertionError("weights cover every remainder")


async def _measured_mix(call: Call) -> tuple[tuple[str, int], ...]:
    users = await call.store.find(User, limit=MIX_SAMPLE)
    hashes = [user.password for user in users if user.password]
    if not hashes:
        rows = await call.store.find(Authenticator, kind=METHOD.name, limit=MIX_SAMPLE)
        hashes = [row.data for row in rows]
    counts = Counter(hashing.scheme_of(stored) for stored in hashes if hashing.is_usable(stored))
    return tuple(counts.items()) or ((call.world.settings.password_hash, 1),)


class Password(Feature):
    """Sign-in by password."""

    actions = (sign_in, change)
    methods = (METHOD,)
    pages = (
        Page("/sign-in", "sign_in.html"),
        Page(
            "/password/change",
            "change_password.html",
            needs=Needs.FRESH_WITH_SECOND,
            area="security",
            title=_("Password"),
            row="password_row.html",
            place=10,
        ),
    )
