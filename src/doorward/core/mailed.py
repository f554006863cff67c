"""Codes that letters carry, typed where they were asked for: good together with their attempt, five tries long.

They are stored as keyed digests (rule 15), and worth nothing for another purpose.
"""

from __future__ import annotations

from dataclasses import replace

from doorward.core.attempt import Attempt
from doorward.core.call import Call
from doorward.core.sign_in import UnderWay
from doorward.core.tries import fail, spend_code_try
from doorward.primitives import codes, tokens


def with_code(call: Call, attempt: Attempt, *, bound_to: str = "") -> tuple[Attempt, str]:
    """The attempt with a new code, and the code. It is good for `Policy.code_life`; one before it is good no more.

    `bound_to`: what must be as it was when the code is typed, such as the address it was sent to.
    """
    code = codes.numeric_code(call.world.random(16))
    fresh = replace(attempt, code_tries=0, code_expires_at=call.now + call.policy.code_life)
    return replace(fresh, code=_code_digest(call, attempt, code, bound_to)), code


def with_decoy_code(call: Call, attempt: Attempt) -> Attempt:
    """The same row, life and limits, and no code is ever right (rule 4)."""
    decoy, _ = with_code(call, attempt)
    return replace(decoy, code=_code_digest(call, attempt, call.new_secret(), ""))


async def check_code(
    call: Call, under_way: UnderWay, code: str, *, method: str = "email", bound_to: str = ""
) -> UnderWay:
    """Spend a try of the attempt, then compare. Raises `wrong_code`, or `attempt_expired` after the last try."""
    under_way = await spend_code_try(call, under_way)
    kept, typed = under_way.attempt, codes.typed_code(code)
    in_time = kept.code_expires_at is not None and call.now < kept.code_expires_at
    if typed is None or not tokens.same(_code_digest(call, kept, typed, bound_to), kept.code) or not in_time:
        raise await fail(call, method, "wrong_code", kept.user_id)
    return under_way


def _code_digest(call: Call, attempt: Attempt, code: str, bound_to: str) -> str:
    """HMAC(code key, purpose ‖ attempt ‖ code ‖ what it is bound to): short codes can be guessed from a plain digest
    (rule 15)."""
    return tokens.hmac_digest(call.keyring.key("codes"), attempt.purpose, attempt.digest, code, bound_to)
