"""Back in by mail: a forgotten password, asked for and reset, with the same gates as ever."""

from __future__ import annotations

import pytest

from tests.scenarios.client import Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, OTHER_PASSWORD, set_up_app, sign_in, sign_up
from tests.scenarios.test_forty_at_once import at_once, statuses


def shape(answer: Answer) -> object:
    """All of an answer that could tell one account from none."""
    headers = sorted(name.lower() for name, _ in answer.headers)
    return answer.status, headers, len(answer.body), sorted(answer.json)


def test_a_forgotten_password_is_reset_and_the_second_step_stays(host: InProcessHost) -> None:
    ann = sign_up(host)
    app = set_up_app(host, ann)
    again, nobody = Browser(host), Browser(host)
    known = again.post("/password/forgot", email=ANN)
    unknown = nobody.post("/password/forgot", email="bob@example.com")
    assert shape(known) == shape(unknown)
    assert (known.status, known.json["step"], known.json["methods"]) == (202, "prove", ["email"])

    held = again.post("/password/reset", code=host.mail.code(), new_password=OTHER_PASSWORD)
    assert (held.status, held.json["methods"]) == (202, ["totp"]), held.text
    assert again.get("/session").status == ann.get("/session").status == 401
    done = again.post("/sign-in/totp", code=app.code())
    assert (done.status, done.json["session"]["amr"], done.json["session"]["aal"]) == (200, ["email", "otp"], 1)
    assert host.mail.to(ANN)[-1] == "password_reset"
    assert sign_in(Client(host)).reason == "wrong_credentials"
    assert sign_in(Client(host), password=OTHER_PASSWORD).status == 202


def test_by_the_link_and_its_page(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host)
    asked = ann.form("/password/forgot", "/password/forgot", email=ANN)
    assert (asked.status, asked.header("location")) == (303, "/auth/password/reset")
    assert "a•••@example.com" in ann.follow(asked).text

    link = f"/password/reset?token={host.mail.token()}"
    elsewhere = Browser(host)
    for _ in range(2):
        assert elsewhere.page(link).status == 200
    token = elsewhere.page(link).hidden("token")
    done = elsewhere.form("/password/reset", link, token=token, new_password=OTHER_PASSWORD)
    assert (done.status, done.header("location")) == (303, "/auth/?done=password.reset"), done.text
    assert ANN in elsewhere.follow(done).text
    assert elsewhere.page(link).status == 400


@pytest.mark.options(policy={"tries_per_identifier": 1000})
@pytest.mark.parametrize("by", ["link", "code"])
def test_a_letter_is_used_once_in_a_hundred_requests(host: InProcessHost, by: str) -> None:
    sign_up(host)
    attempt = Client(host).post("/password/forgot", email=ANN).json["attempt"]
    given = {"token": host.mail.token()} if by == "link" else {"code": host.mail.code(), "attempt": attempt}
    browsers = [Browser(host) for _ in range(100)]
    passwords = [f"heron number {n} of this morning" for n in range(100)]
    answers = at_once(lambda n: browsers[n].post("/password/reset", new_password=passwords[n], **given), 100)
    assert statuses(answers)[200] == 1, statuses(answers)
    assert {answer.status for answer in answers} <= {200, 400, 401, 503}
    (won,) = [n for n, answer in enumerate(answers) if answer.status == 200]
    assert sign_in(Client(host), password=passwords[won]).status == 200
    assert [browser for browser in browsers if browser.session] == [browsers[won]]
