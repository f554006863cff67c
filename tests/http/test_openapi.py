"""The document says what a running application does: schemathesis asks it for everything, and compares."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.serving import make_server

from doorward.core.action import action
from doorward.core.call import Call
from doorward.core.feature import Feature
from doorward.features.sign_out import SignOut
from doorward.flask import Auth
from doorward.testing.doubles import CHEAP, SECRET, MailBox
from tests.http.bare import Bare, FreeLimits
from tests.scenarios.client import Client

PASSWORD = "four crows on a fence post"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


GROUPS = sorted({name.partition(".")[0] for name in Bare().doorward.actions})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, MailBox]]:
    """The origin of a Flask application with everything switched on, and its letters."""
    app = Flask("contract")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    origin = f"http://127.0.0.1:{server.port}"
    database = f"sqlite:///{tmp_path_factory.mktemp('contract')}/app.db"
    mail = MailBox()
    auth = Auth(app, database, secret=SECRET, origin=origin, mail=mail, limits=FreeLimits(), passwords=CHEAP)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield origin, mail
    server.shutdown()
    thread.join(10)
    server.server_close()
    auth.close()


@pytest.fixture(scope="module")
def operations(running: tuple[str, MailBox]) -> list[Any]:
    """All that the document has, and somebody to ask for it."""
    origin, mail = running
    sign_up(origin, mail)
    schema = schemathesis.openapi.from_url(f"{origin}/auth/openapi.json")
    return [result.ok() for result in schema.get_all_operations()]


def group_of(operation: Any) -> str:
    return str(operation.definition.raw["operationId"]).partition(".")[0]


@pytest.mark.parametrize("group", GROUPS)
def test_what_it_says_is_what_it_does(running: tuple[str, MailBox], operations: list[Any], group: str) -> None:
    mine = [operation for operation in operations if group_of(operation) == group]
    assert mine
    for operation in mine:
        # Each with a session of its own, since some end it.
        _try(operation, {"Authorization": f"Bearer {access_token(running[0])}"})


def test_every_operation_is_in_a_group_that_is_tried(operations: list[Any]) -> None:
    assert len(operations) > 15
    assert {group_of(operation) for operation in operations} == set(GROUPS)


def _try(operation: Any, headers: dict[str, str]) -> None:
    @settings(
        max_examples=6,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, headers=headers)

    ask()


def sign_up(origin: str, mail: MailBox) -> None:
    begun = httpx2.post(f"{origin}/auth/sign-up", json={"email": "ann@example.com", "password": PASSWORD}).json()
    done = httpx2.post(f"{origin}/auth/email/verify", json={"code": mail.code(), "attempt": begun["attempt"]})
    assert done.status_code == 200


def access_token(origin: str) -> str:
    arguments = {"identifier": "ann@example.com", "password": PASSWORD, "issue": "tokens"}
    done = httpx2.post(f"{origin}/auth/sign-in/password", json=arguments)
    if done.json()["step"] == "confirm":  # closed by the operation before
        kept = {"attempt": done.json()["attempt"]}
        done = httpx2.post(f"{origin}/auth/sign-in/keep-account", json=kept)
    return str(done.json()["tokens"]["access_token"])


@action("toy.add", status=201)
async def add(call: Call, *, one: int, two: int = 2) -> dict[str, int]:
    """Add two numbers.

    Not shown.
    """
    return {"sum": one + two}


class Toy(Feature):
    actions = (add,)


def test_exactly_what_is_switched_on() -> None:
    document = Client(Bare(Toy())).get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    assert list(document["paths"]) == ["/auth/toy/add"]
    operation = document["paths"]["/auth/toy/add"]["post"]
    assert (operation["operationId"], operation["summary"]) == ("toy.add", "Add two numbers.")
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {
        "type": "object",
        "properties": {"one": {"type": "integer"}, "two": {"type": "integer", "default": 2}},
        "additionalProperties": False,
        "required": ["one"],
    }
    assert "201" in operation["responses"]


def test_it_is_the_same_for_everybody() -> None:
    bare = Bare(SignOut())
    answer = Client(bare).get("/openapi.json")
    assert answer.header("cache-control") == "public, max-age=300"
    again = Client(bare).get("/openapi.json", {"If-None-Match": answer.header("etag") or ""})
    assert (again.status, again.body) == (304, b"")
    assert Client(bare).post("/openapi.json").status == 405
