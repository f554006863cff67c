"""`needs(…)` in a host's own routes: the challenge of RFC 9470 for programs, and for browsers a step-up and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.testclient import TestClient

from doorward import fastapi, flask
from doorward.core.call import Call
from doorward.core.records import Account, User
from doorward.testing import CHEAP, Clock, sign_in_as

ORIGIN = "https://app.example.com"
SECRET = "vN3eT8xK1qZ7uR5wY2oP9aS6dF4gH0jLcXbMiQ-kE_s"
PASSWORD = "four crows on a fence post"
HTML = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}
JSON = {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}
WANTS: dict[str, dict[str, Any]] = {
    "/transfer": {"fresh": timedelta(minutes=2)},
    "/level": {"aal": 2},
    "/keys": {"phishing_resistant": True},
}
Send = Callable[..., Any]


async def with_ann(call: Call) -> None:
    hash = await call.hash.hash(PASSWORD)
    await call.store.add_user(User(id="ann", email="ann@example.com", password=hash, created_at=call.now))
    await call.store.add(Account(user_id="ann", auth_epoch="1", address_exempt=True, created_at=call.now))


@pytest.fixture(params=["flask", "fastapi"])
def host(request: pytest.FixtureRequest, tmp_path: Any) -> tuple[Any, Clock, Send]:
    clock = Clock()
    options: dict[str, Any] = {"origin": ORIGIN, "secret": SECRET, "passwords": CHEAP, "clock": clock}
    client: Any
    if request.param == "flask":
        app = Flask(__name__)
        auth: Any = flask.Auth(app, f"sqlite:///{tmp_path}/app.db", **options)
        for path, wants in WANTS.items():
            app.add_url_rule(path, path, auth.needs(**wants)(lambda: "open"))
        client = app.test_client()
    else:
        api = FastAPI()
        auth = fastapi.Auth(api, f"sqlite:///{tmp_path}/app.db", **options)
        for path, wants in WANTS.items():
            api.get(path, dependencies=[fastapi.needs(**wants)])(lambda: "open")
        client = TestClient(api, base_url=ORIGIN, follow_redirects=False)
    auth.run(with_ann)

    def send(method: str, path: str, headers: dict[str, str], **body: Any) -> Any:
        if request.param == "flask":
            return client.open(path, method=method, headers=headers, base_url=ORIGIN, **body)
        return client.request(method, path, headers=headers, **body)

    sign_in_as(client, "ann", aal=1)
    return client, clock, send


def body(answer: Any) -> Any:
    return answer.json() if callable(answer.json) else answer.json


def challenge(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.headers["WWW-Authenticate"].partition("error=")[2]


def test_programs_get_the_challenge_of_rfc_9470(host: tuple[Any, Clock, Send]) -> None:
    _, clock, send = host
    assert send("GET", "/transfer", {}).status_code == 200
    clock.forward(minutes=3)
    told = '"insufficient_user_authentication"'
    assert challenge(send("GET", "/transfer", {})) == (401, f'{told}, max_age=120, acr_values="aal1"')
    assert challenge(send("GET", "/level", {})) == (401, f'{told}, acr_values="aal2"')
    assert challenge(send("GET", "/keys", {})) == (401, f'{told}, acr_values="phr"')


def test_browsers_are_led_through_a_step_up_and_back(host: tuple[Any, Clock, Send]) -> None:
    _, clock, send = host
    clock.forward(minutes=3)
    turned = send("GET", "/transfer?to=bob", HTML)
    asked = "/auth/step-up?return_to=%2Ftransfer%3Fto%3Dbob&max_age=120"
    assert (turned.status_code, turned.headers["Location"]) == (303, asked)
    page = send("GET", asked, HTML)
    assert 'name="max_age" value="120"' in page.text
    held = send("POST", "/auth/step-up", JSON, json={"return_to": "/transfer?to=bob", "max_age": 120})
    assert (held.status_code, body(held)["methods"]) == (202, ["password"])
    proof = {"password": PASSWORD, "attempt": body(held)["attempt"]}
    answer = body(send("POST", "/auth/sign-in/password", JSON, json=proof))
    assert answer["return_to"] == "/transfer?to=bob"
    assert send("GET", "/transfer", HTML).status_code == 200


def test_who_has_no_second_factor_is_led_to_set_one_up(host: tuple[Any, Clock, Send]) -> None:
    _, _, send = host
    turned = send("GET", "/level", HTML)
    assert turned.status_code == 303
    assert turned.headers["Location"].startswith(("/auth/passkeys", "/auth/totp"))
