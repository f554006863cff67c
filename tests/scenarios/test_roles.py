"""What somebody may do is asked on every host alike, is said to whom it concerns, and ends at once."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.scenarios.client import HTML, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import sign_in, sign_up


def test_a_route_for_a_role(host: InProcessHost) -> None:
    ann = sign_up(host)
    bob = sign_up(host, "bob@example.com")
    host.give("ann@example.com", "editor")
    host.clock.forward(seconds=1)
    assert ann.send("GET", "/editors").status == 200
    assert ann.get("/session").json["user"]["roles"] == ["editor"]
    refused = bob.send("GET", "/editors")
    assert (refused.status, refused.reason) == (403, "not_permitted")
    assert refused.header("www-authenticate") == 'Bearer realm="doorward", error="insufficient_scope"'
    page = bob.send("GET", "/editors", headers=HTML)
    assert (page.status, "Not permitted" in page.text) == (403, True)
    nobody = Browser(host).send("GET", "/editors", headers=HTML)
    assert nobody.status == 303
    assert (nobody.header("location") or "").startswith("/auth/sign-in?return_to=%2F")


def test_a_token_says_the_roles_and_does_not_give_them(host: InProcessHost) -> None:
    sign_up(host)
    host.give("ann@example.com", "editor")
    program = Client(host)
    answer = sign_in(program, issue="tokens").json
    program.bearer = answer["tokens"]["access_token"]
    assert answer["user"]["roles"] == ["editor"]
    assert claims_of(program.bearer)["roles"] == ["editor"]
    assert program.send("GET", "/editors").status == 200
    other = Client(host)
    sign_up(host, "bob@example.com")
    other.bearer = sign_in(other, "bob@example.com", issue="tokens").json["tokens"]["access_token"]
    assert "roles" not in claims_of(other.bearer)
    assert other.send("GET", "/editors").status == 403


def test_a_proxy_is_told_who_asks(host: InProcessHost) -> None:
    ann = sign_up(host)
    host.give("ann@example.com", "editor")
    host.clock.forward(seconds=1)
    told = ann.get("/verify", role="editor")
    assert (told.status, told.body, told.all("set-cookie")) == (204, b"", [])
    assert (told.header("x-auth-email"), told.header("x-auth-roles")) == ("ann@example.com", "editor")
    assert ann.get("/verify", role="admin").status == 403
    nobody = Browser(host).get("/verify")
    assert (nobody.status, nobody.header("x-auth-redirect")) == (401, f"{host.origin}/auth/sign-in")


def claims_of(token: str) -> Any:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
