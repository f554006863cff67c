"""A program with an API key: it reaches the host's routes as its owner, and nothing of the account."""

from __future__ import annotations

from tests.scenarios.client import Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, sign_in, sign_up


def test_a_key_opens_the_hosts_routes_and_no_account_action(host: InProcessHost) -> None:
    ann = sign_up(host)
    made = ann.post("/api-keys/create", name="nightly report", scopes=["orders.read"], expires_in=3600)
    assert made.status == 200, made.text
    program = Client(host, bearer=made.json["key"])
    assert program.send("GET", "/closed").json == {"email": ANN}
    who = program.get("/session")
    assert who.json["user"]["email"] == ANN
    assert who.json["session"] is None
    assert who.json["key"] == {"id": made.json["id"], "scopes": ["orders.read"]}
    for refused in (
        program.get("/sessions/list"),
        program.get("/api-keys/list"),
        program.post("/api-keys/create", name="another", scopes=["orders.read"]),
        program.post("/password/change", current_password=PASSWORD, new_password="seven herons in the fog"),
        program.post("/sign-out", all=True),
        sign_in(program),
        program.send("GET", "/auth/", headers={"Accept": "text/html"}),
    ):
        assert refused.status == 403
        assert refused.header("www-authenticate") == 'Bearer realm="doorward", error="insufficient_scope"'
    assert ann.post("/api-keys/revoke", id=made.json["id"]).status == 204
    for path in ("/closed", "/auth/session"):
        gone = program.send("GET", path)
        assert (gone.status, gone.reason) == (401, "invalid_bearer")


def test_a_key_is_read_from_the_header_alone(host: InProcessHost) -> None:
    key = sign_up(host).post("/api-keys/create", name="report", scopes=["orders.read"]).json["key"]
    nobody = Client(host)
    assert nobody.get("/session", access_token=key).status == 400
    assert nobody.send("GET", f"/who?access_token={key}").json == {"email": None}
    assert nobody.send("GET", "/auth/session", headers={"Cookie": f"__Host-doorward={key}"}).status == 401
    assert nobody.send("GET", "/auth/session", headers={"X-Api-Key": key}).status == 401
