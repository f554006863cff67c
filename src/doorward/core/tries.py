"""Tries are spent before anything is verified, each in a committed write of its own (rule 11).

Of 100 consecutive failures of one authenticator (NIST SP 800-63B-4 §3.2.2) strangers may spend 80; 20 are kept for
devices that signed this user in before, so that a stranger never locks the owner out (rule 12).
"""

from __future__ import annotations

from dataclasses import replace

from doorward.core.attempt import Attempt
from doorward.core.call import Call
from doorward.core.devices import is_known_device
from doorward.core.events import SignInFailed
from doorward.core.records import Authenticator, Plus
from doorward.core.refusals import Refused
from doorward.core.sign_in import UnderWay
from doorward.primitives import tokens

STRANGERS, KNOWN_DEVICES = 80, 20


async def limit_tries(call: Call, what: str, subject: str, *, known: bool = False) -> str:
    """Short-term limits, before any work: by subject, existing or not, and by network. Returns the subject's key.

    Known devices have a bucket of their own. A refused request spends no try (rule 13).
    """
    digest = tokens.hmac_digest(call.keyring.key("limits"), what, subject)
    key = f"{what}:{digest}:{'known' if known else 'strangers'}"
    # The network first: one that is over its budget must not use up everybody's.
    await limit_network(call, what)
    await _hit(call, key, call.policy.tries_per_identifier)
    return key


async def limit_network(call: Call, what: str) -> None:
    """The short-term limit by network alone: for what is about nobody."""
    await _hit(call, f"{what}:{call.client.network}", call.policy.tries_per_network)


async def _hit(call: Call, budget: str, most: int) -> None:
    window = int(call.policy.tries_window.total_seconds())
    wait = await call.world.limits.hit(budget, most=most, seconds=window)
    if wait:
        raise Refused("too_many_attempts", retry_after=wait)


async def limit_letters(call: Call, address: str) -> None:
    """Letters to one address have a budget a day, whoever asks for them (rule 45)."""
    key = tokens.hmac_digest(call.keyring.key("limits"), "letters", address)
    wait = await call.world.limits.hit(f"letters:{key}", most=call.policy.letters_per_day, seconds=86_400)
    if wait:
        raise Refused("too_many_attempts", retry_after=wait)


async def spend_try(call: Call, authenticator: Authenticator) -> bool:
    """Spend one try of an authenticator. False when its share is used up, or it is disabled."""
    share, most = _share(call, authenticator)
    where = {"id": authenticator.id, "disabled_at": None, f"{share}__lt": most}
    if await call.store.change(Authenticator, where, **{share: Plus(1)}) == 1:
        return True
    exhausted = {"id": authenticator.id, "disabled_at": None}
    used_up = {"failures__gt": STRANGERS - 1, "known_failures__gt": KNOWN_DEVICES - 1}
    await call.store.change(Authenticator, {**exhausted, **used_up}, disabled_at=call.now)
    return False


async def succeed(call: Call, authenticator: Authenticator, limit_key: str = "") -> None:
    """A right proof: gives its own share of tries back, and no one else's (BRUTE-08)."""
    share, _ = _share(call, authenticator)
    await call.store.change(Authenticator, {"id": authenticator.id}, **{share: 0}, last_used_at=call.now)
    if limit_key:
        await call.world.limits.forget(limit_key)


async def fail(call: Call, method: str, reason: str, user_id: str = "") -> Refused:
    """Tell the listeners of a wrong proof; the refusal to raise."""
    await call.emit(SignInFailed(at=call.now, user_id=user_id, method=method))
    return Refused(reason)


async def spend_code_try(call: Call, under_way: UnderWay) -> UnderWay:
    """Spend one of the few tries that an attempt has for typed codes; after the last one it is over."""
    attempt = under_way.attempt
    where = {"digest": attempt.digest, "code_tries__lt": call.policy.code_tries}
    if await call.store.change(Attempt, where, code_tries=Plus(1)) != 1:
        raise Refused("attempt_expired")
    return replace(under_way, attempt=replace(attempt, code_tries=attempt.code_tries + 1))


def _share(call: Call, authenticator: Authenticator) -> tuple[str, int]:
    if is_known_device(call, authenticator.user_id):
        return "known_failures", KNOWN_DEVICES
    return "failures", STRANGERS
