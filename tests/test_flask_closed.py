"""Which of a Flask application's views are open to whom: `protect`, `public` and `needs`."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from doorward import actions
from doorward.core.action import Needs
from doorward.core.refusals import Misconfigured
from doorward.flask import Auth, current_user, public
from tests.scenarios.client import Browser, Client
from tests.scenarios.people import ANN, set_up_app, sign_up
from tests.test_flask import app, auth, run

__all__ = ["app", "auth"]


def test_closed_by_default_is_one_line(app: Flask, auth: Auth) -> None:
    auth.protect(app)

    @app.get("/private")
    def private() -> str:
        return "private"

    @app.get("/front")
    @public
    def front() -> str:
        return "front"

    host = run(app, auth)
    stranger = Client(host)
    assert stranger.send("GET", "/private").status == 401
    assert stranger.send("HEAD", "/private").status == 401
    assert stranger.send("GET", "/front").text == "front"
    assert stranger.send("OPTIONS", "/private").status == 200
    assert stranger.send("GET", "/nowhere").status == 404
    assert stranger.get("/openapi.json").status == 200
    assert sign_up(host).send("GET", "/private").text == "private"


def test_what_is_closed_may_want_more_of_everybody(app: Flask, auth: Auth) -> None:
    auth.protect(app, aal=2)

    @app.get("/private")
    def private() -> str:
        return "private"

    @app.get("/front")
    @public
    def front() -> str:
        return "front"

    host = run(app, auth)
    assert Client(host).send("GET", "/private").reason == "not_signed_in"
    ann = sign_up(host)
    assert ann.send("GET", "/private").reason == "second_factor_required"
    assert ann.send("GET", "/front").text == "front"
    set_up_app(host, ann)
    assert ann.send("GET", "/private").text == "private"


def test_what_is_public_is_a_list(app: Flask, auth: Auth) -> None:
    with pytest.raises(Misconfigured, match=r"flask\.E3"):
        auth.protect(app, public="static")


def test_a_view_may_want_a_second_factor(app: Flask, auth: Auth) -> None:
    @app.get("/vault")
    @auth.needs(aal=2)
    def vault() -> str:
        return "gold"

    host = run(app, auth)
    ann = sign_up(host)
    refused = ann.send("GET", "/vault")
    assert (refused.status, refused.reason) == (401, "second_factor_required")
    assert refused.json["methods"] == ["passkey", "totp"]
    challenge = 'Bearer realm="doorward", error="insufficient_user_authentication", acr_values="aal2"'
    assert refused.header("www-authenticate") == challenge
    sent = ann.send("GET", "/vault", headers={"Accept": "text/html"})
    assert sent.header("location") == "/auth/passkeys?return_to=%2Fvault"
    assert ann.follow(sent).status == 200
    set_up_app(host, ann)
    assert ann.send("GET", "/vault").text == "gold"


def test_a_view_may_ask_as_it_goes(app: Flask, auth: Auth) -> None:
    @app.get("/posts")
    def posts() -> Any:
        return auth.refusal(permission="posts.read") or "posts"

    host = run(app, auth)
    assert sign_up(host).send("GET", "/posts").reason == "not_permitted"
    assert Browser(host).send("GET", "/posts").reason == "not_signed_in"


def test_a_view_may_want_a_fresh_proof(app: Flask, auth: Auth) -> None:
    @app.get("/payout")
    @auth.needs(Needs.FRESH)
    def payout() -> str:
        return "paid"

    host = run(app, auth)
    ann = sign_up(host)
    assert ann.send("GET", "/payout").text == "paid"
    host.clock.forward(minutes=11)
    refused = ann.send("GET", "/payout")
    assert (refused.status, refused.reason, refused.json["methods"]) == (401, "fresh_proof_required", ["password"])
    sent = ann.send("GET", "/payout", headers={"Accept": "text/html"})
    assert sent.header("location") == "/auth/step-up?return_to=%2Fpayout"


def test_a_view_may_be_async(app: Flask, auth: Auth) -> None:
    @app.get("/async")
    @auth.login_required
    async def view() -> str:
        await auth.ado(actions.sessions.list_sessions)
        return str(current_user.email)

    assert sign_up(run(app, auth)).send("GET", "/async").text == ANN
