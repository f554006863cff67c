"""The list of one's sessions, and how they end."""

from __future__ import annotations

from tests.scenarios.client import Browser
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import sign_in, sign_up


def test_all_of_them_and_the_end_of_one(host: InProcessHost) -> None:
    here = sign_up(host)
    host.clock.forward(minutes=1)
    there = Browser(host, peer="2001:db8::7")
    sign_in(there)

    items = here.get("/sessions/list").json["items"]
    assert [item["current"] for item in items] == [False, True]
    assert items[0]["ip"] == "2001:db8::7"
    assert items[0]["user_agent"] == "Mozilla/5.0 (Scenario)"
    assert here.post("/sessions/end", id=items[0]["id"]).status == 204
    assert there.get("/session").status == 401
    assert there.send("GET", "/who").json == {"email": None}
    assert here.get("/session").status == 200


def test_all_others_at_once(host: InProcessHost) -> None:
    here = sign_up(host)
    others = [Browser(host) for _ in range(3)]
    for other in others:
        sign_in(other)
    assert here.post("/sessions/end", others=True).status == 204
    assert {other.get("/session").status for other in others} == {401}
    assert len(here.get("/sessions/list").json["items"]) == 1


def test_somebody_elses_session_is_not_there(host: InProcessHost) -> None:
    ann, bob = sign_up(host), sign_up(host, "bob@example.com")
    theirs = ann.get("/session").json["session"]["id"]
    refused = bob.post("/sessions/end", id=theirs)
    assert (refused.status, refused.reason) == (404, "not_found")
    assert ann.get("/session").status == 200


def test_signing_out_everywhere(host: InProcessHost) -> None:
    here, there = sign_up(host), Browser(host)
    sign_in(there)
    assert here.post("/sign-out", all=True).status == 204
    assert there.get("/session").status == 401


def test_signing_out_twice_is_no_matter(host: InProcessHost) -> None:
    ann = sign_up(host)
    cookies = dict(ann.cookies)
    assert ann.post("/sign-out").status == 204
    ann.cookies = cookies
    assert ann.post("/sign-out").status == 204


def test_no_cache_gives_anybody_what_is_somebody_elses(host: InProcessHost) -> None:
    """What a proxy in front keeps by URL alone must not be what one user was told, or their cookie."""
    ann = sign_up(host)
    document = ann.get("/openapi.json").json
    public = {"/auth/jwks.json", "/.well-known/webauthn", "/.well-known/passkey-endpoints"}
    for path in sorted(path for path, methods in document["paths"].items() if "get" in methods and path not in public):
        for who in (ann, Browser(host)):
            answer = who.send("GET", path)
            assert answer.header("cache-control") == "no-store", (path, answer.status)
    signed = sign_in(Browser(host))
    assert (signed.status, signed.header("cache-control")) == (200, "no-store")
    assert signed.all("set-cookie")
    for who in (ann, Browser(host)):
        varies = {part.strip().lower() for line in who.send("GET", "/who").all("vary") for part in line.split(",")}
        assert {"cookie", "authorization"} <= varies
