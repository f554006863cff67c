"""`sign_in_as` for tests: through all gates, at the level that is asked for, on every kind of client."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.testclient import TestClient

from doorward import fastapi, flask
from doorward.core.call import Call
from doorward.core.records import User
from doorward.testing import CHEAP, Clock, MailBox, SmsBox, asign_in_as, sign_in_as

pytest_plugins = ["doorward.testing.plugin"]

ORIGIN = "https://app.example.com"
SECRET = "vN3eT8xK1qZ7uR5wY2oP9aS6dF4gH0jLcXbMiQ-kE_s"
ANN = "ann@example.com"


async def with_ann(call: Call) -> None:
    await call.store.add_user(User(id="ann", email=ANN, username="annie", created_at=call.now))


@pytest.fixture
def options(clock: Clock, mailbox: MailBox, smsbox: SmsBox) -> dict[str, Any]:
    given = {"origin": ORIGIN, "secret": SECRET, "passwords": CHEAP, "sms_countries": "DE"}
    return {**given, "clock": clock, "mail": mailbox, "sms": smsbox}


def flask_client(options: dict[str, Any]) -> Any:
    app = Flask(__name__)
    auth = flask.Auth(app, "sqlite://", **options)
    app.add_url_rule("/safe", "safe", auth.needs(aal=2)(lambda: "open"))
    auth.run(with_ann)
    return app.test_client()


def fastapi_app(options: dict[str, Any], database: str) -> FastAPI:
    app = FastAPI()
    auth = fastapi.Auth(app, database, **options)

    @app.get("/safe", dependencies=[fastapi.needs(aal=2)])
    async def safe() -> str:
        return "open"

    auth.run(with_ann)
    return app


@pytest.mark.parametrize("who", ["ann", ANN, "annie", User(id="ann", created_at=Clock().now)])
def test_flasks_client_is_in_at_aal2(options: dict[str, Any], who: Any) -> None:
    client = flask_client(options)
    assert client.get("/safe", base_url=ORIGIN).status_code == 401
    sign_in_as(client, who)
    assert client.get("/safe", base_url=ORIGIN).status_code == 200


def test_at_aal1_a_second_factor_is_asked_for(options: dict[str, Any]) -> None:
    client = flask_client(options)
    sign_in_as(client, ANN, aal=1)
    answer = client.get("/safe", base_url=ORIGIN)
    assert (answer.status_code, answer.json["reason"]) == (401, "second_factor_required")


def test_starlettes_client_is_in(options: dict[str, Any], tmp_path: Any) -> None:
    client = TestClient(fastapi_app(options, f"sqlite:///{tmp_path}/app.db"), base_url=ORIGIN)
    assert client.get("/safe").status_code == 401
    sign_in_as(client, ANN)
    assert client.get("/safe").status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_httpx_is_in(options: dict[str, Any], tmp_path: Any, anyio_backend: str) -> None:
    app = fastapi_app(options, f"sqlite:///{tmp_path}/app.db")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        await asign_in_as(client, ANN)
        assert (await client.get("/safe")).status_code == 200


def test_the_gates_hold(options: dict[str, Any]) -> None:
    client = flask_client({**options, "policy": {"second_factor_required": True}})
    with pytest.raises(LookupError, match="held back"):
        sign_in_as(client, ANN, aal=1)
    with pytest.raises(LookupError, match="no user"):
        sign_in_as(client, "nobody@example.com")


def test_an_application_that_hides_its_auth_is_told_to_give_it() -> None:
    with pytest.raises(LookupError, match="auth=auth"):
        sign_in_as(httpx.Client(), ANN)
