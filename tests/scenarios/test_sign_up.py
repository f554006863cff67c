"""From nobody to somebody: sign up, prove the address, stay signed in, see one's sessions, leave."""

from __future__ import annotations

from tests.scenarios.client import Browser
from tests.scenarios.hosts import InProcessHost

PASSWORD = "four crows on a fence post"


def test_the_whole_way(host: InProcessHost) -> None:
    ann = Browser(host)
    begun = ann.post("/sign-up", email="Ann@example.com", password=PASSWORD, name="Ann")
    assert (begun.status, begun.json["step"], begun.json["what"]) == (202, "verify", "email")
    assert ann.get("/session").status == 401

    done = ann.post("/email/verify", code=host.mail.code())
    assert (done.status, done.json["step"]) == (200, "done"), done.text
    assert done.json["user"]["email"] == "Ann@example.com"
    assert done.json["user"]["email_verified"] is True

    assert ann.get("/session").json["session"]["current"] is True
    assert ann.send("GET", "/who").json == {"email": "Ann@example.com"}
    assert ann.post("/sign-out").status == 204
    assert ann.get("/session").status == 401
    assert ann.send("GET", "/who").json == {"email": None}
