"""What all hosts share: where settings come from, what stops the start, and what happens around a story."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from doorward import actions
from doorward.assembly import Runtime
from doorward.core.action import action
from doorward.core.call import Call, Letter
from doorward.core.erasure import erase_due
from doorward.core.events import SignedIn
from doorward.core.feature import Feature
from doorward.core.ports import Unavailable
from doorward.core.records import Account
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.steps import Facts, Hold, Refuse
from doorward.http.messages import Request
from doorward.server import people
from doorward.surroundings import Surroundings, derived_secret, settings_for
from doorward.testing.doubles import CHEAP, SECRET, Clock, MailBox

STRONG, OLDER = "host-W7rT2kQx9Lm4Vz8Np1Sb6Yd3Hc5Jf0Ga", "older-Zk3Vn8Xr5Tq1Ws7Mb9Lp2Hd6Fc4Jg0Y"
ORIGIN = "https://app.example.com"
NOWHERE: dict[str, str] = {}


@action("toy.write")
async def write(call: Call, *, refuse: bool = False, fail: bool = False) -> str:
    """Post a letter, then perhaps refuse or fail."""
    async with call.store.transaction():
        await call.later(Letter("ann@example.com", "toy"))
        if fail:
            raise ZeroDivisionError
        if refuse:
            raise Refused("not_permitted")
    return "written"


class Toy(Feature):
    actions = (write,)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = assembled(Toy())
    yield made
    made.close()


def assembled(*features: Feature, around: Surroundings | None = None, **options: Any) -> Runtime:
    given = {"secret": SECRET, "origin": ORIGIN, "database_url": "sqlite://", "mail": MailBox(), "passwords": CHEAP}
    made = Runtime({**given, "clock": Clock(), **options})
    made.assemble(features, around or Surroundings())
    return made


def test_arguments_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "doorward.toml"
    config.write_text(f'secret = "{SECRET}"\norigin = "{ORIGIN}"\nmail_from = "file@example.com"\nlisten = "file"\n')
    environ = {"DOORWARD_LISTEN": "environment", "DOORWARD_LOG_LEVEL": "debug", "PATH": "/bin"}
    names, settings = settings_for({"log_level": "error"}, Surroundings(), str(config), environ)
    assert (settings.mail_from, settings.listen, settings.log_level) == ("file@example.com", "environment", "error")
    assert "listen" in names
    named = {"DOORWARD_CONFIG": str(config)}
    assert settings_for({}, Surroundings(), None, named)[1].listen == "file"


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("secret = ")
    for path in (broken, tmp_path / "missing.toml"):
        with pytest.raises(Misconfigured, match=r"settings.E6.*\.toml"):
            settings_for({}, Surroundings(), str(path), NOWHERE)


def test_keys_come_from_the_hosts_secret_and_its_fallbacks() -> None:
    around = Surroundings(secrets=[STRONG, OLDER, "weak"])
    _, settings = settings_for({"origin": ORIGIN}, around, None, NOWHERE)
    assert len(settings.secret) == 2
    assert STRONG not in str(settings.secret)
    _, rotated = settings_for({"origin": ORIGIN}, Surroundings(secrets=[OLDER]), None, NOWHERE)
    assert rotated.secret[0] == settings.secret[1]
    _, given = settings_for({"origin": ORIGIN, "secret": SECRET}, around, None, NOWHERE)
    assert given.secret[0][0] == "house"


@pytest.mark.parametrize("weak", ["dev", "secret_key_here", "django-insecure-" + STRONG, "a" * 64])
def test_a_host_secret_that_anybody_guesses_is_refused(weak: str) -> None:
    with pytest.raises(Misconfigured, match=r"settings.E5: app\.secret_key"):
        derived_secret(Surroundings(secrets=[weak], secret_name="app.secret_key"))


def test_without_any_secret_there_is_no_start() -> None:
    with pytest.raises(Misconfigured, match="SECRET"):
        settings_for({"origin": ORIGIN}, Surroundings(), None, NOWHERE)


def test_the_origin_is_required_but_while_debugging(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Misconfigured, match="ORIGIN"):
        settings_for({"secret": SECRET}, Surroundings(), None, NOWHERE)
    with caplog.at_level(logging.WARNING, "doorward"):
        _, settings = settings_for({"secret": SECRET}, Surroundings(debug=True), None, NOWHERE)
    assert (str(settings.origin), settings.debug) == ("http://localhost:8000", True)
    assert "http://localhost:8000" in caplog.text


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(Misconfigured, match="did you mean ORIGIN"):
        assembled(Toy(), orign=ORIGIN)


def test_tables_that_are_missing_name_the_command(postgres_url: str) -> None:
    with pytest.raises(Misconfigured, match="doorward migrate"):
        assembled(Toy(), database_url=postgres_url)


def test_an_async_listener_needs_an_event_loop(runtime: Runtime) -> None:
    async def listener(event: SignedIn) -> None:
        raise AssertionError(event)

    with pytest.raises(Misconfigured, match=r"assembly.E3.*listener.*SignedIn"):
        runtime.on(SignedIn)(listener)
    before = Runtime({"secret": SECRET, "origin": ORIGIN, "database_url": "sqlite://"})
    before.on(SignedIn)(listener)
    with pytest.raises(Misconfigured, match=r"assembly.E3"):
        before.assemble((Toy(),), Surroundings())


def test_letters_leave_after_the_commit_of_a_refusal_too(runtime: Runtime) -> None:
    assert runtime.do(write) == "written"
    with pytest.raises(Refused, match="not_permitted"):
        runtime.do(write, refuse=True)
    assert len(runtime.parts.mail.messages) == 2


def test_nothing_leaves_a_story_that_failed(runtime: Runtime) -> None:
    with pytest.raises(ZeroDivisionError):
        runtime.do(write, fail=True)
    assert runtime.parts.mail.messages == []


def test_calls_from_python_are_as_closed_as_requests(runtime: Runtime) -> None:
    with pytest.raises(Refused, match="invalid_input"):
        runtime.do(write, refuse="yes")  # type: ignore[arg-type]
    with pytest.raises(Refused, match="invalid_input"):
        runtime.do(write, admin=True)  # type: ignore[call-arg]


def test_a_hosts_gate_can_hold_back() -> None:
    def nobody_enters(facts: Facts) -> Hold | None:
        return Refuse("not_permitted")

    runtime = assembled(gates=[nobody_enters])
    begun = runtime.do(actions.sign_up.sign_up, email="ann@example.com", password="four crows on a fence post")
    with pytest.raises(Refused, match="not_permitted"):
        runtime.do(actions.verify_email.verify, code=runtime.parts.mail.code(), attempt=begun.attempt)
    runtime.close()


def test_what_can_only_be_awaited_is_refused_by_a_host_of_threads() -> None:
    class Awaited:
        colours = frozenset({"async"})

    with pytest.raises(Misconfigured, match=r"assembly.E2: Awaited"):
        assembled(Toy(), stores=Awaited())


def test_a_listener_hears_of_it(runtime: Runtime) -> None:
    heard: list[str] = []
    runtime = assembled()
    runtime.on(SignedIn)(lambda event: heard.append(event.session_id))
    begun = runtime.do(actions.sign_up.sign_up, email="ann@example.com", password="four crows on a fence post")
    done = runtime.do(actions.verify_email.verify, code=runtime.parts.mail.code(), attempt=begun.attempt)
    assert done.identity is not None
    assert heard == [done.identity.session.id]
    runtime.close()


def test_the_log_tells_what_the_answer_does_not(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    error = ZeroDivisionError("a secret detail")
    request = Request("POST", "/auth/toy/write", "token=secret")
    with caplog.at_level(logging.WARNING, "doorward"):
        answer = runtime.failed(request, error)
        away = runtime.failed(request, Unavailable("the database is gone"))
    assert (answer.status, b"detail" in answer.body, b"a secret detail" in answer.body) == (500, True, False)
    assert (away.status, away.header("Retry-After")) == (503, "2")
    assert [name for name, _ in away.headers if name == "Set-Cookie"] == []
    assert "a secret detail" in caplog.text
    assert "token=secret" not in caplog.text


def test_what_features_have_to_do_now_and_then_is_done_by_the_thread_of_letters(tmp_path: Path) -> None:
    """An account whose grace has passed is erased by whatever process sends letters, and its owner hears of it."""
    mail = MailBox()
    made = assembled(mail=mail, database_url=f"sqlite:///{tmp_path}/app.db")

    async def sign_up(call: Call) -> str:
        user = await people.add(call, email="ann@example.com", password="plenty of brown sparrows")
        await call.store.change(Account, {"user_id": user.id}, closes_at=call.now + timedelta(days=1))
        return user.id

    made.run(sign_up)
    made.tend(erase_due)
    assert made.run(lambda call: call.store.count(Account)) == 1
    made.parts.clock.forward(days=2)  # type: ignore[attr-defined]
    made.close()
    told: list[str] = []

    class Sender:
        def send(self, letter: Any) -> None:
            told.append(letter.subject)

    sending = assembled(mail=Sender(), clock=made.parts.clock, database_url=f"sqlite:///{tmp_path}/app.db")
    assert sending.outbox is not None
    upkeep: Any = sending.outbox._upkeep
    assert upkeep.sweep() >= 1
    assert sending.run(lambda call: call.store.count(Account)) == 0
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told == ["Your account at Doorward is erased"]
    sending.close()
