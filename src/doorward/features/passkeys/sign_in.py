"""Sign in by a passkey: any of this site, those of a name that was typed, or as the second step of a sign-in."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from doorward.core.accounts import epoch_of
from doorward.core.action import AttemptText, Identifier, Issue, JsonObject, UrlText, action
from doorward.core.call import Call
from doorward.core.devices import is_known_device
from doorward.core.events import CounterWentBack
from doorward.core.records import Authenticator, User
from doorward.core.refusals import Refused
from doorward.core.sign_in import Stepped, UnderWay, advance, current
from doorward.core.sign_in import begin as begin_attempt
from doorward.core.tries import fail, limit_network, limit_tries
from doorward.core.users import canonical_identifier, find_user, tell, tell_daily
from doorward.features.passkeys import challenges
from doorward.features.passkeys.ceremonies import TIMEOUT, Begun, Hint, expected, parsed, signal
from doorward.features.passkeys.challenges import Asked, Challenge
from doorward.features.passkeys.decoys import decoys_for, is_decoy
from doorward.features.passkeys.stored import METHOD, Passkey, handle_of, passkeys_of
from doorward.primitives import tokens, webauthn
from doorward.primitives.webauthn import Asserted, Response

GET = "get"
NOBODY = ""
NOT_ACCEPTED = "This passkey was not accepted."


@action("sign_in.passkey.begin")
async def begin(
    call: Call, *, identifier: Identifier | None = None, attempt: AttemptText | None = None, hint: Hint | None = None
) -> Begun:
    """What `navigator.credentials.get()` takes. Without arguments any passkey of this site will do (autofill); with
    `identifier` those of one user; with `attempt` those that its next step may be taken with."""
    await limit_network(call, "passkey-begin")
    if attempt is not None:
        return await _second(call, await current(call, attempt), hint)
    secret, asked = call.client.attempt or call.new_secret(), Asked.VERIFIED
    if call.client.browser:
        asked |= Asked.BROWSER
        call.effects.attempt = secret
    about, allow = NOBODY, []
    if identifier is not None:
        canonical = canonical_identifier(identifier, region=call.world.settings.phone_region)
        user = await find_user(call, identifier)
        known = user is not None and is_known_device(call, user.id)
        await limit_tries(call, "passkey-begin", canonical, known=known)
        mine = await passkeys_of(call, "" if user is None else user.id)
        about = user.id if user is not None and mine else f"nobody:{call.new_id()}"
        allow = [one.descriptor for one in mine] or decoys_for(call, canonical)
    challenge = challenges.make(call, GET, holder=_anonymous(secret), about=about, asked=asked)
    return Begun(secret, _options(call, challenge, allow, asked, hint))


async def _second(call: Call, under_way: UnderWay, hint: Hint | None) -> Begun:
    """For the user of an attempt. Beside what they know it is enough that they have it."""
    attempt = under_way.attempt
    mine = await passkeys_of(call, attempt.user_id) if attempt.user_id else []
    if not mine or not attempt.proved:
        raise Refused("wrong_method")
    known = {factor for proof in attempt.proved for factor in proof.factors}
    asked = Asked.NOTHING if known else Asked.VERIFIED
    challenge = challenges.make(call, GET, holder=attempt.digest, about=attempt.user_id, asked=asked)
    return Begun(under_way.secret, _options(call, challenge, [one.descriptor for one in mine], asked, hint))


def _options(
    call: Call, challenge: bytes, allow: list[dict[str, object]], asked: Asked, hint: Hint | None
) -> dict[str, object]:
    return webauthn.request_options(
        challenge=challenge,
        rp_id=call.world.settings.relying_party,
        allow=allow,
        user_verification="required" if Asked.VERIFIED in asked else "preferred",
        hints=[hint] if hint else [],
        timeout=TIMEOUT,
    )


def _anonymous(secret: str) -> str:
    return tokens.digest(secret, purpose="passkey-anonymous")


@action("sign_in.passkey.finish", proving=True)
async def finish(
    call: Call,
    *,
    credential: JsonObject,
    attempt: AttemptText | None = None,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Sign in with what the authenticator said, or take the next step of `attempt` with it."""
    await limit_network(call, "passkey")
    response = parsed(webauthn.read_used, credential)
    row = await call.store.get(Authenticator, handle=handle_of(response.credential_id), kind=METHOD.name)
    ceremony = await _ceremony(call, attempt, response, row)
    under_way = ceremony.under_way or await begin_attempt(call, issue=issue, remember=remember, return_to=return_to)
    await challenges.spend(call, ceremony.challenge)
    user = None if row is None else await call.store.get(User, id=row.user_id)
    epoch = await epoch_of(call, user)
    if row is None or user is None or row.disabled_at is not None or not ceremony.may_be(call, row.user_id):
        raise await _not_known(call, ceremony, response)
    passkey = Passkey.of(row)
    used = await _verified(call, passkey, response, ceremony)
    await _counted(call, user, passkey, used)
    begun = replace(under_way.attempt, auth_epoch=under_way.attempt.auth_epoch or epoch)
    proof = passkey.proof(call, user_verified=used.user_verified)
    stepped = await advance(call, replace(under_way, attempt=begun), user, proof)
    if stepped.identity is None:
        return stepped
    told = await signal(call, user, await passkeys_of(call, user.id))
    return replace(stepped, extra={**stepped.extra, "signal": told})


class Ceremony(NamedTuple):
    """How it was begun: `under_way` is the attempt that goes on with it, or None for a sign-in of its own.
    `about_nobody`: no user was named, so the authenticator says who it is."""

    challenge: Challenge
    under_way: UnderWay | None
    about_nobody: bool = False

    def may_be(self, call: Call, user_id: str) -> bool:
        """Whether it was begun for this user, or for whoever comes."""
        return self.about_nobody or self.challenge.is_about(call, user_id)


async def _not_known(call: Call, ceremony: Ceremony, response: Response) -> Refused:
    """A passkey that is gone here is called unknown, so that it goes from its manager, too. An id that was made up for
    somebody is answered as one that is somebody's (rule 4)."""
    if ceremony.about_nobody and not is_decoy(call, response.credential_id):
        return await fail(call, METHOD.name, "unknown_passkey")
    return replace(await fail(call, METHOD.name, "wrong_credentials"), detail=NOT_ACCEPTED)


async def _ceremony(call: Call, attempt: str | None, response: Response, row: Authenticator | None) -> Ceremony:
    """Which ceremony this ends: the challenge says it, for it was made for one alone."""
    secret = attempt or call.client.attempt
    challenge = challenges.read(call, response.challenge, GET, holder=_anonymous(secret))
    if challenge is not None:
        cookie = call.client.attempt if Asked.BROWSER in challenge.asked else secret
        if not secret or not tokens.same(cookie, secret):
            raise Refused("no_sign_in_under_way")
        return Ceremony(challenge, None, about_nobody=challenge.is_about(call, NOBODY))
    under_way = await current(call, attempt)
    holder, about = under_way.attempt.digest, under_way.attempt.user_id
    challenge = challenges.read(call, response.challenge, GET, holder=holder)
    if (
        challenge is None
        or not about
        or not challenge.is_about(call, about)
        or (row is not None and row.user_id != about)
    ):
        raise await fail(call, METHOD.name, "wrong_credentials", about)
    return Ceremony(challenge, under_way)


async def _verified(call: Call, passkey: Passkey, response: Response, ceremony: Ceremony) -> Asserted:
    try:
        if ceremony.about_nobody and not response.user_handle:  # §7.2 step 6
            raise ValueError("nobody says whose this is")
        return webauthn.verify_used(
            response,
            expected(call, response, ceremony.challenge),
            public_key=passkey.public_key,
            backup_eligible=passkey.backup_eligible,
            user_handle=passkey.user_handle,
        )
    except ValueError:
        refused = await fail(call, METHOD.name, "wrong_credentials", passkey.row.user_id)
        raise replace(refused, detail=NOT_ACCEPTED) from None


async def _counted(call: Call, user: User, passkey: Passkey, used: Asserted) -> None:
    """Move the counter on (§6.1.1), and note the backup state. A counter that goes back means a copy: of a passkey that
    stays in its device there is none, so it is refused and told; of one that is synced there may be, so that is told
    once, and let in."""
    row = passkey.row
    moved = {"id": row.id, "guard__lt": used.counter}
    went_on = used.counter == row.guard == 0
    went_back = not went_on and await call.store.change(Authenticator, moved, guard=used.counter) != 1
    if went_back:
        refused = not passkey.backup_eligible
        await call.emit(CounterWentBack(at=call.now, user_id=user.id, authenticator_id=row.id, refused=refused))
        if refused:
            await tell_daily(call, user, "passkey_copied")
            raise replace(await fail(call, METHOD.name, "wrong_credentials", user.id), detail=NOT_ACCEPTED)
    seen, now = {"id": row.id, "data": row.data}, passkey.seen(backed_up=used.backed_up, went_back=went_back)
    async with call.store.transaction():
        noted = await call.store.change(Authenticator, seen, last_used_at=call.now, data=now) == 1
        if noted and went_back and not passkey.went_back:
            await tell(call, user, "passkey_counted_back", {"device": row.name})
