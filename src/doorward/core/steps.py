"""Who is let in: what a sign-in still lacks, computed from what has been proved. Read `GATES` from top to bottom.

Nothing here is stored and nothing waits. `Done` is made in `next_step` and nowhere else, and every session of the
system starts from a `Done` (core/session.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from doorward.core.policy import Policy, SecondFactor


class Factor(Enum):
    """What kind of evidence a proof is (NIST SP 800-63B-4): something one knows, has or is."""

    KNOWS = "knows"
    HAS = "has"
    IS = "is"


@dataclass(frozen=True, slots=True)
class Method:
    """A way to prove who one is. `amr` is its RFC 8176 value (or ours: `email`, `recovery`).

    `primary`: it can say who somebody is. `second`: it can stand beside a primary one. `enrolls`: one can enrol it
    while signing in. `backup`: it stands in for a second factor, and to have it alone demands none.
    `restricted` (NIST SP 800-63B-4 §3.2.9): it stands beside a better one and not in its place, unless the policy says
    so.
    `phishing_resistant`: no false page can pass its proof on (NIST SP 800-63B-4 §3.2.5); nothing that one types is.
    Mail proves an address, and has no factor (rule 6).
    """

    name: str
    amr: str
    factors: frozenset[Factor]
    primary: bool = False
    second: bool = False
    enrolls: bool = False
    backup: bool = False
    restricted: bool = False
    phishing_resistant: bool = False


# Mail proves an address; it is no factor, and all that comes through one mailbox is one proof (rule 6).
EMAIL = Method("email", "email", frozenset(), primary=True)
# A number is moved to another card by who talks well, and messages are read on the way (NIST SP 800-63B-4 §3.1.3.3).
SMS = Method("sms", "sms", frozenset({Factor.HAS}), second=True, restricted=True)
# What the `acr_values` of a challenge (RFC 9470) ask for. `phr`: phishing-resistant, a word of OpenID Connect EAP.
LEVELS = {"aal2": SecondFactor.REQUIRED, "phr": SecondFactor.PHISHING_RESISTANT}
# The link that an administrator handed out, who knows whose hands it is in. It says that factors are lost, and nothing
# else: who holds it proves or chooses a password as well.
ASSISTED = Method("assisted", "recovery", frozenset())
# On the strength of one of these an authenticator is enrolled on the way in (rule 7).
MAY_ENROLL = frozenset({EMAIL.name, ASSISTED.name})
# In place of an authenticator: the letter that let somebody choose a new password.
BY_RESET = "reset"


@dataclass(frozen=True, slots=True)
class Proof:
    """One successful use of an authenticator. `amr`: one value, or several with spaces between."""

    method: str
    amr: str
    factors: frozenset[Factor]
    at: datetime
    authenticator: str = ""

    @property
    def shows(self) -> tuple[str, frozenset[Factor]]:
        """What it is proof of. A passkey that is only touched takes nothing from one that asked for a finger."""
        return self.method, self.factors

    @property
    def may_bind(self) -> bool:
        """Whether an authenticator may be enrolled on its strength. Not the proof that reset the password (rule 7)."""
        return self.authenticator != BY_RESET


@dataclass(frozen=True, slots=True)
class Prove:
    """Hold: prove one of these."""

    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Enroll:
    """Hold: enrol one of these first."""

    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verify:
    """Hold: prove that this is yours (`email`)."""

    what: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Hold: who this is has been proved; say that this is what you want (`keep_account`, `recovery_wait`)."""

    what: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Hold: not at all, with the word of core/refusals.py."""

    reason: str


class Lost(Enum):
    """What stands in, beside the mailbox, for a second factor that is said to be lost in this sign-in: nothing, since
    nobody says so (`NOT`); a recovery code; or also a waiting period, which is still to pass, or has passed."""

    NOT = "not"
    CODE = "code"
    WAIT = "wait"
    WAITED = "waited"


Hold = Prove | Enroll | Verify | Confirm | Refuse


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing holds this person back. Made by `next_step` only."""

    user_id: str


Step = Done | Hold


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rules look at. `enrolled`: the methods this user can use now; `used_up`: those enrolled that are out
    of tries, which prove nothing and demand what they did; `methods`: what is switched on; `second_factor`: what is
    demanded of this user now, and `enroll_by` when more will be; `has_mailbox`: there is an address of theirs to write
    to; `is_in`: these are the facts of a session, not of a sign-in; `device_is_trusted`: of this user, and where the
    policy lets that count; `account_closes`: its user has closed it, and may still keep it; `lost`: whether this
    sign-in is one of somebody whose second factor is lost."""

    user_id: str
    account_is_open: bool
    address_is_verified: bool
    proofs: tuple[Proof, ...]
    enrolled: frozenset[str]
    methods: Mapping[str, Method]
    policy: Policy
    now: datetime
    fresh_within: timedelta | None = field(default=None)
    used_up: frozenset[str] = frozenset()
    account_closes: bool = False
    second_factor: SecondFactor = SecondFactor.OPTIONAL
    enroll_by: datetime | None = None
    has_mailbox: bool = False
    is_in: bool = False
    device_is_trusted: bool = False
    lost: Lost = Lost.NOT


Gate = Callable[[Facts], Hold | None]


def somebody_is_known(facts: Facts) -> Hold | None:
    """A proof says who this is: by a method that can stand alone, not by a second factor of somebody unknown."""
    if any(_says_who(facts, proof) for proof in facts.proofs):
        return None
    return Prove(_usable(facts, lambda method: method.primary))


def account_is_open(facts: Facts) -> Hold | None:
    """The account is a person's and not disabled. The word is that of a wrong password: nobody learns of it."""
    return None if facts.account_is_open else Refuse("wrong_credentials")


def address_is_verified(facts: Facts) -> Hold | None:
    """An account made by our sign-up has proved an address; those of a host's own users are exempt (rule 3)."""
    return None if facts.address_is_verified else Verify("email")


def lost_factor_is_replaced(facts: Facts) -> Hold | None:
    """Who says that the second factor is lost shows so by two ways, none of which is enough alone: the mailbox, and a
    recovery code, or the password and a waiting period; or was handed a link by an administrator. Then another one is
    enrolled before anything else, and nobody is let in without it."""
    if facts.lost is Lost.NOT or not has_second_factor(facts) or _second_is_proved(facts, backup=False):
        return None
    assisted = any(proof.method == ASSISTED.name for proof in facts.proofs)
    if not assisted and not any(proof.method == EMAIL.name and proof.may_bind for proof in facts.proofs):
        return Prove((EMAIL.name,))
    knows = any(Factor.KNOWS in p.factors and not _method(facts, p).second for p in facts.proofs)
    if assisted or _second_is_proved(facts) or (facts.lost is Lost.WAITED and knows):
        # What is demanded of them is demanded of the new one; that the lost one was of that kind counts no more.
        return _enrolment(facts, lambda method: meets(method, facts.second_factor))
    if facts.lost is Lost.WAIT and knows:
        return Confirm("recovery_wait")
    return Prove(_usable(facts, lambda method: method.backup))


def second_factor_is_proved(facts: Facts) -> Hold | None:
    """Who has a second factor proves it, or comes by a device that is trusted; who must have one, and has none, enrols
    it."""
    if assurance_level(facts.proofs) >= 2:
        return None
    if has_second_factor(facts):
        if facts.device_is_trusted:
            return None
        if not _second_is_proved(facts):
            return Prove(_seconds(facts))
    if facts.second_factor is SecondFactor.OPTIONAL:
        return None
    proved = {factor for proof in facts.proofs for factor in proof.factors}
    raising = _usable(facts, lambda method: bool(method.factors - proved) and not _is_proved(facts, method))
    return Prove(raising) if raising else _enrolment(facts, lambda method: bool(method.factors - proved))


def phishing_is_resisted(facts: Facts) -> Hold | None:
    """Where that is demanded, one proof is of a kind that no false page can pass on. Who has such a method, be it out
    of tries, enrols no other on the strength of less."""
    if facts.second_factor is not SecondFactor.PHISHING_RESISTANT or resists_phishing(facts.proofs, facts.methods):
        return None
    if has_what_is_demanded(facts, facts.second_factor):
        return Prove(_usable(facts, lambda method: method.phishing_resistant))
    return _enrolment(facts, lambda method: method.phishing_resistant)


def account_is_kept(facts: Facts) -> Hold | None:
    """The account is not being closed. Only who has proved everything else hears that it is, and may keep it."""
    return Confirm("keep_account") if facts.account_closes else None


def proof_is_fresh(facts: Facts) -> Hold | None:
    """Where an action asks for it, what was proved lately would be enough on its own (RFC 9470), at the highest level
    that this user can reach (rule 26): what has no factor then counts for nothing."""
    if facts.fresh_within is None:
        return None
    since = facts.now - facts.fresh_within
    counts = {name for name, method in facts.methods.items() if method.factors or not reaches_two(facts)}
    recent = tuple(p for p in facts.proofs if p.at >= since and p.method in counts and p.may_bind)
    lately = replace(
        facts, proofs=recent, enrolled=facts.enrolled & counts, fresh_within=None, device_is_trusted=False, is_in=True
    )
    held = somebody_is_known(lately) or second_factor_is_proved(lately) or phishing_is_resisted(lately)
    return held or _backup_is_not_alone(facts, lately, since)


def _backup_is_not_alone(facts: Facts, lately: Facts, since: datetime) -> Hold | None:
    """A recovery code lets in. For what needs a fresh proof, such as another factor in the place of the lost one, the
    mailbox is proved beside it, where there is one: it takes two ways (NIST SP 800-63B-4 §4.2.2.2)."""
    by_backup = _second_is_proved(lately) and not _second_is_proved(lately, backup=False)
    if not (by_backup and facts.has_mailbox and has_second_factor(facts)):
        return None
    if any(proof.method == EMAIL.name and proof.may_bind and proof.at >= since for proof in facts.proofs):
        return None
    return Prove((EMAIL.name, *_usable(facts, lambda method: method.second and not method.backup)))


GATES: tuple[Gate, ...] = (
    somebody_is_known,
    account_is_open,
    address_is_verified,
    lost_factor_is_replaced,
    second_factor_is_proved,
    phishing_is_resisted,
    account_is_kept,
    proof_is_fresh,
)


def next_step(facts: Facts, host_gates: Iterable[Gate] = ()) -> Step:
    """The first hold, or `Done`. A host's own gates run after ours, so they can only hold back."""
    for gate in (*GATES, *host_gates):
        hold = gate(facts)
        if hold is not None:
            return hold
    return Done(facts.user_id)


def has_second_factor(facts: Facts) -> bool:
    """Whether the user enrolled a second factor; recovery codes alone are none. One that is out of tries is one still:
    else guessing at it would be a way round it."""
    return has_what_is_demanded(facts, SecondFactor.REQUIRED)


def meets(method: Method, demanded: SecondFactor) -> bool:
    """Whether to have enrolled a method is what such a demand asks for. A backup is not."""
    if demanded is SecondFactor.PHISHING_RESISTANT:
        return method.phishing_resistant
    return demanded is SecondFactor.OPTIONAL or (method.second and not method.backup)


def has_what_is_demanded(facts: Facts, demanded: SecondFactor) -> bool:
    """Whether the user enrolled what such a demand asks for."""
    return demanded is SecondFactor.OPTIONAL or any(meets(facts.methods[name], demanded) for name in _bound(facts))


def reaches_two(facts: Facts) -> bool:
    """Whether this user has what it takes for AAL2."""
    factors = {factor for name in _bound(facts) for factor in facts.methods[name].factors}
    return has_second_factor(facts) and len(factors) >= 2


def resists_phishing(proofs: Iterable[Proof], methods: Mapping[str, Method]) -> bool:
    """Whether one of these proofs could not have been passed on by a false page."""
    return any(methods.get(proof.method, _NOTHING).phishing_resistant for proof in proofs)


def assurance_level(proofs: Iterable[Proof]) -> int:
    """AAL of NIST SP 800-63B-4: 2 where two different factors are proved, 1 where anything is, else 0."""
    proofs = tuple(proofs)
    factors = {factor for proof in proofs for factor in proof.factors}
    if len(factors) >= 2:
        return 2
    return 1 if proofs else 0


def amr_of(proofs: Iterable[Proof], *, aal: int | None = None) -> tuple[str, ...]:
    """The `amr` values (RFC 8176) of a set of proofs, in the order they were given, `mfa` last at AAL2: theirs, or the
    `aal` that is left of it."""
    proofs = tuple(proofs)
    values = dict.fromkeys(value for proof in proofs for value in proof.amr.split())
    return (*values, "mfa") if (assurance_level(proofs) if aal is None else aal) >= 2 else tuple(values)


def _method(facts: Facts, proof: Proof) -> Method:
    # A method that was switched off since proves nothing any more.
    return facts.methods.get(proof.method, _NOTHING)


def _says_who(facts: Facts, proof: Proof) -> bool:
    """A proof of less than its method can show stands beside another one, such as a passkey that did not ask who
    touched it."""
    method = _method(facts, proof)
    return method.primary and proof.factors >= method.factors


_NOTHING = Method("", "", frozenset())


def _is_proved(facts: Facts, method: Method) -> bool:
    return any(proof.method == method.name for proof in facts.proofs)


def _second_is_proved(facts: Facts, *, backup: bool = True) -> bool:
    """`backup=False`: by more than what stands in for one."""
    seconds = [_method(facts, proof) for proof in facts.proofs if _method(facts, proof).second]
    return any(backup or not method.backup for method in seconds)


def _usable(facts: Facts, wanted: Callable[[Method], bool]) -> tuple[str, ...]:
    return tuple(name for name, method in facts.methods.items() if name in facts.enrolled and wanted(method))


def _bound(facts: Facts) -> frozenset[str]:
    return (facts.enrolled | facts.used_up) & facts.methods.keys()


def _seconds(facts: Facts) -> tuple[str, ...]:
    """The second factors to prove one of; where only some will do in the end, those, if there are any."""
    seconds = _usable(facts, lambda method: method.second and not _is_proved(facts, method))
    if facts.second_factor is not SecondFactor.PHISHING_RESISTANT:
        return seconds
    return tuple(name for name in seconds if facts.methods[name].phishing_resistant) or seconds


def _enrolment(facts: Facts, wanted: Callable[[Method], bool]) -> Hold:
    """Enrol one of these. On the way in an address is proved first, in the same attempt (rule 7), unless an
    administrator helps: a password alone, or the letter that reset it, binds nothing."""
    if not facts.is_in and not any(proof.method in MAY_ENROLL and proof.may_bind for proof in facts.proofs):
        return Prove((EMAIL.name,) if facts.has_mailbox else ())
    return Enroll(tuple(n for n, m in facts.methods.items() if m.enrolls and m.second and wanted(m)))
