"""The facts about somebody, read from the store: all that the gates of core/steps.py look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from doorward.core.call import Call
from doorward.core.demands import demanded_of
from doorward.core.devices import is_trusted_device
from doorward.core.policy import SecondFactor
from doorward.core.records import PERSON, Account, Authenticator, EmailAddress, User
from doorward.core.recovering import lost_factor_of
from doorward.core.steps import EMAIL, Facts, Lost, Proof, has_what_is_demanded
from doorward.core.users import addresses_of
from doorward.primitives.hashing import is_usable


async def facts_of(
    call: Call,
    user: User,
    account: Account,
    proofs: tuple[Proof, ...],
    *,
    fresh_within: timedelta | None = None,
    at_least: SecondFactor = SecondFactor.OPTIONAL,
    is_in: bool = False,
    recovers: bool = False,
) -> Facts:
    """Everything that the gates look at, read from the store. `at_least`: what is asked for beside what is demanded of
    this user anyway. `recovers`: it is said that the second factor is lost."""
    reachable = bool(user.email) if account.address_exempt else await _has_verified_address(call, user)
    enrolled, used_up = await _methods_of(call, user, reachable)
    demanded = await demanded_of(call, user)
    may_trust = not is_in and demanded.now is not SecondFactor.PHISHING_RESISTANT
    facts = Facts(
        user_id=user.id,
        account_is_open=user.active and account.kind == PERSON and not account.is_over(call.now),
        address_is_verified=account.address_exempt or reachable,
        proofs=proofs,
        enrolled=enrolled,
        used_up=used_up,
        account_closes=account.closes_at is not None,
        lost=await lost_factor_of(call, account) if recovers else Lost.NOT,
        methods=call.world.methods,
        policy=call.policy,
        now=call.now,
        fresh_within=fresh_within,
        second_factor=max(demanded.now, at_least),
        has_mailbox=reachable or bool(await addresses_of(call, user)),
        is_in=is_in,
        device_is_trusted=may_trust and await is_trusted_device(call, account),
    )
    lacking = [due for level, due in demanded.later if not has_what_is_demanded(facts, level)]
    return replace(facts, enroll_by=min(lacking, default=None))


async def _has_verified_address(call: Call, user: User) -> bool:
    rows = await call.store.find(EmailAddress, user_id=user.id)
    return any(row.verified_key is not None for row in rows)


async def enrolled_methods(call: Call, user: User) -> frozenset[str]:
    """The methods this user can use. An authenticator's kind is its method's name; mail needs an address only."""
    enrolled, _ = await _methods_of(call, user, bool(await addresses_of(call, user)))
    return enrolled


async def last_used_first(call: Call, user: User, methods: Iterable[str]) -> tuple[str, ...]:
    """The methods as somebody would choose among them: the one used last, the others; what stands in for them last."""
    rows = await call.store.find(Authenticator, user_id=user.id)
    used = {row.kind: 0.0 for row in rows}
    for row in rows:
        if row.last_used_at is not None:
            used[row.kind] = max(used[row.kind], row.last_used_at.timestamp())
    return tuple(sorted(methods, key=lambda name: (call.world.methods[name].backup, -used.get(name, 0.0))))


async def _methods_of(call: Call, user: User, reachable: bool) -> tuple[frozenset[str], frozenset[str]]:
    """The methods this user can use, and those of which every authenticator is out of tries."""
    rows = await call.store.find(Authenticator, user_id=user.id)
    rows = [
        row for row in rows if row.kind != "password" or is_usable(row.data if user.password is None else user.password)
    ]
    rows = [row for row in rows if _stands(call, row, beside=rows)]
    bound = {row.kind for row in rows}
    kinds = {row.kind for row in rows if row.disabled_at is None}
    if "password" not in bound and is_usable(user.password or ""):  # a host's user, whose password nobody tried yet
        kinds.add("password")
    if reachable and "password" not in bound | kinds:  # mail stands in where there is nothing better
        kinds.add(EMAIL.name)
    usable = kinds & call.world.offered
    return frozenset(usable), frozenset(bound & call.world.methods.keys() - usable)


def _stands(call: Call, row: Authenticator, *, beside: Iterable[Authenticator]) -> bool:
    """Whether an authenticator counts at all. A restricted one does beside a better one, once it has stood for a while:
    who has moved a number to a phone of his own finds that its owner was told the day before."""
    methods, policy = call.world.methods, call.policy
    if row.kind not in methods or not methods[row.kind].restricted:
        return True
    if policy.sms_codes and policy.sms_alone:
        return True
    others = (methods[other.kind] for other in beside if other.kind in methods)
    has_better = any(one.second and not one.backup and not one.restricted for one in others)
    return has_better and row.kind in call.world.offered and row.created_at <= call.now - policy.sms_settling
