"""A lost second factor: by a recovery code and the mailbox, after a wait that everybody hears of, or with help."""

from __future__ import annotations

import re

from tests.scenarios.client import Answer, Browser
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, OTHER_PASSWORD, PASSWORD, App, set_up_app, sign_in, sign_up


def proved(host: InProcessHost) -> tuple[Browser, Answer]:
    """Somebody with the password and the mailbox, who says that the second factor is lost."""
    ann = Browser(host)
    assert sign_in(ann).json["methods"][0] == "totp"
    sent = ann.post("/sign-in/recovery/send")
    assert (sent.status, sent.json["methods"], sent.json["to"]) == (202, ["email"], "a•••@example.com"), sent.text
    return ann, ann.post("/sign-in/recovery", code=host.mail.code())


def enroll(host: InProcessHost, ann: Browser) -> Answer:
    begun = ann.post("/totp/begin", name="new telephone")
    assert begun.status == 200, begun.text
    return ann.post("/totp/confirm", code=App(host, begun.json["secret"]).code())


def test_after_three_days_another_app_takes_the_place_of_the_lost_one(host: InProcessHost) -> None:
    owner = sign_up(host)
    old = set_up_app(host, owner)
    ann, held = proved(host)
    assert (held.status, held.json["step"], held.json["what"]) == (202, "confirm", "recovery_wait"), held.text
    begun = ann.post("/sign-in/recovery/wait")
    assert (begun.status, begun.json["ip"] is not None) == (200, True), begun.text
    assert ann.post("/totp/begin").status == 400
    assert owner.get("/recovery").json["due_at"] == begun.json["due_at"]
    assert "can replace it from" in owner.page("/").text

    host.clock.forward(hours=72)
    ann, held = proved(host)
    assert (held.status, held.json["step"], "totp" in held.json["methods"]) == (202, "enroll", True), held.text
    assert ann.get("/session").status == 401
    done = enroll(host, ann)
    assert (done.status, done.json["session"]["amr"]) == (200, ["pwd", "email", "otp", "mfa"]), done.text
    assert owner.get("/session").status == 401
    assert [device["name"] for device in ann.get("/totp/list").json["items"]] == ["new telephone"]
    other = Browser(host)
    sign_in(other)
    assert other.post("/sign-in/totp", code=old.code()).reason == "wrong_code"
    assert "second_factor_replaced" in host.mail.to(ANN)


def test_a_recovery_code_and_the_mailbox_need_no_wait(host: InProcessHost) -> None:
    owner = sign_up(host)
    set_up_app(host, owner)
    code = owner.post("/recovery-codes/generate").json["codes"][0]
    ann, held = proved(host)
    assert held.json["what"] == "recovery_wait"
    step = ann.post("/sign-in/recovery-code", code=code)
    assert (step.status, step.json["step"]) == (202, "enroll"), step.text
    assert enroll(host, ann).status == 200


def test_whoever_it_was_not_stops_it_by_the_letter_or_signed_in(host: InProcessHost) -> None:
    owner = sign_up(host)
    set_up_app(host, owner)
    ann, _ = proved(host)
    ann.post("/sign-in/recovery/wait")
    letter = next(one for one in reversed(host.mail.letters) if one.template == "recovery_begun")
    link = letter.words["cancel_link"].partition("/auth")[2]
    elsewhere = Browser(host)
    for _ in range(2):
        assert elsewhere.page(link).status == 200  # mail scanners follow links
    token = elsewhere.page(link).hidden("token")
    stopped = elsewhere.form("/recovery/cancel", link, token=token)
    assert (stopped.status, stopped.header("location")) == (303, "/auth/sign-in?done=recovery.cancel"), stopped.text
    assert elsewhere.page(link).status == 400
    ann, _ = proved(host)
    ann.post("/sign-in/recovery/wait")
    assert owner.post("/recovery/cancel").status == 204
    assert owner.get("/recovery").json["due_at"] is None
    assert owner.post("/recovery/cancel").status == 404
    host.clock.forward(hours=72)
    _, held = proved(host)
    assert held.json["what"] == "recovery_wait"


def test_without_javascript_by_its_pages(host: InProcessHost) -> None:
    set_up_app(host, sign_up(host))
    ann, page = Browser(host), "/sign-in/recovery"
    ann.form("/sign-in/password", "/sign-in", identifier=ANN, password=PASSWORD)
    assert f'href="/auth{page}"' in ann.page("/sign-in/second-step").text
    asked = ann.form("/sign-in/recovery/send", page)
    assert (asked.status, asked.header("location")) == (303, f"/auth{page}"), asked.text
    held = ann.form("/sign-in/recovery", page, code=host.mail.code())
    assert (held.status, held.header("location")) == (303, f"/auth{page}"), held.text
    begun = ann.form("/sign-in/recovery/wait", page)
    assert (begun.status, "The waiting period has begun" in begun.text) == (200, True), begun.text
    host.clock.forward(hours=72)
    ann = Browser(host)
    ann.form("/sign-in/password", "/sign-in", identifier=ANN, password=PASSWORD)
    ann.form("/sign-in/recovery/send", page)
    held = ann.form("/sign-in/recovery", page, code=host.mail.code())
    assert held.header("location") == "/auth/sign-in/new-passkey", held.text
    ann.form("/totp/begin", "/sign-in/set-up")
    key = re.search(r'id="key"[^>]*>([^<]+)<', ann.page("/sign-in/set-up").text)
    assert key is not None
    app = App(host, key[1].replace(" ", ""))
    done = ann.form("/totp/confirm", "/sign-in/set-up", code=app.code())
    assert (done.status, ann.get("/session").json["session"]["aal"]) == (303, 2), done.text


def test_an_administrators_link_sets_up_anew_what_was_lost(host: InProcessHost) -> None:
    owner, mia = sign_up(host), sign_up(host, "mia@example.com")
    set_up_app(host, owner)
    who = owner.get("/session").json["user"]["id"]
    assert mia.post("/users/recover", user_id=who).reason == "not_permitted"
    host.give("mia@example.com", "desk", "doorward.recover")
    host.clock.forward(seconds=1)
    assert mia.post("/users/recover", user_id=who).status == 401
    set_up_app(host, mia)
    made = mia.post("/users/recover", user_id=who)
    assert (made.status, made.json["link"]) == (200, None), made.text
    link = host.mail.letters[-1].words["link"].partition("/auth")[2]
    ann = Browser(host)
    for _ in range(2):
        assert "telephone" in ann.page(link).text
    token = ann.page(link).hidden("token")
    held = ann.form("/recovery/assisted", link, token=token, new_password=OTHER_PASSWORD)
    assert (held.status, held.header("location")) == (303, "/auth/sign-in/new-passkey"), held.text
    assert ann.get("/session").status == owner.get("/session").status == 401
    assert enroll(host, ann).status == 200
    assert ann.page(link).status == 400
    assert sign_in(Browser(host)).reason == "wrong_credentials"
    assert sign_in(Browser(host), password=OTHER_PASSWORD).json["methods"] == ["totp"]
