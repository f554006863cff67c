"""Two steps: an authenticator app, and codes on paper for the day it is lost."""

from __future__ import annotations

from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import set_up_app, sign_in, sign_up


def test_password_then_code(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    ann = Browser(host)
    held = sign_in(ann)
    assert (held.status, held.json["step"]) == (202, "prove")
    assert held.json["methods"] == ["totp"]
    assert 0 < held.json["expires_in"] <= 600
    assert ann.get("/session").status == 401

    done = ann.post("/sign-in/totp", code=app.code())
    assert (done.status, done.json["step"]) == (200, "done")
    assert done.json["session"]["amr"] == ["pwd", "otp", "mfa"]
    assert done.json["session"]["aal"] == 2
    assert not any("attempt" in name for name in ann.cookies)


def test_a_code_works_once(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    code = app.code()
    first, second = Browser(host), Browser(host)
    sign_in(first), sign_in(second)
    assert first.post("/sign-in/totp", code=code).status == 200
    again = second.post("/sign-in/totp", code=code)
    assert (again.status, again.reason) == (401, "wrong_code")


def test_a_program_carries_its_attempt_itself(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    program = Client(host)
    held = sign_in(program)
    assert held.cookies == {}
    done = program.post("/sign-in/totp", code=app.code(), attempt=held.json["attempt"])
    assert done.status == 200


def test_a_recovery_code_stands_in_once(host: InProcessHost) -> None:
    ann = sign_up(host)
    set_up_app(host, ann)
    made = ann.post("/recovery-codes/generate")
    assert made.status == 200, made.text
    assert ann.get("/recovery-codes/count").json["count"] == len(made.json["codes"]) == 10
    code = made.json["codes"][3]

    other = Browser(host)
    assert sign_in(other).json["methods"] == ["totp", "recovery_code"]
    done = other.post("/sign-in/recovery-code", code=code.upper().replace("-", " "))
    assert (done.status, done.json["step"]) == (200, "done"), done.text

    third = Browser(host)
    sign_in(third)
    assert third.post("/sign-in/recovery-code", code=code).status == 401
    assert ann.get("/recovery-codes/count").json["count"] == 9


def test_a_second_step_alone_says_nobody(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    refused = Client(host).post("/sign-in/totp", code=app.code())
    assert (refused.status, refused.reason) == (401, "no_sign_in_under_way")


def test_five_wrong_codes_end_an_attempt(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    ann = Browser(host)
    sign_in(ann)
    for _ in range(5):
        assert ann.post("/sign-in/totp", code="000000").status == 401
    assert ann.post("/sign-in/totp", code=app.code()).status in (401, 429)
    assert ann.get("/session").status == 401


def test_what_matters_wants_a_fresh_proof(host: InProcessHost) -> None:
    ann = sign_up(host)
    app = set_up_app(host, ann)
    host.clock.forward(minutes=11)
    refused = ann.post("/totp/remove")
    assert (refused.status, refused.reason) == (401, "fresh_proof_required")
    challenge = refused.header("www-authenticate") or ""
    assert 'error="insufficient_user_authentication"' in challenge
    assert "max_age=600" in challenge
    assert refused.json["methods"] != []

    before = ann.get("/session").json["session"]["id"]
    secret = ann.session
    held = ann.post("/step-up")
    assert (held.status, held.json["step"]) == (202, "prove")
    step = ann.post("/sign-in/totp", code=app.code())
    if step.status == 202:
        step = ann.post("/sign-in/password", password="four crows on a fence post", attempt=step.json["attempt"])
    assert step.status == 200, step.text
    assert ann.session != secret
    assert ann.get("/session").json["session"]["id"] == before
    assert ann.post("/totp/remove").status == 204
