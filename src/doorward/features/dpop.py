"""Tokens bound to a key that never leaves the client, so that who steals them can do nothing with them (RFC 9449)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from doorward.core.call import Call, ProofHeader
from doorward.core.feature import Feature
from doorward.core.possession import spend_proof
from doorward.core.refusals import Refused
from doorward.primitives import dpop, tokens
from doorward.primitives.jwt import InvalidToken
from doorward.primitives.moments import unix_seconds

NONCE_EVERY = 120  # seconds; the one before is good as well
# A proof is good for a minute around its time; nodes' clocks may differ by another (rule 29).
KEPT = timedelta(seconds=3 * dpop.MOST_AGE)


async def check_proof(call: Call, header: ProofHeader, token: str) -> str:
    """The thumbprint of the key that a request proves to hold. Raises `invalid_proof` or `use_dpop_nonce`.

    A request is checked once, whatever asks: a second look would find its own proof spent.
    """
    if header.jkt:
        return header.jkt
    try:
        proof = dpop.verify(header.text, method=header.method, url=header.url, now=call.now)
    except InvalidToken:
        raise Refused("invalid_proof") from None
    if token and not tokens.same(proof.ath, dpop.hash_of(token)):
        raise Refused("invalid_proof")
    if not any(tokens.same(proof.nonce, nonce) for nonce in _nonces(call)):
        raise Refused("use_dpop_nonce", nonce=_nonces(call)[0])
    digest = tokens.digest(f"{proof.jkt}.{proof.jti}", purpose="dpop-jti")
    expires_at = datetime.fromtimestamp(proof.issued, UTC) + KEPT
    if not await spend_proof(call, digest, until=expires_at):
        raise Refused("invalid_proof")
    header.jkt = proof.jkt
    return proof.jkt


def _nonces(call: Call) -> list[str]:
    """What proofs must carry (§8): a MAC over the time, so that none can be made in advance. The newest first."""
    step, ring = int(unix_seconds(call.now)) // NONCE_EVERY, call.keyring
    keys = [ring.key("dpop-nonce", key_id=id) for id in ring.ids]
    # The next one, too: another node's clock may be a moment ahead.
    macs = [tokens.hmac_digest(key, str(at)) for key in keys for at in (step, step - 1, step + 1)]
    return [mac[2:24] for mac in macs]


class Dpop(Feature):
    """Sender-constrained tokens, for programs that send a proof when they sign in."""

    possession = (check_proof,)
