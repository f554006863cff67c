"""In by mail and out by mail: codes and links that sign one in, and «this was not me», which signs everybody out."""

from __future__ import annotations

import re

import pytest

from tests.scenarios.client import Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, OTHER_PASSWORD, set_up_app, sign_in, sign_up
from tests.scenarios.test_back_in_by_mail import shape
from tests.scenarios.test_forty_at_once import FORTY, at_once, statuses

CODE, LINK = "/sign-in/email-code", "/sign-in/magic-link"
PLENTY = pytest.mark.options(policy={"tries_per_identifier": 1000})


def asked(host: InProcessHost, path: str, who: Client | None = None, **more: str) -> Client:
    """Who has asked for a code or link by mail."""
    who = who or Browser(host)
    answer = who.post(f"{path}/send", identifier=ANN, **more)
    assert (answer.status, answer.json["step"], answer.json["methods"]) == (202, "prove", ["email"]), answer.text
    return who


def is_in(who: Client) -> bool:
    status = who.get("/session").status
    assert status in {200, 401}
    return status == 200


def not_me_link(host: InProcessHost) -> str:
    """The path of «this was not me» in the last letter, without our prefix."""
    found = re.search(r"/auth(/not-me\?token=[\w-]+)$", host.mail.last.words["not_me_link"])
    assert found, host.mail.last
    return found[1]


def token_of(link: str) -> str:
    return link.partition("token=")[2]


@pytest.mark.parametrize("path", [CODE, LINK])
def test_who_is_unknown_is_answered_the_same(host: InProcessHost, path: str) -> None:
    sign_up(host)
    letters = len(host.mail.letters)
    known = Browser(host).post(f"{path}/send", identifier=ANN)
    unknown = Browser(host).post(f"{path}/send", identifier="bob@example.com")
    assert shape(known) == shape(unknown)
    assert len(host.mail.letters) == letters + 1


def test_a_code_signs_in_where_it_was_asked_for(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    ann, thief = asked(host, CODE), Browser(host)
    code = host.mail.code()
    thief.post(f"{CODE}/send", identifier="bob@example.com")
    assert thief.post(CODE, code=code).reason == "wrong_code"
    assert Browser(host).post(CODE, code=code).reason == "no_sign_in_under_way"
    held = ann.post(CODE, code=code)
    assert (held.status, held.json["methods"]) == (202, ["totp"]), held.text
    assert not is_in(ann)
    done = ann.post("/sign-in/totp", code=app.code())
    assert (done.status, done.json["session"]["amr"], done.json["session"]["aal"]) == (200, ["email", "otp"], 1)


def test_a_program_gets_tokens_by_a_code_and_none_by_a_link(host: InProcessHost) -> None:
    sign_up(host)
    program = Client(host)
    attempt = program.post(f"{CODE}/send", identifier=ANN, issue="tokens").json["attempt"]
    answer = program.post(CODE, code=host.mail.code(), attempt=attempt)
    assert answer.status == 200, answer.text
    program.bearer = answer.json["tokens"]["access_token"]
    assert is_in(program)
    assert Client(host).post(f"{LINK}/send", identifier=ANN, issue="tokens").reason == "invalid_input"


def test_five_wrong_codes_end_an_attempt(host: InProcessHost) -> None:
    sign_up(host)
    ann = asked(host, CODE)
    code = host.mail.code()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert [ann.post(CODE, code=wrong).reason for _ in range(5)] == ["wrong_code"] * 5
    assert ann.post(CODE, code=code).reason == "attempt_expired"
    assert not is_in(ann)


def test_a_code_by_pages(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host)
    sent = ann.form(f"{CODE}/send", f"{CODE}/send", identifier=ANN)
    assert (sent.status, sent.header("location")) == (303, f"/auth{CODE}"), sent.text
    assert "a•••@example.com" in ann.follow(sent).text
    assert ann.form(CODE, CODE, code=host.mail.code()).status == 303
    assert is_in(ann)


def test_a_link_survives_scanners_and_says_where_it_signs_in(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host)
    ann.form(f"{LINK}/send", f"{LINK}/send", identifier=ANN)
    link = f"{LINK}?token={host.mail.token()}"
    for scanner in [Browser(host) for _ in range(3)]:
        looked = scanner.page(link)
        assert (looked.status, scanner.session) == (200, "")
        assert "asked for in another browser" in looked.text
        assert "a•••@example.com" in looked.text
        assert ANN not in looked.text
        head = scanner.send("HEAD", f"/auth{link}")
        assert (head.status, scanner.session) == (405, "")
    assert "asked for in another browser" not in ann.page(link).text
    phone = Browser(host)
    done = phone.form(LINK, link, token=token_of(link))
    assert done.status == 303, done.text
    assert (is_in(phone), is_in(ann)) == (True, False)
    assert ann.page(link).status == 400


@pytest.mark.parametrize("path", [CODE, LINK])
def test_what_was_mailed_ends_with_its_time(host: InProcessHost, path: str) -> None:
    sign_up(host)
    ann = asked(host, path)
    given = {"code": host.mail.code()} if path == CODE else {"token": host.mail.token()}
    host.clock.forward(minutes=10, seconds=1)
    assert ann.post(path, **given).status in {400, 401}
    assert not is_in(ann)


@PLENTY
def test_of_forty_one_uses_a_code(host: InProcessHost) -> None:
    sign_up(host)
    program = Client(host)
    attempt = program.post(f"{CODE}/send", identifier=ANN, issue="tokens").json["attempt"]
    code = host.mail.code()
    programs = [Client(host) for _ in range(FORTY)]
    answers = at_once(lambda n: programs[n].post(CODE, code=code, attempt=attempt))
    counted = statuses(answers)
    assert counted[200] == 1, [answer.text for answer in answers]
    assert sessions_of(host) == 2


@PLENTY
def test_of_forty_one_uses_a_link(host: InProcessHost) -> None:
    sign_up(host)
    asked(host, LINK)
    token = host.mail.token()
    browsers = [Browser(host) for _ in range(FORTY)]
    answers = at_once(lambda n: browsers[n].post(LINK, token=token))
    assert statuses(answers)[200] == 1, statuses(answers)
    assert all(refused(answer) for answer in answers if answer.status != 200)
    assert len([browser for browser in browsers if browser.session]) == 1
    assert sessions_of(host) == 2


def sessions_of(host: InProcessHost) -> int:
    ann = Browser(host)
    assert sign_in(ann).status == 200
    return len(ann.get("/sessions/list").json["items"]) - 1


def thief_in(host: InProcessHost) -> Browser:
    """Somebody else who has Ann's password, from far away."""
    thief = Browser(host, peer="203.0.113.66")
    assert sign_in(thief).status == 200
    assert host.mail.to(ANN)[-1] == "new_sign_in"
    return thief


def test_this_was_not_me_ends_everything_and_opens_nothing(host: InProcessHost) -> None:
    ann = sign_up(host)
    thief, program = thief_in(host), Client(host, peer="203.0.113.66")
    tokens = sign_in(program, issue="tokens").json["tokens"]
    program.bearer = tokens["access_token"]
    assert is_in(program)
    link = not_me_link(host)
    reader = Browser(host, peer="198.51.100.7")
    for _ in range(2):  # scanners look at it, and so does she
        assert reader.page(link).status == 200
    assert is_in(thief)
    done = reader.form("/not-me", link, token=token_of(link))
    assert done.status == 303, done.text
    assert reader.follow(done).status == 200
    host.clock.forward(seconds=1)
    assert [is_in(who) for who in (ann, thief, program, reader)] == [False] * 4
    assert Client(host).post("/token/refresh", refresh_token=tokens["refresh_token"]).reason == "refresh_refused"
    assert reader.page(link).status == 400
    reader.post("/password/forgot", email=ANN)
    assert reader.post("/password/reset", code=host.mail.code(), new_password=OTHER_PASSWORD).status == 200
    assert sign_in(Client(host, peer="203.0.113.66")).reason == "wrong_credentials"


@PLENTY
def test_forty_say_at_once_that_it_was_not_them(host: InProcessHost) -> None:
    sign_up(host)
    thief = thief_in(host)
    token = token_of(not_me_link(host))
    programs = [Client(host) for _ in range(FORTY)]
    answers = at_once(lambda n: programs[n].post("/not-me", token=token))
    assert statuses(answers)[204] == 1, statuses(answers)
    assert all(refused(answer) for answer in answers if answer.status != 204)
    assert not is_in(thief)


def refused(answer: Answer) -> bool:
    return answer.reason in {"invalid_token", "busy", "unavailable"}
