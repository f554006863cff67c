"""Tokens that are worth something only together with a key: who holds it is asked here (RFC 9449, rule 25)."""

from __future__ import annotations

from doorward.core.call import Call
from doorward.core.refusals import Refused


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
