"""Somebody is in: an opaque secret stored as a digest, with the proofs it came from and their times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeAlias

from doorward.core.attempt import read_proofs
from doorward.core.policy import Policy
from doorward.core.records import Moves, Record, User, column
from doorward.core.steps import Proof, amr_of, assurance_level
from doorward.primitives import tokens

# Last-seen is written in batches, and not again before it is this old: a read must not cost a write.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Record):
    """A row that exists is valid: what ends a session deletes its row in the same transaction.

    `id` stays while the secret behind `digest` rotates. `host_digest` is a keyed digest of the host's password
    field and active flag at sign-in: a host that changes either ends the session (rule 20). `jkt` is the thumbprint of
    the key that its tokens are bound to (rule 25). `lapsed_at`: it was not used for so long that what was proved before
    then makes no AAL2 any more. `enroll_by`: when it ends, because its user must have a second factor then.
    """

    table: ClassVar[str] = "doorward_session"
    moves: ClassVar[Moves] = Moves.WITH_SESSIONS
    exported: ClassVar[tuple[str, ...]] = ("id", "kind", "user_agent", "ip", "created_at", "last_seen_at", "expires_at")

    id: str = column(key=True, size=64)
    digest: str = column(unique=True)
    user_id: str = column(index=True, size=64)
    proofs: str = column(size=0)
    auth_epoch: str = column(size=64)
    host_digest: str = column()
    kind: str = column(size=16, default="session")
    remember: bool = column(default=False)
    jkt: str = column(size=64, default="")
    lapsed_at: datetime | None = column(default=None)
    enroll_by: datetime | None = column(default=None)
    user_agent: str = column(size=400, default="")
    ip: str = column(size=64, default="")
    created_at: datetime = column()
    last_seen_at: datetime = column()
    expires_at: datetime = column(index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPass(Record):
    """What leads from a protected host to a session: a code on its way there, then the cookie of that host (rule 37).

    It is worth nothing without the session's row, and so ends in the same transaction. What it is for, `CODE` or
    `COOKIE`, and at which host, goes into the digest: it is found for nothing else.
    """

    table: ClassVar[str] = "doorward_host_pass"
    moves: ClassVar[Moves] = Moves.WITH_SESSIONS
    exported: ClassVar[tuple[str, ...]] = ("kind", "host", "created_at", "expires_at")

    digest: str = column(key=True)
    kind: str = column(size=16)
    host: str = column(size=300)
    session_id: str = column(index=True, size=64)
    user_id: str = column(index=True, size=64)
    created_at: datetime = column()
    expires_at: datetime = column(index=True)


CODE, COOKIE = "code", "cookie"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request: the user, and the session it comes by, as a cookie or a bearer token. `aal` is what the
    session's proofs were worth when it was read (`level_of`).

    `shapes` is for adapters: what they make of an identity, they need not make again while it is remembered.
    """

    user: User
    session: Session
    aal: int
    by: str = "cookie"
    shapes: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def proofs(self) -> tuple[Proof, ...]:
        return read_proofs(self.session.proofs)

    @property
    def amr(self) -> tuple[str, ...]:
        return amr_of(self.proofs, aal=self.aal)

    @property
    def scopes(self) -> None:
        """None: a person who is signed in is not held to scopes, as an API key is."""
        return None

    def has_scope(self, scope: str) -> bool:
        """Always: what one may do is up to oneself."""
        return True


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """Who makes a request with an API key: its owner, as far as the key's `scopes` go (rule 28).

    No session, no proofs: never fresh, AAL 0. `key` is the key's id.
    """

    user: User
    key: str
    scopes: frozenset[str]
    session: None = None
    by: str = "key"
    shapes: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    amr: ClassVar[tuple[str, ...]] = ()
    aal: ClassVar[int] = 0

    def has_scope(self, scope: str) -> bool:
        """Whether the key was made for this. What its owner may do is asked beside it."""
        return scope in self.scopes


Caller: TypeAlias = Identity | KeyIdentity


class Recent:
    """Identities read from the store a moment ago, by the digest of what they were read for.

    Rule 19: an entry is used for at most 500 ms, so that what is ended anywhere holds everywhere within a second.
    What this process changes itself it forgets at once. `generation` tells a reader that something has changed
    since it began to read. `said` is what an adapter answered on their behalf, by a digest of the whole request, and
    is no older than they are. Bounded; raw secrets are not kept.
    """

    KEPT = timedelta(milliseconds=500)
    MOST = 20_000

    def __init__(self) -> None:
        self._entries: dict[str, tuple[datetime, Caller]] = {}
        self._said: dict[bytes, tuple[datetime, Any]] = {}
        self.generation = 0

    def get(self, digest: str, now: datetime) -> Caller | None:
        at, identity = self._entries.get(digest, (None, None))
        return identity if at is not None and timedelta(0) <= now - at < self.KEPT else None

    def keep(self, digest: str, identity: Caller, now: datetime, *, generation: int) -> None:
        if len(self._entries) >= self.MOST:
            self._entries.clear()
        if generation == self.generation:
            identity.shapes["read_at"] = now
            self._entries[digest] = (now, identity)

    def said(self, request: bytes, now: datetime) -> Any:
        """What was answered to the same request while its identity is fresh; None otherwise."""
        at, answer = self._said.get(request, (None, None))
        return answer if at is not None and timedelta(0) <= now - at < self.KEPT else None

    def say(self, request: bytes, answer: Any, read_at: datetime, *, generation: int) -> None:
        """Keep an answer that says nothing but who somebody is, as read from the store at `read_at`."""
        if len(self._said) >= self.MOST:
            self._said.clear()
        if generation == self.generation:
            self._said[request] = (read_at, answer)

    def clear(self) -> None:
        self.generation += 1
        self._entries.clear()
        self._said.clear()


def session_digest(secret: str) -> str:
    """What is stored of a session secret (256 random bits, so a plain digest does: rule 15)."""
    return tokens.digest(secret, purpose="session")


def pass_digest(secret: str, *, kind: str, host: str) -> str:
    """What is stored of a secret that is good at one protected host."""
    return tokens.digest(secret, purpose=f"{kind} at {host}")


def host_digest(key: bytes, user: User) -> str:
    """The keyed digest of what a host may change behind our back: its password field and active flag."""
    return tokens.hmac_digest(key, user.id, user.password or "", "active" if user.active else "closed")


def counting(session: Session, policy: Policy, now: datetime) -> tuple[Proof, ...]:
    """The proofs that can still make AAL2: younger than its limit, and of after the last time the session lay idle for
    too long (NIST SP 800-63B-4 §2.2.3)."""
    since = now - policy.aal2_absolute
    if session.lapsed_at is not None:
        since = max(since, session.lapsed_at)
    return tuple(proof for proof in read_proofs(session.proofs) if proof.at > since)


def level_of(session: Session, policy: Policy, now: datetime) -> int:
    """The AAL of a session: the highest whose proofs are within its limits. It falls with time, and the session goes on
    at AAL1 (rule 26). The one place in which it is worked out, for answers and tokens too."""
    return max(assurance_level(counting(session, policy, now)), min(1, assurance_level(read_proofs(session.proofs))))


def is_idle(session: Session, policy: Policy, now: datetime) -> bool:
    """Whether it has not been used for so long that it falls below AAL2."""
    return now - session.last_seen_at >= policy.aal2_idle + SEEN_EVERY


def is_alive(session: Session, user: User, *, keys: Iterable[bytes], policy: Policy, now: datetime) -> bool:
    """Whether this session still lets its user in. Absolute and idle limits by NIST SP 800-63B-4 §2; and its AAL, where
    the policy wants one of every session.

    `keys` are those of `host_digest`, newest first: a new master secret before the old one signs nobody out.
    """
    return (
        now < session.expires_at
        and now - session.last_seen_at < policy.session_idle + SEEN_EVERY
        and (session.enroll_by is None or now < session.enroll_by)
        and (policy.lowest_aal <= 1 or level_of(session, policy, now) >= policy.lowest_aal)
        and user.active
        and any(tokens.same(session.host_digest, host_digest(key, user)) for key in keys)
    )
