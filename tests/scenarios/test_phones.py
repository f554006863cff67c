"""A phone: a number to sign in by, and a day later a second step by text message beside an authenticator app."""

from __future__ import annotations

import re

import pytest

from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, set_up_app, sign_in, sign_up

NUMBER = "+491711234567"


def with_number(host: InProcessHost) -> Browser:
    """Somebody with an app and a number, which has stood for a day."""
    ann = sign_up(host)
    set_up_app(host, ann)
    added = ann.post("/phone/add", phone="+49 171 1234567")
    assert (added.status, added.json["step"], added.json["what"]) == (202, "verify", "phone"), added.text
    assert "attempt" not in added.json
    assert ann.post("/phone/confirm", code=host.sms.code()).status == 204
    host.clock.forward(hours=24)
    return ann


def test_password_then_a_code_by_text_message(host: InProcessHost) -> None:
    with_number(host)
    ann = Browser(host)
    held = sign_in(ann, NUMBER)
    assert (held.status, held.json["methods"]) == (202, ["totp", "sms"])
    sent = ann.post("/sign-in/sms-code/send")
    assert (sent.status, sent.json["to"]) == (202, "+49 ••• 67"), sent.text
    assert host.sms.text().splitlines()[-1] == f"@app.example.com #{host.sms.code()}"
    done = ann.post("/sign-in/sms-code", code=host.sms.code())
    assert (done.status, done.json["session"]["amr"], done.json["session"]["aal"]) == (200, ["pwd", "sms", "mfa"], 2)
    assert done.json["user"]["phone"] == NUMBER
    again = Browser(host)
    sign_in(again)
    assert again.post("/sign-in/sms-code", code=host.sms.code()).reason == "wrong_code"


def test_a_program_carries_its_attempt_itself(host: InProcessHost) -> None:
    with_number(host)
    program = Client(host)
    attempt = sign_in(program, issue="tokens").json["attempt"]
    assert program.post("/sign-in/sms-code/send", attempt=attempt).status == 202
    done = program.post("/sign-in/sms-code", code=host.sms.code(), attempt=attempt)
    assert done.status == 200, done.text
    program.bearer = done.json["tokens"]["access_token"]
    (one,) = program.get("/phone/list").json["items"]
    assert (one["phone"], one["verified"], one["second_step"]) == (NUMBER, True, True)
    assert program.post("/phone/remove").status == 204
    assert program.get("/phone/list").json["items"] == []


def test_a_number_is_added_changed_and_removed_on_pages_without_javascript(host: InProcessHost) -> None:
    ann = sign_up(host)
    asked = ann.form("/phone/add", page="/phone", phone="+49 171 1234567")
    assert (asked.status, asked.header("location")) == (303, "/auth/phone")
    page = ann.follow(asked)
    assert 'autocomplete="one-time-code"' in page.text
    assert 'inputmode="numeric"' in page.text
    wrong = ann.form("/phone/confirm", page="/phone", code="000000")
    assert (wrong.status, "wrong, was used" in wrong.text) == (401, True)
    done = ann.form("/phone/confirm", page="/phone", code=host.sms.code())
    assert (done.status, done.header("location")) == (303, "/auth/phone?done=phone.confirm")
    assert NUMBER in ann.follow(done).text
    gone = ann.form("/phone/remove", page="/phone")
    assert (gone.status, gone.header("location")) == (303, "/auth/security?done=phone.remove")
    assert NUMBER not in ann.follow(gone).text


@pytest.mark.options(policy={"texts_per_number": 2})
def test_a_message_that_is_refused_leaves_the_page_where_it_was(host: InProcessHost) -> None:
    with_number(host)
    ann = Browser(host)
    sign_in(ann)
    for _ in range(2):
        ann.form("/sign-in/sms-code/send", page="/sign-in/second-step?method=sms")
    refused = ann.form("/sign-in/sms-code/send", page="/sign-in/second-step?method=sms")
    assert refused.status == 429
    assert refused.header("retry-after")
    assert "Send me a code" in refused.text
    assert "/auth/sign-in/second-step?method=totp" in refused.text


def test_the_second_step_on_pages(host: InProcessHost) -> None:
    with_number(host)
    ann = Browser(host)
    held = ann.form("/sign-in/password", page="/sign-in", identifier=ANN, password=PASSWORD)
    assert held.header("location") == "/auth/sign-in/second-step"
    assert "/auth/sign-in/second-step?method=sms" in ann.follow(held).text
    sent = ann.form("/sign-in/sms-code/send", page="/sign-in/second-step?method=sms")
    assert (sent.status, sent.header("location")) == (303, "/auth/sign-in/sms-code")
    page = ann.follow(sent)
    assert "+49 ••• 67" in page.text
    assert re.search(r'autocomplete="one-time-code"\s+inputmode="numeric"', page.text)
    done = ann.form("/sign-in/sms-code", page="/sign-in/sms-code", code=host.sms.code())
    assert (done.status, done.header("location")) == (303, "/auth/")
    assert ann.get("/session").json["session"]["aal"] == 2
