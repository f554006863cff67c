"""Another second factor in the place of a lost one: by a recovery code and the mailbox, or after a waiting period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from doorward.core import by_mail
from doorward.core.accounts import account_of
from doorward.core.action import AttemptText, CodeText, Needs, TokenText, action
from doorward.core.attempt import RECOVERY, RESET, SIGN_IN, STEP_UP, Attempt, read_proofs, write_proofs
from doorward.core.by_mail import Owner
from doorward.core.call import Call
from doorward.core.devices import is_known_device
from doorward.core.events import (
    AuthenticatorAdded,
    AuthenticatorRemoved,
    PasswordChanged,
    RecoveryBegun,
    SecondFactorReplaced,
    SignedIn,
)
from doorward.core.feature import Feature, Page
from doorward.core.identify import end_sessions
from doorward.core.links import find_link, remove_links, take_link
from doorward.core.records import Account, Authenticator, Plus, User
from doorward.core.recovering import (
    ASSISTED_LINK,
    CANCEL_LINK,
    OPEN_FOR,
    MailedPassword,
    RecoveryWait,
    cancel,
    cancel_link,
    running_wait,
    wait_of,
)
from doorward.core.refusals import Refused
from doorward.core.session import Session
from doorward.core.sign_in import (
    Stepped,
    UnderWay,
    advance,
    current,
    facts_of_attempt,
    held,
    keep,
    proof_by,
    step_of,
)
from doorward.core.steps import (
    ASSISTED,
    EMAIL,
    Confirm,
    Factor,
    Proof,
    Prove,
    has_second_factor,
    next_step,
    somebody_is_known,
)
from doorward.core.tries import limit_letters, limit_tries
from doorward.core.users import tell
from doorward.primitives import text

WAIT = Confirm("recovery_wait")
PURPOSES = (SIGN_IN, RESET, STEP_UP, RECOVERY)
MOST_WAITS = 3  # a day: each of them writes to every address
AT_ONCE = 100  # reminders in one round
# What letters call the kinds of authenticators.
NAMES = {"totp": "authenticator app", "recovery_code": "recovery code", "passkey": "passkey", "sms": "text message"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """From `due_at` to `expires_at` whoever proves the same once more enrols another second factor. All are None where
    nobody waits. `ip` and `user_agent` are of who began it."""

    begun_at: datetime | None = None
    due_at: datetime | None = None
    expires_at: datetime | None = None
    ip: str = ""
    user_agent: str = ""


@action("sign_in.recovery.send", status=202)
async def send(call: Call, *, attempt: AttemptText | None = None) -> Stepped:
    """Say that the second factor is lost, and have a code sent to one's address: after the password, or what else there
    is to begin with."""
    under_way, asked, user = await _of_who_lost_it(call, attempt)
    await limit_tries(call, "recovery", user.id, known=is_known_device(call, user.id))
    owner = await by_mail.mailbox_of(call, user)
    if owner is None:
        raise Refused("wrong_method", "There is no address to write to. Ask who runs this service.")
    await limit_letters(call, text.canonical_address(owner.address) or owner.address)
    async with call.store.transaction():
        mailed, code = await by_mail.with_code(call, asked, owner, to=owner.address)
        # ASVS 5.0 6.6.3: to ask for another code gives no more tries.
        mailed = replace(mailed, code_tries=asked.code_tries)
        kept = await keep(call, under_way, mailed)  # a refusal commits: no letter without its code
        await _write(call, owner, code)
    return held(call, kept, Prove((EMAIL.name,)), to=text.masked_address(owner.address))


async def _of_who_lost_it(call: Call, attempt: str | None) -> tuple[UnderWay, Attempt, User]:
    """A sign-in that lacks a second factor and nothing before it, and what it is from now on."""
    under_way = await current(call, attempt, purpose=PURPOSES)
    user = await call.store.get(User, id=under_way.attempt.user_id)
    if user is None:
        raise Refused("wrong_method")
    asked = _as_recovery(call, under_way.attempt)
    facts = await facts_of_attempt(call, asked, user, await account_of(call, user))
    lacking = isinstance(next_step(facts, call.world.gates), Prove | Confirm)
    if somebody_is_known(facts) is not None or not has_second_factor(facts) or not lacking:
        raise Refused("wrong_method")
    return under_way, asked, user


def _as_recovery(call: Call, attempt: Attempt) -> Attempt:
    """The attempt as one of somebody who lost the second factor. A letter takes its time, so it gets some more, once.

    Who is signed in, and can't step up, signs in anew by it: what was proved long ago counts for nothing.
    """
    if attempt.purpose == RECOVERY:
        return attempt
    asked = replace(attempt, purpose=RECOVERY, expires_at=call.now + call.policy.attempt_life)
    if attempt.purpose != STEP_UP:
        return asked
    lately = [proof for proof in attempt.proved if proof.at >= call.now - call.policy.fresh_within]
    return replace(asked, subject="", max_age=0, acr="", proofs=write_proofs(lately))


async def _write(call: Call, owner: Owner, code: str) -> None:
    life = call.policy.code_life
    words = {"code": code, "minutes": str(int(life.total_seconds()) // 60)}
    await tell(call, owner.user, "recovery_code_mailed", words, to=owner.address, life=life)


@action("sign_in.recovery", proving=True)
async def prove_mailbox(call: Call, *, code: CodeText, attempt: AttemptText | None = None) -> Stepped:
    """Prove the mailbox by the code of the letter. Next is a recovery code, or the waiting period; where either has
    been proved already, another second factor is enrolled."""
    under_way, user = await by_mail.check_code(call, await current(call, attempt, purpose=RECOVERY), code)
    return await advance(call, await by_mail.use_up(call, under_way), user, proof_by(call, EMAIL))


@action("sign_in.recovery.wait")
async def begin_wait(call: Call, *, attempt: AttemptText | None = None) -> Waiting:
    """Begin the waiting period, and tell every address; where it has begun already, say until when it lasts."""
    under_way = await current(call, attempt, purpose=RECOVERY)
    step, user = await step_of(call, under_way)
    if user is None or step != WAIT:
        raise Refused("wrong_method")
    async with call.all_or_nothing():
        # The account's row is locked first: of forty at once one begins it, and the others find it begun.
        still = {"user_id": user.id, "auth_epoch": under_way.attempt.auth_epoch}
        if await call.store.change(Account, still, version=Plus(1)) != 1:
            raise Refused("attempt_expired")
        account = await account_of(call, user)
        return shown(await wait_of(call, account) or await _begun(call, user, account))


async def _begun(call: Call, user: User, account: Account) -> RecoveryWait:
    seconds = await call.world.limits.hit(f"recovery-wait:{user.id}", most=MOST_WAITS, seconds=86_400)
    if seconds:
        raise Refused("too_many_attempts", retry_after=seconds)
    due_at = call.now + call.policy.recovery_wait
    wait = RecoveryWait(
        user_id=user.id,
        auth_epoch=account.auth_epoch,
        ip=call.client.ip,
        user_agent=call.client.user_agent[:400],
        begun_at=call.now,
        due_at=due_at,
        expires_at=due_at + OPEN_FOR,
    )
    await call.store.remove(RecoveryWait, user_id=user.id)  # one that is good no more
    if not await call.store.add(wait):
        raise Refused("state_changed")
    await tell(call, user, "recovery_begun", await _words(call, user, wait))
    await call.emit(RecoveryBegun(at=call.now, user_id=user.id, due_at=due_at))
    return wait


async def _words(call: Call, user: User, wait: RecoveryWait) -> Mapping[str, str]:
    """What a letter says of a waiting period, with a link that stops it."""
    link = await cancel_link(call, user, wait.expires_at - call.now)
    return {"until": wait.due_at.isoformat(), "cancel_link": link, "agent": wait.user_agent, "network": wait.ip}


def shown(wait: RecoveryWait | None) -> Waiting:
    """A waiting period as answers show it."""
    if wait is None:
        return Waiting()
    return Waiting(wait.begun_at, wait.due_at, wait.expires_at, wait.ip, wait.user_agent)


async def remind(call: Call) -> int:
    """Tell every address once more before a waiting period ends, in its last third. Of several processes one does."""
    soon = call.now + call.policy.recovery_wait / 3
    told = 0
    for wait in await call.store.find(RecoveryWait, reminded=False, due_at__lt=soon, limit=AT_ONCE):
        mine = {"user_id": wait.user_id, "begun_at": wait.begun_at, "reminded": False}
        async with call.store.transaction():
            user = await call.store.get(User, id=wait.user_id)
            first = await call.store.change(RecoveryWait, mine, reminded=True) == 1
            if first and user is not None and await running_wait(call, user) is not None:
                await tell(call, user, "recovery_due", await _words(call, user, wait))
                told += 1
    return told


@action("recovery", method="GET", needs=Needs.SIGNED_IN)
async def state(call: Call) -> Waiting:
    """Whether somebody waits to replace the second factor of who is signed in, and until when."""
    return shown(await running_wait(call, call.signed_in.user))


@action("recovery.cancel", status=204)
async def stop(call: Call, *, token: TokenText | None = None) -> None:
    """Stop a recovery: by the link in the letters, once, or signed in. It opens nothing and proves nothing (rule 9)."""
    async with call.all_or_nothing():
        user_id = call.signed_in.user.id if token is None else (await take_link(call, CANCEL_LINK, token)).user_id
        if not await cancel(call, user_id):
            raise Refused("not_found", "No recovery is under way.")


# What a sign-in changes


async def after_sign_in(call: Call, event: SignedIn) -> None:
    """A second factor that was bound in a recovery takes the place of the lost ones. Any other sign-in with a second
    factor stops the recovery: it is not lost, or somebody else said so."""
    session = await call.store.get(Session, id=event.session_id)
    user = await call.store.get(User, id=event.user_id)
    if session is None or user is None:
        return
    proofs = read_proofs(session.proofs)
    seconds = [proof for proof in proofs if _is_second(call, proof)]
    if event.purpose == RECOVERY:
        rows = await call.store.find(Authenticator, user_id=user.id)
        proved = {p.authenticator for p in seconds if not call.world.methods[p.method].backup}
        # A story has one moment: what was made at this one was enrolled by this sign-in.
        new = next((row for row in rows if row.id in proved and row.created_at == call.now), None)
        if new is not None:
            return await _replace(call, user, session, rows, new)
    if not seconds:
        return
    if _knows(call, proofs):
        await call.store.remove(MailedPassword, user_id=user.id)
    wait = await running_wait(call, user)
    if wait is not None and any(proof.at > wait.begun_at for proof in seconds):
        await cancel(call, user.id)


def _is_second(call: Call, proof: Proof) -> bool:
    return proof.method in call.world.methods and call.world.methods[proof.method].second


def _knows(call: Call, proofs: tuple[Proof, ...]) -> bool:
    """Whether the password is among them. A passkey knows something as well, and says nothing of the password."""
    return any(Factor.KNOWS in proof.factors and not _is_second(call, proof) for proof in proofs)


async def _replace(call: Call, user: User, session: Session, rows: list[Authenticator], new: Authenticator) -> None:
    """In the transaction that starts the session: all of it, or nothing."""
    proved = {proof.method for proof in read_proofs(session.proofs)}
    backups = {name for name in proved if name in call.world.methods and call.world.methods[name].backup}
    waited = await call.store.take(
        RecoveryWait,
        user_id=user.id,
        auth_epoch=session.auth_epoch,
        due_at__lt=call.now + timedelta(microseconds=1),
    )
    if waited is None and not backups and ASSISTED.name not in proved:
        raise Refused("attempt_expired")  # it was stopped at this moment
    # A password is no second factor, and a set of codes of which one was at hand is not lost.
    gone = [row for row in rows if row.id != new.id and row.kind not in {"password", *backups}]
    await call.store.remove(Authenticator, user_id=user.id, id__in=[row.id for row in gone])
    kinds = tuple(dict.fromkeys(row.kind for row in gone))
    for kind in kinds:
        await call.emit(AuthenticatorRemoved(at=call.now, user_id=user.id, kind=kind))
    await call.store.remove(RecoveryWait, user_id=user.id)
    await remove_links(call, user.id, CANCEL_LINK, ASSISTED_LINK)
    await call.store.remove(Attempt, user_id=user.id, purpose=RECOVERY)
    await end_sessions(call, user.id, but=session)
    await call.emit(SecondFactorReplaced(at=call.now, user_id=user.id, removed=kinds))
    names = ", ".join(NAMES.get(kind, kind.replace("_", " ")) for kind in kinds)
    await tell(call, user, "second_factor_replaced", {"removed": names})


# Whether the password is a second way beside the mailbox


async def after_password(call: Call, event: PasswordChanged) -> None:
    """A mailbox that chose the password is no second way beside it; another password is one again."""
    await call.store.remove(MailedPassword, user_id=event.user_id)
    if event.by_mail:
        await call.store.add(MailedPassword(user_id=event.user_id, since=call.now))


async def after_enrolment(call: Call, event: AuthenticatorAdded) -> None:
    """Who binds an authenticator in a session that knows the password vouches for it."""
    if call.identity is not None and call.identity.user.id == event.user_id and _knows(call, call.identity.proofs):
        await call.store.remove(MailedPassword, user_id=event.user_id)


# Pages


async def load_recovery(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """How far the recovery of the sign-in under way is, and what it can go on with."""
    under_way = await current(call, None, purpose=PURPOSES)
    step, user = await step_of(call, under_way)
    begun = under_way.attempt.purpose == RECOVERY
    owner = None if user is None else await by_mail.mailbox_of(call, user)
    hours = int(call.policy.recovery_wait.total_seconds()) // 3600
    codes = user is not None and await call.store.count(Authenticator, user_id=user.id, kind="recovery_code") > 0
    wait = await running_wait(call, user) if user is not None and step == WAIT else None
    return {
        "asked": begun and step == Prove((EMAIL.name,)),
        "proved": begun and step != Prove((EMAIL.name,)),
        "may_wait": step == WAIT,
        "to": "" if owner is None else text.masked_address(owner.address),
        "has_codes": codes,
        "hours": hours,
        "wait": shown(wait),
    }


async def load_cancel(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Whose recovery the link would stop, and nothing more: it changes nothing until the button is pressed."""
    token = query.get("token", "")
    if not token:
        return {"token": "", "to": ""}
    user = await call.store.get(User, id=(await find_link(call, CANCEL_LINK, token)).user_id)
    return {"token": token, "to": text.masked_address(user.email or "") if user is not None else ""}


class LostFactor(Feature):
    """The way back in for who lost the second factor."""

    actions = (send, prove_mailbox, begin_wait, state, stop)
    listeners = (
        (SignedIn, after_sign_in),
        (PasswordChanged, after_password),
        (AuthenticatorAdded, after_enrolment),
    )
    pages = (
        Page("/sign-in/recovery", "recovery.html", load_recovery),
        Page("/recovery/cancel", "recovery_cancel.html", load_cancel),
    )
    chores = (remind,)
