"""A lost second factor, over all states of the small world: two ways replace it, and nobody is let in by saying so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from doorward.core.policy import SecondFactor
from doorward.core.steps import (
    ASSISTED,
    BY_RESET,
    Confirm,
    Done,
    Enroll,
    Factor,
    Facts,
    Lost,
    Proof,
    Prove,
    Step,
    has_second_factor,
    next_step,
)
from tests.core.test_steps import METHODS, NOW, WORLD

LOST = (Lost.CODE, Lost.WAIT, Lost.WAITED)


class Ways(NamedTuple):
    """What a set of proofs shows of who lost a factor."""

    mailed: bool
    knows: bool
    code: bool
    found: bool

    @classmethod
    def of(cls, facts: Facts) -> Ways:
        proofs = [proof for proof in facts.proofs if proof.method in METHODS]
        return cls(
            mailed=any(proof.method == "email" and proof.may_bind for proof in proofs),
            knows=any(Factor.KNOWS in proof.factors for proof in proofs),
            code=any(METHODS[proof.method].backup for proof in proofs),
            found=any(METHODS[proof.method].second and not METHODS[proof.method].backup for proof in proofs),
        )


def lost_world() -> Iterator[tuple[Facts, Step]]:
    """Every sign-in of somebody who has a second factor and says that it is lost."""
    for facts in WORLD:
        if facts.fresh_within is None and has_second_factor(facts):
            for lost in LOST:
                said = replace(facts, lost=lost)
                yield said, next_step(said)


LOST_WORLD = tuple(lost_world())


def test_that_world_is_not_small_by_mistake() -> None:
    assert len(LOST_WORLD) > 5_000
    for kind in (Done, Enroll, Prove, Confirm):
        assert sum(isinstance(step, kind) for _, step in LOST_WORLD) > 40, kind


def test_to_say_that_it_is_lost_lets_nobody_in() -> None:
    for facts, step in LOST_WORLD:
        if isinstance(step, Done):
            assert Ways.of(facts).found, facts
            assert isinstance(next_step(replace(facts, lost=Lost.NOT)), Done), facts


def test_another_one_is_enrolled_after_two_ways_and_never_after_one() -> None:
    for facts, step in LOST_WORLD:
        ways = Ways.of(facts)
        if isinstance(step, Enroll) and not ways.found:
            assert ways.mailed, facts
            assert ways.code or (ways.knows and facts.lost is Lost.WAITED), facts
            demanded = {"passkey"} if facts.second_factor is SecondFactor.PHISHING_RESISTANT else {"totp", "passkey"}
            assert set(step.methods) == demanded, facts


def test_the_letter_that_reset_the_password_is_no_way() -> None:
    for facts, _ in LOST_WORLD:
        proofs = tuple(replace(p, authenticator=BY_RESET) if p.method == "email" else p for p in facts.proofs)
        step = next_step(replace(facts, proofs=proofs))
        assert Ways.of(facts).found or not isinstance(step, Enroll | Confirm), facts


def test_who_may_wait_has_proved_the_password_and_the_mailbox() -> None:
    for facts, step in LOST_WORLD:
        if step == Confirm("recovery_wait"):
            ways = Ways.of(facts)
            assert facts.lost is Lost.WAIT
            assert (ways.mailed, ways.knows, ways.code) == (True, True, False), facts


def test_the_link_of_an_administrator_lets_nobody_in_and_enrols_after_a_password() -> None:
    by_link = Proof(ASSISTED.name, ASSISTED.amr, ASSISTED.factors, NOW)
    for facts, _ in LOST_WORLD:
        helped = replace(facts, proofs=(*facts.proofs, by_link))
        step = next_step(helped)
        if isinstance(step, Done):
            assert Ways.of(facts).found, facts
        if isinstance(step, Enroll):
            assert any(METHODS[p.method].primary for p in facts.proofs), facts
        if not any(METHODS[p.method].primary for p in facts.proofs):
            assert isinstance(step, Prove), facts


def test_what_is_asked_for_is_there() -> None:
    for facts, step in LOST_WORLD:
        if isinstance(step, Prove):
            assert set(step.methods) <= facts.enrolled | {"email"}, facts


def test_a_recovery_code_is_fresh_together_with_the_mailbox_only() -> None:
    """Else who stole a password and the codes beside it would bind a factor of their own in a session."""
    seen = 0
    for facts in WORLD:
        if facts.fresh_within is None or not has_second_factor(facts) or not facts.has_mailbox:
            continue
        lately = replace(facts, proofs=tuple(p for p in facts.proofs if p.at >= NOW - facts.fresh_within))
        ways = Ways.of(lately)
        if ways.code and not ways.found and isinstance(next_step(facts), Done):
            seen += 1
            assert ways.mailed, facts
    assert seen > 10
