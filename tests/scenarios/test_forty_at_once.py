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
