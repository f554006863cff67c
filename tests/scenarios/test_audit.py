"""What happened to an account, read on every host by whom it happened to."""

from __future__ import annotations

from tests.scenarios.client import HTML, Browser
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import sign_up


def test_what_happened_is_read_by_whom_it_happened_to(host: InProcessHost) -> None:
    ann, bob = sign_up(host), sign_up(host, "bob@example.com")
    host.clock.forward(minutes=1)
    stranger = Browser(host, peer="203.0.113.9")
    assert stranger.post("/sign-in/password", identifier="ann@example.com", password="not hers at all").status == 401
    items = ann.get("/audit/list").json["items"]
    assert items[0]["event"] == "sign_in_failed"
    assert items[0]["details"]["ip"] == "203.0.113.9"
    assert "password" in items[0]["details"]["method"]
    assert {"signed_up", "signed_in"} <= {item["event"] for item in items}
    assert "sign_in_failed" not in {item["event"] for item in bob.get("/audit/list").json["items"]}
    first = ann.get("/audit/list?limit=1").json
    second = ann.get(f"/audit/list?limit=1&after={first['next']}").json
    assert first["items"] == items[:1]
    assert second["items"] == items[1:2]
    assert bob.get(f"/audit/list?after={first['next']}").status == 400
    assert stranger.get("/audit/list").status == 401
    page = ann.page("/activity")
    assert (page.status, "A sign-in that failed" in page.text, "203.0.113.9" in page.text) == (200, True, True)
    assert stranger.send("GET", "/auth/activity", headers=HTML).status == 303
