"""What somebody can do with what is not theirs: another browser's attempt, an old secret, a spent code."""

from __future__ import annotations

from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import PASSWORD, set_up_app, sign_in, sign_up


def test_an_attempt_moves_only_in_the_browser_that_began_it(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    ann, mallory = Browser(host), Browser(host)
    attempt = sign_in(ann).json["attempt"]
    for thief in (mallory, Client(host)):
        refused = thief.post("/sign-in/totp", code=app.code(), attempt=attempt)
        assert (refused.status, refused.reason) == (401, "no_sign_in_under_way")
    assert ann.post("/sign-in/totp", code=app.code()).status == 200


def test_an_attempt_is_over_when_it_is_done(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    program = Client(host)
    attempt = sign_in(program).json["attempt"]
    assert program.post("/sign-in/totp", code=app.code(), attempt=attempt).status == 200
    again = program.post("/sign-in/totp", code=app.code(), attempt=attempt)
    assert (again.status, again.reason) == (401, "no_sign_in_under_way")


def test_an_attempt_expires(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    ann = Browser(host)
    sign_in(ann)
    host.clock.forward(minutes=11)
    late = ann.post("/sign-in/totp", code=app.code())
    assert (late.status, late.reason) == (401, "attempt_expired")
    assert late.header("www-authenticate") == 'Bearer realm="doorward"'


def test_an_attempt_of_sign_up_is_none_of_sign_in(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    program = Client(host)
    attempt = program.post("/sign-up", email="eve@example.com", password=PASSWORD).json["attempt"]
    refused = program.post("/sign-in/totp", code=app.code(), attempt=attempt)
    assert refused.status in (400, 401)
    mixed = sign_in(program).json["attempt"]
    assert program.post("/email/verify", code=host.mail.code(), attempt=mixed).status == 401


def test_an_attempt_opens_nothing_by_itself(host: InProcessHost) -> None:
    set_up_app(host, sign_up(host))
    attempt = sign_in(Client(host)).json["attempt"]
    assert Client(host, bearer=attempt).get("/session").status == 401
    thief = Browser(host, cookies={"__Host-doorward": attempt})
    assert thief.get("/session").status == 401
    assert thief.post("/totp/begin").status == 401


def test_nobody_elses_proof_helps_a_step_up(host: InProcessHost) -> None:
    ann, bob = sign_up(host), sign_up(host, "bob@example.com")
    apps = set_up_app(host, ann), set_up_app(host, bob)
    host.clock.forward(minutes=11)
    held = ann.post("/step-up")
    assert held.status == 202
    refused = ann.post("/sign-in/totp", code=apps[1].code(), attempt=held.json["attempt"])
    assert (refused.status, refused.reason) == (401, "wrong_code")
    with_password = ann.post(
        "/sign-in/password", identifier="bob@example.com", password=PASSWORD, attempt=held.json["attempt"]
    )
    assert with_password.status in (400, 401)
    assert ann.post("/totp/remove").status == 401


def test_a_step_up_dies_with_its_session(host: InProcessHost) -> None:
    ann = sign_up(host)
    app = set_up_app(host, ann)
    host.clock.forward(minutes=11)
    attempt = ann.post("/step-up").json["attempt"]
    other = Browser(host)
    sign_in(other)
    other.post("/sign-in/totp", code=app.code())
    assert other.post("/sessions/end", others=True).status == 204
    step = ann.post("/sign-in/totp", code=app.code(), attempt=attempt)
    if step.status == 202:
        step = ann.post("/sign-in/password", password=PASSWORD, attempt=step.json["attempt"])
    assert step.status == 401
    assert ann.get("/session").status == 401


def test_a_set_up_is_bound_to_its_session(host: InProcessHost) -> None:
    ann, bob = sign_up(host), sign_up(host, "bob@example.com")
    begun = ann.post("/totp/begin")
    assert begun.status == 200
    assert bob.post("/totp/confirm", code="123456").status in (401, 409)
    assert bob.get("/totp/list").json["items"] == []
