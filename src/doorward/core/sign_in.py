"""A sign-in's way: begin an attempt, add proofs, and start the session when nothing holds the person back.

`start_session` is the one place in which a session is made; it takes the `Done` that only `next_step` makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from doorward.core.accounts import account_of
from doorward.core.attempt import (
    NO_WAY_IN,
    OF_A_SESSION,
    RECOVERY,
    SIGN_IN,
    STEP_UP,
    Attempt,
    read_proofs,
    write_proofs,
)
from doorward.core.call import Call
from doorward.core.demands import trust_is_offered
from doorward.core.devices import trust_device, use_trusted_device
from doorward.core.events import SignedIn
from doorward.core.facts import facts_of
from doorward.core.policy import SecondFactor
from doorward.core.possession import key_held
from doorward.core.records import Account, Plus, User
from doorward.core.refusals import Refused, invalid
from doorward.core.session import Caller, Identity, Session, host_digest, level_of, session_digest
from doorward.core.steps import (
    LEVELS,
    Done,
    Facts,
    Hold,
    Method,
    Proof,
    Prove,
    Refuse,
    Step,
    has_second_factor,
    next_step,
)
from doorward.primitives import tokens
from doorward.primitives.urls import return_target


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An attempt and the secret its client holds. `stored`: it has a row already."""

    attempt: Attempt
    secret: str
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Stepped:
    """The answer to everything that moves a sign-in on: in (`identity`), or held back (`hold`)."""

    hold: Hold | None = None
    attempt: str = ""
    identity: Caller | None = None
    tokens: Mapping[str, Any] | None = None
    return_to: str = ""
    to: str = ""
    expires_in: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def only_says_who(self) -> bool:
        """Nothing in it but an identity."""
        return self.identity is not None and not (self.hold or self.tokens or self.return_to or self.extra)

    @property
    def access_token(self) -> str:
        """The token of a sign-in with `issue="tokens"`. Refuses while something more is needed, and names it."""
        if self.tokens is None:
            methods = getattr(self.hold, "methods", ())
            raise Refused("not_signed_in", "Something more is needed to sign in.", methods=methods)
        return str(self.tokens["access_token"])


async def begin(
    call: Call,
    *,
    purpose: str = SIGN_IN,
    issue: str = "session",
    remember: bool = False,
    return_to: str | None = None,
    life: timedelta | None = None,
) -> UnderWay:
    """A new attempt, not stored yet: many a sign-in is over in one request and never needs the row.

    Call it outside of transactions: it counts in the limits. Raises `too_many_attempts`.
    """
    if issue not in call.world.issuers:
        raise invalid("issue", "not_offered", f"expected one of {', '.join(call.world.issuers)}")
    await bound_attempts(call)
    jkt = await key_held(call) if issue == "tokens" else ""
    secret = call.new_secret()
    attempt = Attempt(
        digest=_attempt_digest(secret),
        purpose=purpose,
        issue=issue,
        remember=remember,
        return_to=_checked_return(call, return_to),
        browser=call.client.browser,
        jkt=jkt,
        network=call.client.network,
        created_at=call.now,
        expires_at=call.now + (life or call.policy.attempt_life),
    )
    return UnderWay(attempt, secret)


def _checked_return(call: Call, return_to: str | None) -> str:
    if not return_to:
        return ""
    settings = call.world.settings
    target = return_target(return_to, origin=settings.origin, return_origins=settings.other_origins)
    if target is None:
        raise invalid("return_to", "not_allowed", "a path of this site, or a URL of another one of ours")
    return target


async def current(call: Call, attempt: str | None, *, purpose: str | tuple[str, ...] | None = None) -> UnderWay:
    """The attempt that the client holds: from the body, else from its cookie (rule 5).

    `purpose` is what it must be for, or several of which one will do; without it, any that signs somebody in. Raises
    `no_sign_in_under_way` or `attempt_expired`.
    """
    secret = attempt or call.client.attempt
    if not secret:
        raise Refused("no_sign_in_under_way")
    found = await call.store.get(Attempt, digest=_attempt_digest(secret))
    if found is None or not _is_for(found, purpose):
        raise Refused("no_sign_in_under_way")
    if found.browser and not (call.client.attempt and tokens.same(call.client.attempt, secret)):
        # A browser's attempt moves only in the browser that holds its cookie: no other one can be pushed into it.
        raise Refused("no_sign_in_under_way")
    if found.purpose in OF_A_SESSION and (call.identity is None or call.identity.session.id != found.subject):
        raise Refused("no_sign_in_under_way")
    if found.expires_at <= call.now:
        raise Refused("attempt_expired")
    if found.issue == "tokens" and call.client.proof is not None and await key_held(call) != found.jkt:
        raise Refused("invalid_proof")  # the key is chosen with the first request, and stays
    return UnderWay(found, secret, stored=True)


def _is_for(attempt: Attempt, purpose: str | tuple[str, ...] | None) -> bool:
    if purpose is None:
        return attempt.purpose not in NO_WAY_IN
    return attempt.purpose in ((purpose,) if isinstance(purpose, str) else purpose)


async def keep(call: Call, under_way: UnderWay, attempt: Attempt) -> UnderWay:
    """Store what has become of an attempt. Of two parallel changes one is refused with `state_changed`."""
    if under_way.stored:
        values = {
            name: getattr(attempt, name)
            for name in Attempt.__dataclass_fields__
            if name not in ("digest", "guard") and getattr(attempt, name) != getattr(under_way.attempt, name)
        }
        guard = {"digest": attempt.digest, "guard": under_way.attempt.guard}
        if await call.store.change(Attempt, guard, guard=Plus(1), **values) != 1:
            raise Refused("state_changed")
        attempt = replace(attempt, guard=under_way.attempt.guard + 1)
    else:
        await call.store.add(attempt)
    call.effects.attempt = under_way.secret
    return UnderWay(attempt, under_way.secret, stored=True)


async def bound_attempts(call: Call) -> None:
    """Anonymous writes have a budget per source network (rule 45)."""
    window = int(call.policy.tries_window.total_seconds())
    wait = await call.world.limits.hit(
        f"attempts:{call.client.network}", most=call.policy.tries_per_network, seconds=window
    )
    if wait:
        raise Refused("too_many_attempts", retry_after=wait)


async def own_attempt(call: Call, attempt: str | None, *, purpose: str, subject: str) -> UnderWay | None:
    """The attempt that this client began about just that: where a link does no more than go on with it."""
    try:
        under_way = await current(call, attempt, purpose=purpose)
    except Refused:
        return None
    return under_way if under_way.attempt.subject == subject else None


def proof_by(call: Call, method: Method, *, authenticator: str = "") -> Proof:
    """A proof made now."""
    return Proof(method.name, method.amr, method.factors, call.now, authenticator)


async def advance(call: Call, under_way: UnderWay, user: User, *proofs: Proof, trust_device: bool = False) -> Stepped:
    """Add proofs of `user` to an attempt and say what is next; start the session when nothing is. `trust_device`: they
    want to be asked for no second factor in this browser again."""
    attempt = under_way.attempt
    if attempt.purpose in NO_WAY_IN or (attempt.user_id and attempt.user_id != user.id):
        raise Refused("no_sign_in_under_way")
    account = await account_of(call, user)
    attempt = replace(
        attempt,
        user_id=user.id,
        auth_epoch=attempt.auth_epoch or account.auth_epoch,
        trust_device=attempt.trust_device or trust_device,
        host_digest=_unchanged_host_digest(call, attempt, user),
    )
    for proof in proofs:
        attempt = attempt.with_proof(proof)
    facts = await facts_of_attempt(call, attempt, user, account)
    step = next_step(facts, call.world.gates)
    if isinstance(step, Done):
        return await start_session(call, under_way, attempt, user, step, facts)
    if isinstance(step, Refuse):
        raise Refused(step.reason)
    kept = await keep(call, under_way, attempt)
    return held(call, kept, step)


async def facts_of_attempt(call: Call, attempt: Attempt, user: User, account: Account) -> Facts:
    """What the gates look at for an attempt: of a step-up, with what it is to end in."""
    if attempt.purpose != STEP_UP:
        return await facts_of(call, user, account, attempt.proved, recovers=attempt.purpose == RECOVERY)
    within = timedelta(seconds=attempt.max_age) if attempt.max_age else call.policy.fresh_within
    level = LEVELS.get(attempt.acr, SecondFactor.OPTIONAL)
    return await facts_of(call, user, account, attempt.proved, fresh_within=within, at_least=level, is_in=True)


async def step_of(call: Call, under_way: UnderWay) -> tuple[Step, User | None]:
    """What an attempt still lacks, and whose it is; `Prove(())` where it is nobody's yet."""
    user = await call.store.get(User, id=under_way.attempt.user_id)
    account = None if user is None else await call.store.get(Account, user_id=user.id)
    if user is None or account is None:
        return Prove(()), None
    facts = await facts_of_attempt(call, under_way.attempt, user, account)
    return next_step(facts, call.world.gates), user


def _unchanged_host_digest(call: Call, attempt: Attempt, user: User) -> str:
    """Rule 20 for attempts: a host that changes the password column ends what was proved before, too. Whether the
    account is open is the gates' to say, with their own word."""
    ring, user = call.keyring, replace(user, active=True)
    known = [host_digest(ring.key("host-state", key_id=id), user) for id in ring.ids]
    if attempt.host_digest and attempt.host_digest not in known:
        raise Refused("attempt_expired")
    return attempt.host_digest or known[0]


def held(call: Call, under_way: UnderWay, hold: Hold, *, to: str = "") -> Stepped:
    """The answer that names a hold."""
    left = int((under_way.attempt.expires_at - call.now).total_seconds())
    return Stepped(hold=hold, attempt=under_way.secret, to=to, expires_in=left)


async def start_session(
    call: Call, under_way: UnderWay, attempt: Attempt, user: User, done: Done, facts: Facts
) -> Stepped:
    """Start the session that `done` allows. The only place in which sessions are made.

    One transaction: the attempt is taken (one of forty parallel requests gets it), the epoch it was proved under
    still holds (a password changed meanwhile ends it), an older session of this client ends. `facts` are what
    `done` was concluded from.
    """
    if done.user_id != user.id:
        raise Refused("not_permitted")
    secret = call.new_secret()
    async with call.store.transaction():
        if under_way.stored and not await call.store.take(
            Attempt, digest=attempt.digest, guard=under_way.attempt.guard
        ):
            raise Refused("no_sign_in_under_way")
        still = {"user_id": user.id, "auth_epoch": attempt.auth_epoch}
        if await call.store.change(Account, still, version=Plus(1)) != 1:
            raise Refused("attempt_expired")
        if facts.device_is_trusted and not await use_trusted_device(call, user.id, attempt.auth_epoch):
            raise Refused("attempt_expired")  # before anything is written: a refusal commits
        if attempt.purpose == STEP_UP:
            session = await _raised(call, attempt, secret, facts.enroll_by)
        else:
            session = await _started(call, attempt, user, secret, facts.enroll_by)
        await _about_device(call, attempt, facts)
        identity = Identity(user, session, level_of(session, call.policy, call.now))
        started = SignedIn(
            at=call.now, user_id=user.id, session_id=session.id, amr=identity.amr, purpose=attempt.purpose
        )
        await call.emit(started)
        issued = await call.world.issuers[session.kind](call, user, session)
    call.identity = identity
    if session.kind == "session":
        call.effects.session = (secret, session)
    call.effects.attempt, call.effects.attempt_ended = "", True
    call.effects.known_device = user.id
    return Stepped(identity=identity, tokens=issued or None, return_to=attempt.return_to)


async def _about_device(call: Call, attempt: Attempt, facts: Facts) -> None:
    """Who proved a second factor may have this device trusted, where the policy allows it."""
    methods = call.world.methods  # one that was switched off since is not there any more
    seconds = any(proof.method in methods and methods[proof.method].second for proof in attempt.proved)
    if attempt.trust_device and seconds and has_second_factor(facts) and trust_is_offered(call, facts.second_factor):
        await trust_device(call, attempt.user_id, attempt.auth_epoch)


async def _started(call: Call, attempt: Attempt, user: User, secret: str, enroll_by: datetime | None) -> Session:
    # Not remembered: the cookie goes with the browser, and the row no later than this.
    remembered = attempt.remember or not attempt.browser
    life = call.policy.session_absolute if remembered else call.policy.browser_session
    session = Session(
        id=call.new_id(),
        digest=session_digest(secret),
        user_id=user.id,
        proofs=attempt.proofs,
        auth_epoch=attempt.auth_epoch,
        host_digest=host_digest(call.keyring.key("host-state"), user),
        kind=attempt.issue,
        remember=attempt.remember,
        jkt=attempt.jkt,
        enroll_by=enroll_by,
        user_agent=call.client.user_agent[:400],
        ip=call.client.ip,
        created_at=call.now,
        last_seen_at=call.now,
        expires_at=call.now + life,
    )
    if call.identity is not None:  # a sign-in over an old cookie ends the old session (rule 27)
        await call.store.remove(Session, id=call.identity.session.id)
    await call.store.add(session)
    return session


async def _raised(call: Call, attempt: Attempt, secret: str, enroll_by: datetime | None) -> Session:
    """Step-up adds proofs to the session it is bound to and rotates its secret; the id stays (rule 27)."""
    session = await call.store.get(Session, id=attempt.subject)
    if session is None or session.user_id != attempt.user_id:
        raise Refused("not_signed_in")
    return await _with_proofs(call, session, attempt.proved, secret, enroll_by)


async def _with_proofs(
    call: Call, session: Session, proofs: tuple[Proof, ...], secret: str, enroll_by: datetime | None
) -> Session:
    latest = {proof.shows: proof for proof in (*read_proofs(session.proofs), *proofs)}
    raised = replace(session, proofs=write_proofs(latest.values()), enroll_by=enroll_by)
    if session.kind == "session":
        raised = replace(raised, digest=session_digest(secret))
    where = {"id": session.id, "digest": session.digest, "proofs": session.proofs}
    values = {"proofs": raised.proofs, "digest": raised.digest, "enroll_by": enroll_by}
    if await call.store.change(Session, where, **values) != 1:
        raise Refused("state_changed")
    return raised


async def add_proof(call: Call, identity: Identity, proof: Proof) -> Stepped:
    """Add a proof to a session, in the caller's transaction: a rise in privilege, so its secret rotates."""
    secret, user = call.new_secret(), identity.user
    facts = await facts_of(call, user, await account_of(call, user), identity.proofs, is_in=True)
    session = await _with_proofs(call, identity.session, (proof,), secret, facts.enroll_by)
    call.identity = Identity(user, session, level_of(session, call.policy, call.now), identity.by)
    if session.kind == "session":
        call.effects.session = (secret, session)
    return Stepped(identity=call.identity)


def _attempt_digest(secret: str) -> str:
    return tokens.digest(secret, purpose="attempt")
