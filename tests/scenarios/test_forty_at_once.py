"""Forty who do the same thing in the same moment: one of them gets it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.scenarios.client import Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, set_up_app, sign_in, sign_up

FORTY = 40


def at_once(act: Callable[[int], Answer], rivals: int = FORTY) -> list[Answer]:
    start = Barrier(rivals)

    def one(number: int) -> Answer:
        start.wait(30)
        return act(number)

    with ThreadPoolExecutor(rivals) as pool:
        return list(pool.map(one, range(rivals)))


def statuses(answers: list[Answer]) -> Counter[int]:
    counted = Counter(answer.status for answer in answers)
    assert not any(status >= 500 and status != 503 for status in counted), counted
    return counted


def test_one_code_lets_one_in(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    programs = [Client(host) for _ in range(FORTY)]
    attempts = [sign_in(program, issue="tokens").json.get("attempt", "") for program in programs[:20]]
    code = app.code()
    answers = at_once(lambda n: programs[n].post("/sign-in/totp", code=code, attempt=attempts[n % 20]))
    assert statuses(answers)[200] == 1


def test_one_attempt_starts_one_session(host: InProcessHost) -> None:
    ann = Browser(host)
    ann.post("/sign-up", email=ANN, password=PASSWORD)
    code, cookies = host.mail.code(), dict(ann.cookies)
    browsers = [Browser(host, cookies=dict(cookies)) for _ in range(FORTY)]
    answers = at_once(lambda n: browsers[n].post("/email/verify", code=code))
    assert statuses(answers)[200] == 1
    winner = next(browser for browser in browsers if browser.session)
    assert len(winner.get("/sessions/list").json["items"]) == 1


@pytest.mark.options(policy={"tries_per_identifier": 1000})
def test_a_recovery_code_is_spent_once(host: InProcessHost) -> None:
    ann = sign_up(host)
    set_up_app(host, ann)
    code = ann.post("/recovery-codes/generate").json["codes"][0]
    programs = [Client(host) for _ in range(FORTY)]
    attempts = [sign_in(program).json["attempt"] for program in programs]
    answers = at_once(lambda n: programs[n].post("/sign-in/recovery-code", code=code, attempt=attempts[n]))
    assert statuses(answers)[200] == 1


def test_forty_wrong_passwords_are_counted(host: InProcessHost) -> None:
    sign_up(host)
    answers = at_once(lambda n: sign_in(Client(host), password=f"wrong password number {n}"))
    counted = statuses(answers)
    assert counted[200] == 0
    assert counted[401] <= 20
    assert counted[429] >= 20


def test_an_ended_session_is_ended_for_all(host: InProcessHost) -> None:
    ann = sign_up(host)
    cookies = dict(ann.cookies)
    assert ann.post("/sign-out").status == 204
    answers = at_once(lambda n: Browser(host, cookies=dict(cookies)).get("/session"))
    assert statuses(answers) == {401: FORTY}


@pytest.mark.options(policy={"tries_per_identifier": 1000, "sms_settling": 0})
def test_a_code_by_text_message_lets_one_in(host: InProcessHost) -> None:
    ann = sign_up(host)
    set_up_app(host, ann)
    ann.post("/phone/add", phone="+491711234567")
    code, twins = host.sms.code(), [Browser(host, cookies=dict(ann.cookies)) for _ in range(FORTY)]
    answers = at_once(lambda n: twins[n].post("/phone/confirm", code=code))
    assert statuses(answers)[204] == 1
    program = Client(host)
    attempt = sign_in(program, issue="tokens").json["attempt"]
    assert program.post("/sign-in/sms-code/send", attempt=attempt).status == 202
    code = host.sms.code()
    answers = at_once(lambda n: Client(host).post("/sign-in/sms-code", code=code, attempt=attempt))
    assert statuses(answers)[200] == 1


def test_of_two_who_prove_one_number_in_the_same_moment_one_has_it(host: InProcessHost) -> None:
    people, codes = [sign_up(host, f"{name}@example.com") for name in ("ann", "bob")], []
    for one in people:
        assert one.post("/phone/add", phone="+491711234567").status == 202
        codes.append(host.sms.code())
    answers = at_once(lambda n: people[n].post("/phone/confirm", code=codes[n]), rivals=2)
    assert statuses(answers) == Counter({204: 1, 409: 1})


@pytest.mark.options(policy={"tries_per_identifier": 1000, "sms_settling": 0, "texts_per_number": 3})
def test_of_forty_sends_no_more_leave_than_the_budget_has(host: InProcessHost) -> None:
    ann = sign_up(host)
    set_up_app(host, ann)
    ann.post("/phone/add", phone="+491711234567")
    ann.post("/phone/confirm", code=host.sms.code())
    program, before = Client(host), len(host.sms.letters)
    attempt = sign_in(program).json["attempt"]
    answers = at_once(lambda n: Client(host).post("/sign-in/sms-code/send", attempt=attempt))
    sent = statuses(answers)[202]
    assert 1 <= sent <= 3
    assert len(host.sms.letters) - before == sent
    assert program.post("/sign-in/sms-code", code=host.sms.code(), attempt=attempt).status == 200
