"""Ten codes to keep on paper: each stands in once for a lost second factor (NIST SP 800-63B-4 §3.1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from doorward.core.action import AttemptText, CodeText, Needs, action
from doorward.core.call import Call
from doorward.core.devices import is_known_device
from doorward.core.events import AuthenticatorAdded, AuthenticatorRemoved, RecoveryCodeUsed
from doorward.core.feature import Feature, Page
from doorward.core.records import Account, Authenticator, Plus, Record, User, column
from doorward.core.refusals import Refused
from doorward.core.sign_in import Stepped, advance, current, proof_by
from doorward.core.steps import Factor, Method
from doorward.core.tries import fail, limit_tries, spend_code_try, spend_try, succeed
from doorward.core.users import tell, tell_daily
from doorward.locale import _
from doorward.primitives import codes, tokens

METHOD = Method("recovery_code", "recovery", frozenset({Factor.HAS}), second=True, backup=True)

HOW_MANY = 10
CODE_BYTES, SALT_BYTES = 10, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCode(Record):
    """One unused code, as HMAC(pepper, argon2id(code, set salt)) (rule 15). Use is `take`."""

    table: ClassVar[str] = "doorward_recovery_code"
    exported: ClassVar[tuple[str, ...]] = ("created_at",)

    digest: str = column(key=True)
    user_id: str = column(index=True, size=64)
    created_at: datetime = column()


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """The codes, shown this once."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecoveryCodeCount:
    """How many are left unused; `created_at` is when the set was made."""

    count: int
    created_at: datetime | None


@action("recovery_codes.generate", needs=Needs.FRESH)
async def generate(call: Call) -> RecoveryCodes:
    """Make ten new codes; those before them are good no more. Needs a fresh proof."""
    user = call.signed_in.user
    await limit_tries(call, "recovery-codes-generate", user.id)  # ten slow hashes a time
    salt = call.world.random(SALT_BYTES)
    shown = tuple(codes.recovery_code(call.world.random(CODE_BYTES)) for _ in range(HOW_MANY))
    digests = [(await _digests(call, user.id, code, salt))[0] for code in shown]
    handle = f"recovery_code:{user.id}"
    made = Authenticator(
        id=call.new_id(),
        user_id=user.id,
        kind=METHOD.name,
        handle=handle,
        data=tokens.encode(salt),
        created_at=call.now,
    )
    async with call.store.transaction():
        # The account's row is locked first, so that two sets made at once do not mix.
        await call.store.change(Account, {"user_id": user.id}, version=Plus(1))
        await call.store.remove(RecoveryCode, user_id=user.id)
        await call.store.remove(Authenticator, handle=handle)
        rows = (RecoveryCode(digest=digest, user_id=user.id, created_at=call.now) for digest in digests)
        if not await call.store.add(made, *rows):
            raise Refused("state_changed")
        await call.emit(AuthenticatorAdded(at=call.now, user_id=user.id, kind=METHOD.name))
        await tell(call, user, "recovery_codes_made")
    return RecoveryCodes(shown)


@action("recovery_codes.count", method="GET", needs=Needs.SIGNED_IN)
async def count(call: Call) -> RecoveryCodeCount:
    """How many codes are left."""
    user = call.signed_in.user
    made = await call.store.get(Authenticator, handle=f"recovery_code:{user.id}")
    return RecoveryCodeCount(await call.store.count(RecoveryCode, user_id=user.id), made.created_at if made else None)


@action("sign_in.recovery_code", proving=True)
async def sign_in(
    call: Call, *, code: CodeText, attempt: AttemptText | None = None, trust_device: bool = False
) -> Stepped:
    """Prove the second step with a recovery code. It works once, and all addresses are told."""
    under_way = await spend_code_try(call, await current(call, attempt))
    user = await call.store.get(User, id=under_way.attempt.user_id)
    made = None if user is None else await call.store.get(Authenticator, handle=f"recovery_code:{user.id}")
    if user is None or made is None or not under_way.attempt.proved:
        raise Refused("wrong_method")
    key = await limit_tries(call, "recovery-code", user.id, known=is_known_device(call, user.id))
    typed, payable = codes.typed_recovery_code(code), await spend_try(call, made)
    if not payable:
        await tell_daily(call, user, "second_step_closed")
    if not payable or typed is None:
        raise await fail(call, METHOD.name, "wrong_code", user.id)
    digests = await _digests(call, user.id, typed, tokens.decode(made.data) or b"")
    async with call.store.transaction():
        spent = await call.store.take(RecoveryCode, digest__in=digests, user_id=user.id)
        if spent is not None:
            await _tell_used(call, user, made)
    if spent is None:
        raise await fail(call, METHOD.name, "wrong_code", user.id)
    await succeed(call, made, key)
    proof = proof_by(call, METHOD, authenticator=made.id)
    return await advance(call, under_way, user, proof, trust_device=trust_device)


async def _tell_used(call: Call, user: User, made: Authenticator) -> None:
    left = await call.store.count(RecoveryCode, user_id=user.id)
    if left == 0:  # a set without codes is no way to go on, and is offered no more
        await call.store.remove(Authenticator, id=made.id)
    await call.emit(RecoveryCodeUsed(at=call.now, user_id=user.id, left=left))
    await tell(call, user, "recovery_code_used", {"left": str(left)})


async def _digests(call: Call, user_id: str, code: str, salt: bytes) -> list[str]:
    """What is stored of a code, by each master secret, newest first: a set on paper outlives a change of secrets."""
    derived = await call.hash.derive(codes.typed_recovery_code(code) or code, salt=salt)
    keys = (call.keyring.key("recovery-codes", key_id=id) for id in call.keyring.ids)
    return [tokens.hmac_digest(key, user_id, derived) for key in keys]


async def forget(call: Call, event: AuthenticatorRemoved) -> None:
    """Codes go with their set."""
    if event.kind == METHOD.name:
        await call.store.remove(RecoveryCode, user_id=event.user_id)


class Recovery(Feature):
    """Codes on paper for a lost second factor."""

    records = (RecoveryCode,)
    actions = (generate, count, sign_in)
    methods = (METHOD,)
    listeners = ((AuthenticatorRemoved, forget),)
    pages = (
        Page(
            "/recovery-codes",
            "recovery_codes.html",
            needs=Needs.FRESH,
            reads=("recovery_codes.count",),
            area="security",
            title=_("Recovery codes"),
            row="recovery_codes_row.html",
            place=90,
        ),
    )
