"""Thousands of random steps of people, thieves and operators against a plain model of who may be in, on every store."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from doorward.core.call import Call
from doorward.core.demands import demand_of_user
from doorward.core.policy import SecondFactor
from doorward.features import (
    email_code,
    password,
    reset_password,
    sign_out,
    step_up,
    totp,
    trusted_device,
)
from doorward.presets import standard
from doorward.server import people
from doorward.stores import migrations, open_store
from doorward.testing.doubles import House
from tests.features.people import code_of
from tests.http.bare import FreeLimits
from tests.security.model import POLICIES, WAITS, Model, Under, of_session


class Browsers(Model):
    """What people, thieves and operators do."""

    browser = st.integers(0, 2)

    @initialize(with_app=st.booleans())
    def begins(self, with_app: bool) -> None:
        if with_app:
            self.sets_up_app(0)

    @precondition(lambda self: self.open)
    @rule(browser=browser, trust=st.booleans(), meanwhile=st.sampled_from(("nothing", "nothing", "all ends")))
    def signs_in_with_all(self, browser: int, trust: bool, meanwhile: str) -> None:
        self.signs_in(browser, right=True)
        if meanwhile == "all ends":
            self.is_disabled(for_long=False)
        if self.under[browser] is not None and self.secrets:
            self.types_a_code(browser, right=True, trust=trust)

    @precondition(lambda self: self.open)
    @rule(browser=browser, trust=st.booleans())
    def steps_up_with_all(self, browser: int, trust: bool) -> None:
        self.steps_up(browser)
        if of_session(self.under[browser]):
            self.types_the_password_again(browser)
        if of_session(self.under[browser]) and self.secrets:
            self.types_a_code(browser, right=True, trust=trust)

    @rule(browser=browser, right=st.booleans())
    def signs_in(self, browser: int, right: bool) -> None:
        guest = self.browsers[browser]
        typed = self.password if right else "the password of somebody else"
        answer = self.attempt(lambda: guest.do(password.sign_in, identifier=self.email, password=typed))
        if isinstance(answer, str):
            assert not (right and self.open), answer
            return
        assert right
        self.took(browser, Under(self.now, self.epoch, {"pwd": self.now}), answer)

    @rule(browser=browser)
    def signs_in_by_mail(self, browser: int) -> None:
        guest = self.browsers[browser]
        if self.attempt(lambda: guest.do(email_code.send, identifier=self.email)) == "wrong_method":
            assert self.policy == "strict"
            return
        self.under[browser] = None
        if not self.open:
            return
        answer = self.attempt(lambda: guest.do(email_code.sign_in, code=self.house.mail.code()))
        assert not isinstance(answer, str), answer
        self.took(browser, Under(self.now, self.epoch, {"email": self.now}), answer)

    @rule(browser=browser)
    def resets_the_password(self, browser: int) -> None:
        guest = self.browsers[browser]
        letters = len(self.house.mail.letters)
        guest.do(reset_password.forgot, email=self.email)
        self.under[browser] = None
        if not self.open:
            assert len(self.house.mail.letters) == letters
            return
        self.password = f"plenty of brown sparrows {next(self.passwords)}"
        code = self.house.mail.code()
        answer = self.attempt(lambda: guest.do(reset_password.reset, code=code, new_password=self.password))
        assert not isinstance(answer, str), answer
        self.everything_ends()
        self.took(browser, Under(self.now, self.epoch, {"reset": self.now}), answer)

    @rule(browser=browser, right=st.booleans(), trust=st.booleans())
    def types_a_code(self, browser: int, right: bool, trust: bool) -> None:
        guest, under = self.browsers[browser], self.under[browser]
        code = self.code() if right and self.secrets else "abcdef"
        answer = self.attempt(lambda: guest.do(totp.sign_in, code=code, trust_device=trust))
        if isinstance(answer, str):
            self.may_be_refused(browser, under, right and bool(self.secrets), answer)
            return
        assert under is not None
        assert right
        assert self.secrets
        self.took(browser, self.proved(under, "otp"), answer, trust=trust)

    @rule(browser=browser)
    def types_the_password_again(self, browser: int) -> None:
        guest, under = self.browsers[browser], self.under[browser]
        if not guest.client.attempt:
            return
        typed = {"password": self.password, "attempt": guest.client.attempt}
        answer = self.attempt(lambda: guest.do(password.sign_in, **typed))
        if isinstance(answer, str):
            self.may_be_refused(browser, under, True, answer)
            return
        assert under is not None
        self.took(browser, self.proved(under, "pwd"), answer)

    @rule(browser=browser)
    def proves_the_mailbox(self, browser: int) -> None:
        """As is asked before a second factor is set up on the way in."""
        guest, under = self.browsers[browser], self.under[browser]
        sent = self.attempt(lambda: guest.do(email_code.send))
        if isinstance(sent, str) or under is None:
            return
        if not under.of_session:
            assert self.expected(browser, under) == "prove email", under
        answer = self.attempt(lambda: guest.do(email_code.sign_in, code=self.house.mail.code()))
        if isinstance(answer, str):
            self.may_be_refused(browser, under, True, answer)
            return
        self.took(browser, self.proved(under, "email"), answer)

    @rule(browser=browser)
    def sets_up_app(self, browser: int) -> None:
        guest, under = self.browsers[browser], self.under[browser]
        if len(self.secrets) >= 3:
            return
        is_in = guest.session != "" and self.may_be_in(browser)
        was_fresh = is_in and self.fresh(self.session[browser].proofs)  # type: ignore[union-attr]
        begun = self.attempt(lambda: guest.do(totp.begin))
        if isinstance(begun, str):
            return
        on_the_way = not is_in
        if on_the_way:
            assert under is not None
            assert self.expected(browser, under) == "enroll", under
        else:
            assert was_fresh
        secret = base64.b32decode(begun.secret)
        answer = self.attempt(lambda: guest.do(totp.confirm, code=code_of(self.house, secret)))
        if isinstance(answer, str):
            assert on_the_way, answer
            return
        self.secrets.append(secret)
        if on_the_way and under is not None:
            self.took(browser, self.proved(under, "otp"), answer)
        elif (session := self.session[browser]) is not None:
            session.proofs["otp"] = session.used = self.now
        self.house.clock.forward(seconds=31)

    @rule(browser=browser)
    def removes_the_apps(self, browser: int) -> None:
        guest = self.browsers[browser]
        fresh = self.may_be_in(browser) and self.fresh(self.session[browser].proofs)  # type: ignore[union-attr]
        answer = self.attempt(lambda: guest.do(totp.remove))
        if answer is None:
            assert fresh
            assert not self.required()
            assert self.secrets
            self.secrets.clear()
            self.trusted.clear()

    @rule(browser=browser)
    def steps_up(self, browser: int) -> None:
        guest, session = self.browsers[browser], self.session[browser]
        answer = self.attempt(lambda: guest.do(step_up.step_up))
        if isinstance(answer, str):
            return
        assert session is not None
        assert self.may_be_in(browser)
        session.used = self.now
        if answer.hold is None:
            assert self.fresh(session.proofs)
            return
        self.under[browser] = Under(self.now, self.epoch, dict(session.proofs), of_session=True)

    @rule(browser=browser, everywhere=st.booleans())
    def signs_out(self, browser: int, everywhere: bool) -> None:
        was_in = self.is_in(browser)
        self.attempt(lambda: self.browsers[browser].do(sign_out.sign_out, all=everywhere))
        self.session[browser] = None
        if everywhere and was_in:
            self.everything_ends()

    @rule(browser=browser)
    def ends_all_trust(self, browser: int) -> None:
        if not isinstance(self.attempt(lambda: self.browsers[browser].do(trusted_device.end)), str):
            assert self.may_be_in(browser)
            self.trusted.clear()

    @rule(thief=browser, victim=browser)
    def steals_the_cookie_of_a_trusted_browser(self, thief: int, victim: int) -> None:
        guest = self.browsers[thief]
        guest.client = replace(guest.client, trusted_device=self.browsers[victim].client.trusted_device)

    @rule(thief=browser, victim=browser)
    def steals_a_sign_in_under_way(self, thief: int, victim: int) -> None:
        """The browser's cookie alone: what it is good for, the model knows of neither less nor more."""
        if thief != victim and self.session[thief] is None and not of_session(self.under[victim]):
            guest, other = self.browsers[thief], self.browsers[victim]
            guest.client = replace(guest.client, attempt=other.client.attempt)
            self.under[thief] = self.under[victim]

    # What time and operators do

    @rule(which=st.sampled_from(sorted(WAITS)))
    def time_passes(self, which: str) -> None:
        for browser in range(3):
            self.is_in(browser)
        self.house.clock.forward(seconds=WAITS[which])

    @rule(for_long=st.booleans())
    def is_disabled(self, for_long: bool) -> None:
        self.house.run(people.set_active, self.email, active=False)
        self.everything_ends()
        self.open = False
        if not for_long:
            self.is_enabled()

    @precondition(lambda self: not self.open)
    @rule()
    def is_enabled(self) -> None:
        self.house.run(people.set_active, self.email, active=True)
        self.open = True

    @rule(demanded=st.booleans())
    def is_demanded(self, demanded: bool) -> None:
        levels = [self.level(browser) for browser in range(3)]
        self.house.run(_demand, self.email, demanded)
        self.demanded = demanded
        if demanded:
            pairs = zip(self.session, levels, strict=True)
            self.session = [session if level == 2 else None for session, level in pairs]

    @rule(name=st.sampled_from(sorted(POLICIES)))
    def policy_changes(self, name: str) -> None:
        self.policy = name
        self.house.doorward.world = replace(self.house.doorward.world, policy=POLICIES[name])

    # What always holds

    @invariant()
    def nobody_is_in_of_whom_the_model_does_not_say_it(self) -> None:
        for browser in range(3):
            if self.is_in(browser):
                assert self.may_be_in(browser), (browser, self.session[browser], self.policy)


async def _demand(call: Call, email: str, demanded: bool) -> None:
    level = SecondFactor.REQUIRED if demanded else SecondFactor.OPTIONAL
    await demand_of_user(call, await people.find(call, email), level, grace=timedelta(0))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return "memory:"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/machine.db"
    url: str = request.getfixturevalue("postgres_url")
    migrations.migrate(url)
    return url


def _machine(store_url: str) -> tuple[House, Any]:
    house = House(standard(), lambda ward: open_store(store_url, records=ward.records), FreeLimits(), os.urandom)
    return house, type("Machine", (Browsers,), {"house": house})


@pytest.mark.parametrize("trust", [False, True])
def test_what_is_under_way_ends_when_all_ends(store_url: str, trust: bool) -> None:
    """An order of steps that chance need not find: it shows a session begun under an epoch that is over."""
    house, machine = _machine(store_url)
    try:
        world = machine()
        world.begins(with_app=True)
        world.signs_in_with_all(1, trust=trust, meanwhile="all ends")
        assert world.under[1] is not None
        assert world.session == [None, None, None]
        world.nobody_is_in_of_whom_the_model_does_not_say_it()
    finally:
        house.stores.close()


def test_nobody_ever_gets_in_by_any_order_of_steps(store_url: str) -> None:
    """More steps: `./dev test tests/security/test_state_machine.py --hypothesis-profile=thorough`."""
    house, machine = _machine(store_url)
    share = {"memory:": 1}.get(store_url, 4)
    examples = max(10, settings().max_examples // share)
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=40,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        house.stores.close()
