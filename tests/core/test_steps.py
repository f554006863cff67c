"""The gates, over all states of a small world: every set of proofs, enrolments, policies and account states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations, permutations, product

import pytest

from doorward.core.policy import Policy, SecondFactor
from doorward.core.steps import (
    BY_RESET,
    EMAIL,
    GATES,
    Confirm,
    Done,
    Enroll,
    Factor,
    Facts,
    Method,
    Proof,
    Prove,
    Refuse,
    Verify,
    amr_of,
    assurance_level,
    has_second_factor,
    has_what_is_demanded,
    next_step,
    resists_phishing,
)
from doorward.features import password, recovery_codes, totp

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=2)
# A passkey with user verification proves two factors at once; its feature comes later, its place in the rules is here.
PASSKEY = Method(
    "passkey",
    "hwk",
    frozenset({Factor.HAS, Factor.IS}),
    primary=True,
    second=True,
    enrolls=True,
    phishing_resistant=True,
)
METHODS = {m.name: m for m in (EMAIL, password.METHOD, totp.METHOD, recovery_codes.METHOD, PASSKEY)}
ENROLLABLE = ("password", "totp", "recovery_code", "passkey")
FRESH = timedelta(minutes=10)
# (the account is open, its address is verified)
ACCOUNTS = ((True, True), (True, False), (False, True))
# (a fresh proof is asked for, of a session, an address can be written to)
OCCASIONS = ((None, False, True), (None, False, False), (None, True, True), (FRESH, True, True))


def subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))


def proof(name: str, at: datetime = NOW) -> Proof:
    return Proof(name, METHODS[name].amr, METHODS[name].factors, at)


def small_world() -> Iterator[Facts]:
    """Every state: 16 enrolments × proofs of them or by mail, fresh or old × 3 demands × account, occasion, device."""
    for enrolled in subsets(ENROLLABLE):
        for proved in subsets((*enrolled, "email")):
            for old in subsets(proved):
                proofs = tuple(proof(name, LONG_AGO if name in old else NOW) for name in proved)
                for demand, account, occasion, trusted in product(SecondFactor, ACCOUNTS, OCCASIONS, (False, True)):
                    fresh_within, is_in, has_mailbox = occasion
                    is_open, verified = account
                    yield Facts(
                        user_id="ann",
                        account_is_open=is_open,
                        address_is_verified=verified,
                        proofs=proofs,
                        enrolled=frozenset(enrolled),
                        methods=METHODS,
                        policy=Policy.standard(),
                        now=NOW,
                        fresh_within=fresh_within,
                        second_factor=demand,
                        has_mailbox=has_mailbox,
                        is_in=is_in,
                        device_is_trusted=trusted,
                    )


WORLD = tuple(small_world())


def test_the_world_is_not_small_by_mistake() -> None:
    assert len(WORLD) > 5_000
    assert sum(isinstance(next_step(facts), Done) for facts in WORLD) > 100


def test_done_is_never_reached_without_what_the_policy_asks() -> None:
    for facts in WORLD:
        if not isinstance(next_step(facts), Done):
            continue
        assert facts.account_is_open
        assert facts.address_is_verified
        counted = facts.proofs
        if facts.fresh_within is not None:
            counted = tuple(p for p in counted if p.at >= NOW - facts.fresh_within)
        assert any(METHODS[p.method].primary for p in counted), facts
        trusted = facts.device_is_trusted and facts.fresh_within is None and has_second_factor(facts)
        if facts.second_factor is not SecondFactor.OPTIONAL:
            assert assurance_level(counted) >= 2 or trusted, facts
        if has_second_factor(facts):
            assert assurance_level(counted) >= 2 or any(METHODS[p.method].second for p in counted) or trusted, facts
        if facts.second_factor is SecondFactor.PHISHING_RESISTANT:
            assert resists_phishing(counted, METHODS), facts


def test_a_password_alone_never_does_for_who_has_a_second_factor() -> None:
    for facts in WORLD:
        if {p.method for p in facts.proofs} <= {"password", "email"} and has_second_factor(facts):
            if facts.device_is_trusted and facts.fresh_within is None:
                continue
            assert not isinstance(next_step(facts), Done), facts


def test_methods_that_are_out_of_tries_demand_what_they_did() -> None:
    """Else who guesses at a second factor until it is disabled would have got round it."""
    for facts in WORLD:
        for name in facts.enrolled - {proof.method for proof in facts.proofs}:
            less = replace(facts, enrolled=facts.enrolled - {name}, used_up=frozenset({name}))
            if not isinstance(next_step(facts), Done):
                assert not isinstance(next_step(less), Done), (facts, name)


def test_an_account_that_is_being_closed_lets_nobody_in_and_says_so_to_who_has_proved_all_else() -> None:
    for facts in WORLD:
        before, now = next_step(facts), next_step(replace(facts, account_closes=True))
        assert not isinstance(now, Done)
        kept = replace(facts, fresh_within=None)
        assert isinstance(now, Confirm) == isinstance(next_step(kept), Done), facts
        assert now == before or isinstance(now, Confirm)


def test_the_order_of_proofs_does_not_matter() -> None:
    for facts in WORLD:
        expected = next_step(facts)
        for order in permutations(facts.proofs):
            assert next_step(replace(facts, proofs=order)) == expected


def test_enrolling_more_never_lowers_a_demand() -> None:
    for facts in WORLD:
        if isinstance(next_step(facts), Done):
            continue
        if facts.device_is_trusted and not has_second_factor(facts):
            continue  # there is no such device: its trust is made with a second factor, and ends with it
        for name in set(ENROLLABLE) - facts.enrolled:
            more = replace(facts, enrolled=facts.enrolled | {name})
            assert not isinstance(next_step(more), Done), (facts, name)


def test_prove_asks_only_for_something_that_the_user_has_and_has_not_just_proved() -> None:
    for facts in WORLD:
        step = next_step(facts)
        if not isinstance(step, Prove):
            continue
        assert set(step.methods) <= facts.enrolled | ({"email"} if facts.has_mailbox else set()), facts
        since = NOW - facts.fresh_within if facts.fresh_within else None
        recent = {p.method for p in facts.proofs if since is None or p.at >= since}
        assert not set(step.methods) & recent, facts


def test_every_prove_can_be_answered_until_nothing_is_asked() -> None:
    """From any state, proving what is asked ends in Done, in a hold of another kind, or with nothing to prove."""
    for facts in WORLD:
        for _ in range(len(METHODS) + 1):
            step = next_step(facts)
            if not isinstance(step, Prove) or not step.methods:
                break
            kept = tuple(p for p in facts.proofs if p.method != step.methods[0])
            facts = replace(facts, proofs=(*kept, proof(step.methods[0])))
        else:
            pytest.fail(f"asked for ever: {facts}")


def test_a_closed_account_gets_the_word_of_a_wrong_password() -> None:
    for facts in WORLD:
        if not facts.account_is_open and any(METHODS[p.method].primary for p in facts.proofs):
            assert next_step(facts) == Refuse("wrong_credentials")


def test_an_address_is_verified_before_a_second_factor_is_enrolled() -> None:
    for facts in WORLD:
        step = next_step(facts)
        if isinstance(step, Enroll):
            assert facts.address_is_verified
            assert facts.second_factor is not SecondFactor.OPTIONAL
            assert facts.is_in or "email" in {p.method for p in facts.proofs}, facts
            if facts.second_factor is SecondFactor.PHISHING_RESISTANT and assurance_level(facts.proofs) == 2:
                assert not has_what_is_demanded(facts, facts.second_factor), facts


def test_the_letter_that_reset_the_password_lets_nobody_enrol() -> None:
    """Rule 7: who reads the mail alone can choose a password, and must not bring a second factor as well."""
    for facts in WORLD:
        by_reset = tuple(replace(p, authenticator=BY_RESET) if p.method == "email" else p for p in facts.proofs)
        if not facts.is_in:
            assert not isinstance(next_step(replace(facts, proofs=by_reset)), Enroll), facts


def test_a_stricter_demand_lets_nobody_in_whom_a_laxer_one_held_back() -> None:
    for facts in WORLD:
        for stricter in SecondFactor:
            if stricter > facts.second_factor and not isinstance(next_step(facts), Done):
                assert not isinstance(next_step(replace(facts, second_factor=stricter)), Done), (facts, stricter)


def test_a_trusted_device_stands_in_for_a_second_factor_and_for_nothing_else() -> None:
    for facts in WORLD:
        if not facts.device_is_trusted:
            continue
        without = next_step(replace(facts, device_is_trusted=False))
        step = next_step(facts)
        if step != without:
            assert has_second_factor(facts), facts
            assert isinstance(without, Prove | Enroll), (facts, without)
            assert any(METHODS[p.method].primary for p in facts.proofs), facts
        if facts.fresh_within is not None or facts.second_factor is SecondFactor.PHISHING_RESISTANT:
            assert isinstance(step, Done) == isinstance(without, Done), facts


def test_mail_is_no_factor() -> None:
    """Rule 6: a code by mail and one of an app are AAL1 together, whatever their number."""
    assert assurance_level([proof("email")]) == 1
    assert assurance_level([proof("email"), proof("totp")]) == 1
    assert assurance_level([proof("password"), proof("totp")]) == 2
    assert amr_of([proof("password"), proof("totp")]) == ("pwd", "otp", "mfa")


def test_old_proofs_do_not_make_fresh() -> None:
    facts = next(
        f
        for f in WORLD
        if f.enrolled == {"password"}
        and f.fresh_within
        and f.proofs == (proof("password", LONG_AGO),)
        and f.account_is_open
        and f.address_is_verified
        and f.second_factor is SecondFactor.OPTIONAL
    )
    assert next_step(facts) == Prove(("password",))
    assert isinstance(next_step(replace(facts, fresh_within=None)), Done)


def test_a_hosts_gate_can_only_hold_back() -> None:
    held = Refuse("not_permitted")
    for facts in WORLD:
        ours = next_step(facts)
        with_host = next_step(facts, [lambda _: held])
        assert with_host == (held if isinstance(ours, Done) else ours)


def test_the_gates_are_read_in_this_order() -> None:
    names = [gate.__name__ for gate in GATES]
    assert names == [
        "somebody_is_known",
        "account_is_open",
        "address_is_verified",
        "lost_factor_is_replaced",
        "second_factor_is_proved",
        "phishing_is_resisted",
        "account_is_kept",
        "proof_is_fresh",
    ]
    unverified = next(
        f for f in WORLD if f.proofs == (proof("password"),) and f.account_is_open and not f.address_is_verified
    )
    assert next_step(unverified) == Verify("email")


def test_fresh_is_at_the_highest_level_that_one_can_reach() -> None:
    """Rule 26: mail and an app are AAL1, which is not enough where a password would make it AAL2."""
    for facts in WORLD:
        factors = {factor for name in facts.enrolled for factor in METHODS[name].factors}
        if facts.fresh_within is None or not has_second_factor(facts) or len(factors) < 2:
            continue
        recent = [p for p in facts.proofs if p.at >= NOW - facts.fresh_within]
        if {p.method for p in recent} <= {"email", "totp", "recovery_code"}:
            assert not isinstance(next_step(facts), Done), facts


def test_the_letter_that_reset_the_password_is_never_fresh() -> None:
    for facts in WORLD:
        if facts.fresh_within is not None and {p.method for p in facts.proofs} == {"email"}:
            by_reset = tuple(replace(p, authenticator=BY_RESET) for p in facts.proofs)
            assert not isinstance(next_step(replace(facts, proofs=by_reset)), Done), facts
