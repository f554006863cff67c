"""Time-based one-time codes (RFC 6238) as a second way to prove who you are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import segno

from doorward.core.accounts import account_of
from doorward.core.action import AttemptText, CodeText, IdText, NameText, Needs, action
from doorward.core.call import Call
from doorward.core.demands import is_the_last
from doorward.core.devices import is_known_device
from doorward.core.enrolling import holder_of
from doorward.core.events import AuthenticatorAdded, AuthenticatorRemoved
from doorward.core.feature import Feature, Page, Sealed, Sweep
from doorward.core.records import Account, Authenticator, Moves, Plus, Record, User, column
from doorward.core.refusals import Misconfigured, Refused, invalid
from doorward.core.settings import Settings
from doorward.core.sign_in import Stepped, add_proof, advance, current, proof_by
from doorward.core.steps import Factor, Method
from doorward.core.tries import fail, limit_tries, spend_code_try, spend_try, succeed
from doorward.core.users import tell, tell_daily
from doorward.locale import _
from doorward.primitives import rfc6238, sealing
from doorward.primitives.rfc6238 import Algorithm, TotpKey

METHOD = Method("totp", "otp", frozenset({Factor.HAS}), second=True, enrolls=True)

ENROLMENT_LIFE = timedelta(minutes=15)
MOST_DEVICES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpEnrolment(Record):
    """A secret shown and not confirmed yet: it proves nothing. `secret` is sealed; `holder` is what may confirm it
    (a session id, or the digest of an attempt)."""

    table: ClassVar[str] = "doorward_totp_enrolment"
    moves: ClassVar[Moves] = Moves.NEVER
    exported: ClassVar[tuple[str, ...]] = ("id", "name", "created_at", "expires_at")

    id: str = column(key=True, size=64)
    holder: str = column(unique=True)
    user_id: str = column(index=True, size=64)
    secret: str = column(size=0)
    name: str = column(default="")
    tries: int = column(default=0)
    created_at: datetime = column()
    expires_at: datetime = column(index=True)


@dataclass(frozen=True, slots=True)
class TotpBegun:
    """`secret` in base32, `uri` for authenticator apps, `qr` the same as SVG; `expires_in` seconds."""

    secret: str
    uri: str
    qr: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class TotpDevice:
    """An enrolled device."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class TotpDevices:
    items: tuple[TotpDevice, ...]
    next: str | None = None


@action("totp.begin")
async def begin(call: Call, *, name: NameText = "", attempt: AttemptText | None = None) -> TotpBegun:
    """Show a new secret as QR code and text. It counts for nothing until a code of it is confirmed."""
    holder, user, _ = await holder_of(call, attempt, METHOD)
    if await call.store.count(Authenticator, user_id=user.id, kind=METHOD.name) >= MOST_DEVICES:
        raise invalid("name", "too_many", f"at most {MOST_DEVICES} devices")
    key = new_key(call)
    enrolment = TotpEnrolment(
        id=call.new_id(),
        holder=holder,
        user_id=user.id,
        secret=_sealed(call, user.id, key),
        name=name,
        created_at=call.now,
        expires_at=call.now + ENROLMENT_LIFE,
    )
    async with call.store.transaction():
        await call.store.remove(TotpEnrolment, holder=holder)
        await call.store.add(enrolment)
    return shown(call, user, key)


def new_key(call: Call) -> TotpKey:
    """A new secret, as this installation has them. Devices that were enrolled under other options go on as they are."""
    options = call.world.feature(Totp)
    secret = call.world.random(rfc6238.secret_bytes(options.algorithm))
    return TotpKey(secret, digits=options.digits, algorithm=options.algorithm)


def shown(call: Call, user: User, key: TotpKey) -> TotpBegun:
    """A secret as people and apps take it."""
    issuer = call.world.feature(Totp).issuer or call.world.settings.rp_name
    account = (user.email or user.username or user.id).replace(":", " ")  # the URI has one between its halves
    uri = rfc6238.provisioning_uri(key, issuer=issuer, account=account)
    qr = segno.make(uri, error="m", micro=False).svg_inline(border=4, dark="#000", light="#fff", omitsize=True)
    return TotpBegun(rfc6238.base32(key.secret), uri, qr, int(ENROLMENT_LIFE.total_seconds()))


@action("totp.confirm", proving=True)
async def confirm(call: Call, *, code: CodeText, attempt: AttemptText | None = None) -> Stepped:
    """Bind the device whose code this is. It counts as proved at once."""
    holder, user, under_way = await holder_of(call, attempt, METHOD)
    where = {"holder": holder, "expires_at__gt": call.now, "tries__lt": call.policy.code_tries}
    if await call.store.change(TotpEnrolment, where, tries=Plus(1)) != 1:
        raise Refused("state_changed", detail="Begin again: this set-up has expired, or had too many wrong codes.")
    enrolment = await call.store.get(TotpEnrolment, holder=holder, user_id=user.id)
    key = None if enrolment is None else _opened(call, user.id, enrolment.secret)
    step = None if key is None else rfc6238.matching_step(key, code, call.now)
    if enrolment is None or step is None:
        raise await fail(call, METHOD.name, "wrong_code", user.id)
    authenticator = Authenticator(
        id=call.new_id(),
        user_id=user.id,
        kind=METHOD.name,
        name=enrolment.name,
        data=enrolment.secret,
        guard=step,
        last_used_at=call.now,
        created_at=call.now,
    )
    async with call.all_or_nothing():  # rule 7: nothing is bound by an attempt that is refused
        if await call.store.take(TotpEnrolment, id=enrolment.id, secret=enrolment.secret) is None:
            raise Refused("state_changed")
        # The account's row is locked first: of many at once, no more than there may be are bound (rule 44).
        await call.store.change(Account, {"user_id": user.id}, version=Plus(1))
        if await call.store.count(Authenticator, user_id=user.id, kind=METHOD.name) >= MOST_DEVICES:
            raise invalid("name", "too_many", f"at most {MOST_DEVICES} devices")
        await call.store.add(authenticator)
        await call.emit(AuthenticatorAdded(at=call.now, user_id=user.id, kind=METHOD.name))
        await tell(call, user, "authenticator_added", {"kind": "authenticator app", "device": enrolment.name})
        proof = proof_by(call, METHOD, authenticator=authenticator.id)
        if under_way is not None:
            return await advance(call, under_way, user, proof)
        return await add_proof(call, call.signed_in, proof)


def imported(call: Call, user_id: str, secret: bytes) -> Authenticator:
    """A device that was enrolled in another system, for an operator who takes its users in."""
    sealed = _sealed(call, user_id, TotpKey(secret))
    return Authenticator(id=call.new_id(), user_id=user_id, kind=METHOD.name, data=sealed, created_at=call.now)


@action("sign_in.totp", proving=True)
async def sign_in(
    call: Call, *, code: CodeText, attempt: AttemptText | None = None, trust_device: bool = False
) -> Stepped:
    """Prove the second step with a code of an authenticator app."""
    under_way = await spend_code_try(call, await current(call, attempt))
    user = await call.store.get(User, id=under_way.attempt.user_id)
    devices = [] if user is None else await _devices(call, user.id)
    if user is None or not under_way.attempt.proved or not devices:
        raise Refused("wrong_method")
    key = await limit_tries(call, "totp", user.id, known=is_known_device(call, user.id))
    payable = [device for device in devices if await spend_try(call, device)]
    if not payable:
        await tell_daily(call, user, "second_step_closed")
    device = await _spent(call, payable, code)
    if device is None:
        raise await fail(call, METHOD.name, "wrong_code", user.id)
    for paid in payable:
        await succeed(call, paid, key)
    proof = proof_by(call, METHOD, authenticator=device.id)
    return await advance(call, under_way, user, proof, trust_device=trust_device)


async def _spent(call: Call, devices: list[Authenticator], code: str) -> Authenticator | None:
    """The device whose code this is, its step used up."""
    for device in devices:
        key = _opened(call, device.user_id, device.data)
        step = None if key is None else rfc6238.matching_step(key, code, call.now, after=device.guard)
        # RFC 6238 §5.2: a code must not be accepted twice. The last step is what counts: two steps can share a code.
        if step is not None:
            where = {"id": device.id, "guard__lt": step, "disabled_at": None}
            if await call.store.change(Authenticator, where, guard=step) == 1:
                return device
    return None


async def _devices(call: Call, user_id: str) -> list[Authenticator]:
    return await call.store.find(Authenticator, user_id=user_id, kind=METHOD.name, disabled_at=None)


def _sealed(call: Call, user_id: str, key: TotpKey) -> str:
    return call.seal(rfc6238.packed(key), purpose="totp", context=user_id)


def _opened(call: Call, user_id: str, sealed: str) -> TotpKey | None:
    kept = sealing.unseal(call.keyring, sealed, purpose="totp", context=user_id)
    return None if kept is None else rfc6238.unpacked(kept)


@action("totp.rename", needs=Needs.SIGNED_IN, status=204)
async def rename(call: Call, *, id: IdText, name: NameText) -> None:
    """Give a device another name, or none."""
    mine = {"id": id, "user_id": call.signed_in.user.id, "kind": METHOD.name}
    if await call.store.change(Authenticator, mine, name=name) != 1:
        raise Refused("not_found")


@action("totp.remove", needs=Needs.FRESH, status=204)
async def remove(call: Call, *, id: IdText | None = None) -> None:
    """Remove a device; without `id` all of them. Needs a fresh proof, and is told to all addresses."""
    user = call.signed_in.user
    account = await account_of(call, user)
    devices = await call.store.find(Authenticator, user_id=user.id, kind=METHOD.name)
    gone = [device.id for device in devices if id in (None, device.id)]
    if not gone:
        raise Refused("not_found")
    if len(gone) == len(devices) and await is_the_last(call, user, METHOD.name):
        raise Refused("last_authenticator")
    async with call.store.transaction():
        # A rule over several rows: guarded by the account's version (rule 44).
        seen = {"user_id": user.id, "version": account.version}
        if await call.store.change(Account, seen, version=Plus(1)) != 1:
            raise Refused("state_changed")
        await call.store.remove(Authenticator, user_id=user.id, id__in=gone)
        await call.emit(AuthenticatorRemoved(at=call.now, user_id=user.id, kind=METHOD.name))
        await tell(call, user, "authenticator_removed", {"kind": "authenticator app"})


@action("totp.list", method="GET", needs=Needs.SIGNED_IN)
async def list_devices(call: Call) -> TotpDevices:
    """The devices of who is signed in."""
    rows = await call.store.find(Authenticator, user_id=call.signed_in.user.id, kind=METHOD.name)
    return TotpDevices(tuple(TotpDevice(r.id, r.name, r.created_at, r.last_used_at) for r in rows))


async def load_set_up(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """The set-up that waits for its code, if one does: the page is the same when it is loaded again."""
    holder, user, _ = await holder_of(call, None, METHOD)
    enrolment = await call.store.get(TotpEnrolment, holder=holder, expires_at__gt=call.now)
    key = None if enrolment is None else _opened(call, user.id, enrolment.secret)
    return {"begun": None if key is None else shown(call, user, key)}


async def load_device(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """The device to rename; an empty `id` where there is no such."""
    mine = {"id": query.get("id", ""), "user_id": call.signed_in.user.id, "kind": METHOD.name}
    device = await call.store.get(Authenticator, **mine)
    return {"id": "", "name": ""} if device is None else {"id": device.id, "name": device.name}


@dataclass(frozen=True)
class Totp(Feature):
    """One-time codes of an authenticator app. `issuer` is the name shown there (default: RP_NAME). `algorithm` and
    `digits` (6 to 8) are for devices that are enrolled from now on; many apps know no others than these."""

    issuer: str = ""
    algorithm: Algorithm = "SHA1"
    digits: int = 6

    records = (TotpEnrolment,)
    actions = (begin, confirm, sign_in, rename, remove, list_devices)
    methods = (METHOD,)
    pages = (
        Page(
            "/totp",
            "totp.html",
            load_set_up,
            Needs.FRESH,
            reads=("totp.list",),
            area="security",
            title=_("Authenticator app"),
            row="totp_row.html",
            place=20,
        ),
        Page("/totp/rename", "totp_rename.html", load_device, Needs.SIGNED_IN, area="security"),
        Page("/sign-in/set-up", "sign_in_set_up.html", load_set_up),
    )
    sweeps = (Sweep(TotpEnrolment, "expires_at"),)
    sealed = (
        Sealed(Authenticator, "data", purpose="totp", context="user_id", kind=METHOD.name),
        Sealed(TotpEnrolment, "secret", purpose="totp", context="user_id"),
    )

    def check(self, settings: Settings, now: datetime) -> None:
        if ":" in (self.issuer or settings.rp_name):
            raise Misconfigured("totp.E1", "an app shows no colon in a name; leave it out of issuer, or of RP_NAME")
        try:
            TotpKey(bytes(20), digits=self.digits, algorithm=self.algorithm)
        except ValueError:
            raise Misconfigured("totp.E2", "digits are 6 to 8, and algorithm is SHA1, SHA256 or SHA512") from None
