"""Make a passkey: in a session, in a sign-in that asks for one, or as the first thing of a new account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from doorward.core.action import AttemptText, JsonObject, ShortName, action
from doorward.core.call import Call
from doorward.core.enrolling import enrollable, holder_of
from doorward.core.events import AuthenticatorAdded
from doorward.core.records import Account, Authenticator, Plus, User
from doorward.core.refusals import Refused, invalid
from doorward.core.sign_in import Stepped, UnderWay, add_proof, advance
from doorward.core.users import tell
from doorward.features import sign_up
from doorward.features.passkeys import challenges
from doorward.features.passkeys.ceremonies import (
    TIMEOUT,
    Begun,
    Hint,
    expected,
    handle_for,
    name_for,
    parsed,
    signal,
    user_handle_of,
)
from doorward.features.passkeys.challenges import Asked
from doorward.features.passkeys.decoys import is_decoy
from doorward.features.passkeys.makes import certified_makes
from doorward.features.passkeys.stored import METHOD, MOST_PASSKEYS, Passkey, made_of, passkeys_of
from doorward.features.sign_up import PendingSignUp
from doorward.locale import _
from doorward.primitives import webauthn
from doorward.primitives.webauthn import Registered

CREATE = "create"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who makes a passkey. `user` is None in a sign-up: the account is made with its passkey."""

    key: str
    about: str
    user_handle: bytes
    name: str
    display_name: str
    passkeys: list[Passkey]
    user: User | None
    under_way: UnderWay | None
    pending: PendingSignUp | None = None

    @property
    def attempt(self) -> str | None:
        return None if self.under_way is None else self.under_way.secret


TAKEN = "This passkey is registered already."


@action("passkeys.register.begin")
async def begin(
    call: Call, *, attempt: AttemptText | None = None, hint: Hint | None = None, conditional: bool = False
) -> Begun:
    """What `navigator.credentials.create()` takes. `conditional`: the browser may make one without asking, as it does
    after a sign-in by a password that it has filled in."""
    holder = await _holder(call, attempt)
    if conditional and holder.under_way is not None:
        raise invalid("conditional", "not_offered", "a passkey is made silently by who is signed in")
    if len(holder.passkeys) >= MOST_PASSKEYS:
        raise invalid("name", "too_many", f"at most {MOST_PASSKEYS} passkeys")
    asked = Asked.SILENT if conditional else Asked.NOTHING
    if call.world.settings.fido_metadata:
        asked |= Asked.VOUCHED
    if holder.user is None:  # it will be all that its user has, so it must be two factors
        asked |= Asked.VERIFIED
    options = webauthn.creation_options(
        challenge=challenges.make(call, CREATE, holder=holder.key, about=holder.about, asked=asked),
        rp_id=call.world.settings.relying_party,
        rp_name=call.world.settings.rp_name,
        user_handle=holder.user_handle,
        user_name=holder.name,
        display_name=holder.display_name,
        exclude=[passkey.descriptor for passkey in holder.passkeys],
        user_verification="required" if Asked.VERIFIED in asked else "preferred",
        # A security key may have no room for one more; beside a password it need not be found without its id.
        resident_key="preferred" if hint == "security-key" and holder.user is not None else "required",
        attestation="direct" if Asked.VOUCHED in asked else "none",
        hints=[hint] if hint else [],
        timeout=TIMEOUT,
    )
    return Begun(holder.attempt, options)


@action("passkeys.register.finish", proving=True)
async def finish(
    call: Call, *, credential: JsonObject, name: ShortName | None = None, attempt: AttemptText | None = None
) -> Stepped:
    """Bind the passkey that was made. It counts as proved at once, if somebody was there."""
    holder = await _holder(call, attempt)
    made = await _verified(call, holder, credential)
    if is_decoy(call, made.credential_id):
        raise Refused("state_changed", TAKEN)
    called = name or webauthn.maker_of(made.aaguid)
    passkey = made_of(call, made, user_id=holder.about, user_handle=holder.user_handle, name=called)
    if holder.pending is not None and holder.under_way is not None:
        first = sign_up.First(passkey.row, passkey.proof(call, user_verified=made.user_verified))
        return await sign_up.complete(call, holder.under_way, holder.pending, first)
    assert holder.user is not None  # noqa: S101  # who signs up no more has an account
    return await _bound(call, holder, holder.user, passkey, made)


async def _bound(call: Call, holder: Holder, user: User, passkey: Passkey, made: Registered) -> Stepped:
    """Store the passkey of a user who is there already; of its proof comes what is next."""
    async with call.all_or_nothing():  # rule 7: nothing is bound by an attempt that is refused
        # The account's row is locked first: of many at once, no more than there may be are bound (rule 44).
        await call.store.change(Account, {"user_id": user.id}, version=Plus(1))
        if await call.store.count(Authenticator, user_id=user.id, kind=METHOD.name) >= MOST_PASSKEYS:
            raise invalid("name", "too_many", f"at most {MOST_PASSKEYS} passkeys")
        if not await call.store.add(passkey.row):
            raise Refused("state_changed", TAKEN)
        await call.emit(AuthenticatorAdded(at=call.now, user_id=user.id, kind=METHOD.name))
        await tell(call, user, "authenticator_added", {"kind": _("passkey"), "device": passkey.row.name})
        proof = passkey.proof(call, user_verified=made.user_verified)
        if holder.under_way is not None:
            stepped = await advance(call, holder.under_way, user, proof)
        elif made.user_present:
            stepped = await add_proof(call, call.signed_in, proof)
        else:  # made silently: nobody has proved anything by it
            stepped = Stepped(identity=call.identity)
    told = {
        "passkey": {"id": passkey.row.id, "name": passkey.row.name},
        "signal": await signal(call, user, [passkey, *holder.passkeys]),
    }
    return replace(stepped, extra={**stepped.extra, **told})


async def _verified(call: Call, holder: Holder, credential: JsonObject) -> Registered:
    response = parsed(webauthn.read_created, credential)
    challenge = challenges.read(call, response.challenge, CREATE, holder=holder.key)
    if challenge is None or not challenge.is_about(call, holder.about):
        raise invalid("credential", "not_valid", "made for another challenge than the one asked with")
    await challenges.spend(call, challenge)
    vouched = Asked.VOUCHED in challenge.asked
    try:
        made = webauthn.verify_created(response, expected(call, response, challenge), vouched=vouched)
    except ValueError as error:
        raise invalid("credential", "not_valid", str(error)[:100]) from None
    if vouched and not certified_makes(call).vouches(made.aaguid, made.chain, call.now):
        raise invalid("credential", "not_certified", "the FIDO Alliance does not certify what made this passkey")
    return made


async def _holder(call: Call, attempt: str | None) -> Holder:
    """Who may make one, and under which handle: the one that other passkeys of theirs have, else one made of an id."""
    if attempt is not None or call.identity is None:
        held = await sign_up.without_authenticator(call, attempt)
        if held is not None:
            mine, pending = held
            handle, called = handle_for(pending.id), pending.name or pending.address
            return Holder(mine.attempt.digest, pending.id, handle, pending.address, called, [], None, mine, pending)
    key, user, under_way = await holder_of(call, attempt, METHOD)
    passkeys = await passkeys_of(call, user.id)
    handle = await user_handle_of(call, user, passkeys)
    name = name_for(user)
    return Holder(key, user.id, handle, name, user.name or name, passkeys, user, under_way)


async def load_new(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """For whom a passkey is made in a sign-in or sign-up that asks for one, and what else would do."""
    holder = await _holder(call, call.client.attempt)
    if holder.pending is not None:
        return {"address": holder.pending.address, "methods": ()}
    return {"address": "", "methods": await enrollable(call, call.client.attempt)}
