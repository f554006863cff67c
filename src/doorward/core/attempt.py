"""A sign-in under way: its proofs, a few minutes long, not a session and worth nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import ClassVar

from doorward.core.records import Moves, Record, column
from doorward.core.steps import Factor, Proof

SIGN_IN, SIGN_UP, STEP_UP, RESET = "sign_in", "sign_up", "step_up", "reset"
ADD_EMAIL, ADD_PHONE = "add_email", "add_phone"
# A sign-in of who says that the second factor is lost.
RECOVERY = "recovery"
# They belong to the session that `subject` names, and die with it (rule 27).
OF_A_SESSION = frozenset({STEP_UP, ADD_EMAIL, ADD_PHONE})
# They prove something about an account, and sign nobody in.
NO_WAY_IN = frozenset({ADD_EMAIL, ADD_PHONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Record):
    """One row per sign-in that needs more than one request. It may be bound to nobody, and looks the same (rule 4).

    `digest` is that of the secret the client holds. `subject` names what the purpose is about: the pending sign-up,
    the session of a step-up or of an address or number to add, or the user to whom a code was mailed, and whose it is
    once that is typed. `code` is a keyed digest (rule 15). `browser`: made by a browser, so that its cookie must come
    with it (rule 5). `guard` rises with every change: the compare-and-set of parallel steps. `auth_epoch` and
    `host_digest` are those of the first proof, or of the letter: what ends sessions ends what was proved before it.
    `jkt` is the thumbprint of the key that its tokens will be bound to. `max_age` (seconds; 0: as the policy says) and
    `acr` are what a step-up is to end in. `trust_device`: its user wants to be asked for no second factor in this
    browser again.
    """

    table: ClassVar[str] = "doorward_attempt"
    moves: ClassVar[Moves] = Moves.NEVER
    exported: ClassVar[tuple[str, ...]] = ("purpose", "to", "network", "created_at", "expires_at")

    digest: str = column(key=True)
    user_id: str = column(index=True, size=64, default="")
    purpose: str = column(size=16)
    subject: str = column(size=64, default="")
    proofs: str = column(size=0, default="[]")
    auth_epoch: str = column(size=64, default="")
    host_digest: str = column(default="")
    code: str = column(default="")
    code_tries: int = column(default=0)
    code_expires_at: datetime | None = column(default=None)
    to: str = column(size=320, default="")
    issue: str = column(size=16, default="session")
    remember: bool = column(default=False)
    return_to: str = column(size=2048, default="")
    browser: bool = column(default=False)
    jkt: str = column(size=64, default="")
    max_age: int = column(default=0)
    acr: str = column(size=16, default="")
    trust_device: bool = column(default=False)
    network: str = column(index=True, size=64)
    guard: int = column(default=0)
    created_at: datetime = column()
    expires_at: datetime = column(index=True)

    @property
    def proved(self) -> tuple[Proof, ...]:
        return read_proofs(self.proofs)

    def with_proof(self, proof: Proof) -> Attempt:
        """The same attempt with one proof more; a later one takes the place of an earlier one that shows the same."""
        kept = [p for p in self.proved if p.shows != proof.shows]
        return replace(self, proofs=write_proofs([*kept, proof]))


def write_proofs(proofs: Iterable[Proof]) -> str:
    """Proofs as JSON text: [method, amr, factors, time in ms since 1970, authenticator id] each."""
    rows = [
        [p.method, p.amr, sorted(f.value for f in p.factors), int(p.at.timestamp() * 1000), p.authenticator]
        for p in proofs
    ]
    return json.dumps(rows, separators=(",", ":"))


@lru_cache(maxsize=4096)
def read_proofs(text: str) -> tuple[Proof, ...]:
    """What `write_proofs` wrote."""
    return tuple(
        Proof(method, amr, frozenset(map(Factor, factors)), datetime.fromtimestamp(at / 1000, UTC), authenticator)
        for method, amr, factors, at, authenticator in json.loads(text)
    )
