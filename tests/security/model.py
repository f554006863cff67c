"""A plain model of who may be in, and what a sign-in must answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from doorward.core.policy import Policy
from doorward.core.refusals import Refused
from doorward.core.steps import Enroll, Prove
from doorward.features import sessions, sign_up, verify_email
from doorward.testing.doubles import House
from tests.features.people import code_of

FRESH, DAY, MONTH = timedelta(minutes=10), timedelta(hours=24), timedelta(days=30)
IDLE = timedelta(minutes=62)
WAITS = {"moment": 31, "fresh": 540, "stale": 660, "silence": 3720, "day": 90_000, "month": 2_600_000}
POLICIES = {
    "standard": Policy.standard(),
    "required": replace(Policy.standard(), second_factor_required=True),
    "strict": Policy.strict(),
}


@dataclass
class Under:
    """What the model knows of a sign-in under way. `proofs`: when what was proved."""

    began: datetime
    epoch: int
    proofs: dict[str, datetime] = field(default_factory=dict)
    of_session: bool = False
    wrong: int = 0


@dataclass
class In:
    """What the model knows of a session."""

    began: datetime
    used: datetime
    proofs: dict[str, datetime]
    lapsed: bool = False


class Model(RuleBasedStateMachine):
    """Three browsers, one account. The model is what a person would say the rules are; it shares no code with them."""

    house: ClassVar[House]
    numbers: ClassVar[Iterator[int]] = count()

    def __init__(self) -> None:
        super().__init__()
        self.email = f"ann{next(self.numbers)}@example.com"
        self.password, self.passwords = "plenty of brown sparrows 0", count(1)
        self.policy = "standard"
        self.secrets: list[bytes] = []
        self.demanded = False
        self.open, self.epoch = True, 0
        self.trusted: dict[str, datetime] = {}
        self.house.doorward.world = replace(self.house.doorward.world, policy=POLICIES["standard"])
        self.browsers = [self.house.browser(f"192.0.2.{number}") for number in range(3)]
        self.under: list[Under | None] = [None, None, None]
        self.session: list[In | None] = [None, None, None]
        first = self.browsers[0]
        first.do(sign_up.sign_up, email=self.email, password=self.password)
        first.do(verify_email.verify, code=self.house.mail.code())
        self.session[0] = In(self.now, self.now, {"pwd": self.now, "email": self.now})

    @property
    def now(self) -> datetime:
        return self.house.clock.now

    # The model

    def required(self) -> bool:
        return self.demanded or self.policy != "standard"

    def trusts(self, browser: int) -> bool:
        since = self.trusted.get(self.browsers[browser].client.trusted_device)
        return since is not None and self.now < since + MONTH and self.policy != "strict"

    def expected(self, browser: int, under: Under) -> str:
        """What a sign-in must answer that has these proofs."""
        proofs = under.proofs.keys()
        if not self.open:
            return "refused"
        if {"pwd", "otp"} <= proofs:
            return "done"
        if self.secrets and not self.trusts(browser) and "otp" not in proofs:
            return "prove totp"
        if (self.secrets and self.trusts(browser)) or not self.required():
            return "done"
        if "pwd" not in proofs:
            return "prove password"
        return "enroll" if "email" in proofs else "prove email"

    def fresh(self, proofs: dict[str, datetime]) -> bool:
        recent = {name for name, at in proofs.items() if at >= self.now - FRESH}
        return {"pwd", "otp"} <= recent if self.secrets else bool(recent & {"pwd", "email"})

    def may_be_in(self, browser: int) -> bool:
        session = self.session[browser]
        if session is None or not self.open or self.now >= session.began + DAY:
            return False
        return self.policy != "strict" or self.level(browser) == 2

    def level(self, browser: int) -> int:
        """The highest AAL that the session may have."""
        session = self.session[browser]
        if session is None:
            return 0
        if self.now - session.used >= IDLE:
            session.proofs = dict.fromkeys(session.proofs, self.now - 2 * DAY)
        recent = {name for name, at in session.proofs.items() if at > self.now - DAY}
        return 2 if {"pwd", "otp"} <= recent else 1

    def everything_ends(self, *, but: int | None = None) -> None:
        self.epoch += 1
        self.trusted.clear()
        self.session = [one if number == but else None for number, one in enumerate(self.session)]

    # What is compared

    def took(self, browser: int, under: Under, answer: Any, *, trust: bool = False) -> None:
        """A step of a sign-in was answered, and must be what the model says."""
        said = _said(answer)
        if under.of_session:
            assert said != "done" or self.fresh(under.proofs), (said, under)
        else:
            assert said == self.expected(browser, under), (said, under, self.secrets, self.policy, self.demanded)
        if said != "done":
            self.under[browser] = under
            return
        assert under.epoch == self.epoch
        self.under[browser] = None
        kept = self.session[browser] if under.of_session else None
        assert kept is not None or not under.of_session
        proofs = {**(kept.proofs if kept else {}), **under.proofs}
        self.session[browser] = In(kept.began if kept else self.now, self.now, proofs)
        secret = self.browsers[browser].client.trusted_device
        if trust and secret and "otp" in under.proofs and self.policy != "strict":
            self.trusted.setdefault(secret, self.now)

    def attempt(self, run: Any) -> Any:
        """The answer, or the word of the refusal."""
        try:
            return run()
        except Refused as refused:
            return refused.reason

    def is_in(self, browser: int) -> bool:
        guest = self.browsers[browser]
        most = self.level(browser)
        try:
            identity = guest.do(sessions.session).identity
        except Refused:
            return False
        assert identity is not None
        assert identity.aal <= most, (identity.aal, self.session[browser])
        if (session := self.session[browser]) is not None:
            session.used = self.now
        return True

    # Small words

    def code(self) -> str:
        """The app's next code; each is good once."""
        self.house.clock.forward(seconds=31)
        return code_of(self.house, self.secrets[-1])

    def proved(self, under: Under, what: str) -> Under:
        return replace(under, proofs={**under.proofs, what: self.now})

    def may_be_refused(self, browser: int, under: Under | None, right: bool, reason: str) -> None:
        """A right proof in a sign-in that is alive is refused only for what has ended it."""
        if under is None or not right:
            return
        over = self.now >= under.began + FRESH or under.epoch != self.epoch or not self.open
        gone = under.of_session and not self.is_in(browser)
        spent = reason in ("attempt_expired", "state_changed", "no_sign_in_under_way", "wrong_method")
        assert over or gone or spent, (reason, under)


def of_session(under: Under | None) -> bool:
    return under is not None and under.of_session


def _said(answer: Any) -> str:
    if answer.hold is None:
        return "done"
    assert isinstance(answer.hold, Prove | Enroll), answer.hold
    kind = type(answer.hold).__name__.lower()
    return kind if kind == "enroll" else f"{kind} {' '.join(answer.hold.methods)}"
