"""Somebody who may invites somebody else, who comes in where nobody else can, on every host."""

from __future__ import annotations

import pytest

from tests.scenarios.client import Browser
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import PASSWORD, sign_in, sign_up

BOB = "bob@example.com"


def invite(host: InProcessHost, who: Browser, email: str = BOB) -> str:
    made = who.post("/invitations/create", email=email, role="host")
    assert made.status == 200, made.text
    assert made.json["address"] == email
    return host.mail.token()


def test_by_the_json_api(host: InProcessHost) -> None:
    ann = sign_up(host)
    host.give("ann@example.com", "host", "doorward.invite")
    host.clock.forward(seconds=1)
    token = invite(host, ann)
    assert [one["address"] for one in ann.get("/invitations/list").json["items"]] == [BOB]
    bob = Browser(host)
    begun = bob.post("/invitations/accept", token=token)
    assert (begun.status, begun.json["methods"]) == (202, ["password", "passkey"])
    done = bob.post("/sign-up/password", new_password=PASSWORD)
    assert (done.status, done.json["user"]["email"], done.json["user"]["roles"]) == (200, BOB, ["host"])
    assert bob.post("/invitations/accept", token=token).reason == "invalid_token"
    assert sign_in(Browser(host), BOB).status == 200


def test_by_forms_without_javascript(host: InProcessHost) -> None:
    ann = sign_up(host)
    host.give("ann@example.com", "host", "doorward.invite")
    host.clock.forward(seconds=1)
    sent = ann.form("/invitations/create", page="/invitations/create", email=BOB, name="", role="host")
    assert (sent.status, BOB in ann.follow(sent).text) == (303, True)
    link = f"/invitations/accept?token={host.mail.token()}"
    bob = Browser(host)
    page = bob.page(link)
    assert (page.status, "ann@example.com" in page.text, BOB in page.text) == (200, True, False)
    accepted = bob.form("/invitations/accept", page=link, token=page.hidden("token"))
    assert (accepted.status, accepted.header("location")) == (303, "/auth/sign-up/password")
    done = bob.form("/sign-up/password", page="/sign-up/password", new_password=PASSWORD)
    assert done.status == 303
    assert BOB in bob.follow(done).text


def test_who_has_an_account_accepts_when_signed_in(host: InProcessHost) -> None:
    ann, bob = sign_up(host), sign_up(host, BOB)
    host.give("ann@example.com", "host", "doorward.invite")
    host.clock.forward(seconds=1)
    token = invite(host, ann)
    stranger = Browser(host)
    assert stranger.post("/invitations/accept", token=token).reason == "not_signed_in"
    assert "Sign in to it" in stranger.page(f"/invitations/accept?token={token}").text
    assert ann.post("/invitations/accept", token=token).reason == "not_permitted"
    assert bob.post("/invitations/accept", token=token).json["user"]["roles"] == ["host"]


@pytest.mark.options(sign_up="invitation")
def test_strangers_are_told_that_they_need_an_invitation(host: InProcessHost) -> None:
    browser = Browser(host)
    refused = browser.post("/sign-up", email=BOB, password=PASSWORD)
    assert (refused.status, refused.reason) == (403, "sign_up_closed")
    page = browser.page("/sign-up").text
    assert "people who are invited" in page
    assert 'action="/auth/sign-up"' not in page
    assert "/auth/sign-up" not in browser.page("/sign-in").text
