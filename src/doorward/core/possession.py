"""Proofs that a key is held: which one a request brings (RFC 9449, rule 25), and that none is used twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from doorward.core.call import Call
from doorward.core.records import Moves, Record, column
from doorward.core.refusals import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentProof(Record):
    """A proof that was used: one row for what makes it the one that it is, for as long as its time would still do."""

    table: ClassVar[str] = "doorward_dpop_proof"
    moves: ClassVar[Moves] = Moves.NEVER

    digest: str = column(key=True)
    expires_at: datetime = column(index=True)


async def spend_proof(call: Call, digest: str, *, until: datetime) -> bool:
    """Use a proof up. False if that was done before: of forty parallel requests one gets True."""
    return await call.store.add(SpentProof(digest=digest, expires_at=until))


async def key_held(call: Call) -> str:
    """The thumbprint of the key that this request proves to hold, or "" where it proves none. Refuses a bad proof."""
    proof, check = call.client.proof, call.world.possession
    if proof is None or check is None:
        return ""
    return await check(call, proof, "")


async def demand_key(call: Call, jkt: str, token: str = "") -> None:
    """Refuse unless the request proves to hold just this key. `token` is what came in `Authorization`, if it did."""
    proof, check = call.client.proof, call.world.possession
    if proof is None or check is None or await check(call, proof, token) != jkt:
        raise Refused("invalid_proof")
