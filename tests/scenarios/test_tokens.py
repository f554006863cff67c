"""Programs: tokens instead of a cookie, their renewal, and what a stolen one comes to."""

from __future__ import annotations

from tests.scenarios.client import Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, sign_in, sign_up


def signed_in(host: InProcessHost) -> tuple[Client, dict[str, str]]:
    sign_up(host)
    program = Client(host)
    done = sign_in(program, issue="tokens")
    assert done.status == 200, done.text
    assert done.cookies == {}
    tokens: dict[str, str] = done.json["tokens"]
    program.bearer = tokens["access_token"]
    return program, tokens


def test_a_bearer_token_opens_our_routes_and_the_hosts(host: InProcessHost) -> None:
    program, tokens = signed_in(host)
    assert tokens["token_type"] == "Bearer"
    assert program.get("/session").json["user"]["email"] == ANN
    assert program.send("GET", "/closed").json == {"email": ANN}
    assert program.post("/sign-out").status == 204
    assert program.get("/session").status == 401


def test_tokens_live_for_minutes_and_are_renewed(host: InProcessHost) -> None:
    program, tokens = signed_in(host)
    host.clock.forward(minutes=7)
    expired = program.get("/session")
    assert (expired.status, expired.header("www-authenticate")) == (
        401,
        'Bearer realm="doorward", error="invalid_token"',
    )
    renewed = Client(host).post("/token/refresh", refresh_token=tokens["refresh_token"])
    assert renewed.status == 200, renewed.text
    program.bearer = renewed.json["access_token"]
    assert program.get("/session").status == 200


def test_a_lost_answer_is_given_again_and_a_thief_ends_the_family(host: InProcessHost) -> None:
    _, tokens = signed_in(host)
    program = Client(host)
    first = program.post("/token/refresh", refresh_token=tokens["refresh_token"]).json
    again = program.post("/token/refresh", refresh_token=tokens["refresh_token"]).json
    assert again["refresh_token"] == first["refresh_token"]
    host.clock.forward(minutes=1)
    stolen = program.post("/token/refresh", refresh_token=tokens["refresh_token"])
    assert (stolen.status, stolen.reason) == (401, "refresh_refused")
    assert program.post("/token/refresh", refresh_token=first["refresh_token"]).status == 401


def test_a_bad_bearer_is_401_beside_a_good_cookie(host: InProcessHost) -> None:
    """Where `Authorization` is sent, cookies are not looked at (rule 30)."""
    ann = sign_up(host)
    for value in ("Bearer", "Bearer x", "Bearer x y", "bearer x", "Basic YTpi", "Digest x", "DPoP x", "Token x"):
        for path in ("/auth/session", "/closed"):
            refused = ann.send("GET", path, headers={"Authorization": value})
            assert refused.status == 401, (value, path)
            assert (refused.header("www-authenticate") or "").startswith('Bearer realm="doorward"')
        assert ann.send("GET", "/who", headers={"Authorization": value}).status in (200, 401)
    assert ann.get("/session").status == 200


def test_a_session_secret_is_no_bearer_token_nor_the_other_way_round(host: InProcessHost) -> None:
    ann = sign_up(host)
    program = Client(host, bearer=ann.session)
    assert program.get("/session").status == 401
    tokens = sign_in(Client(host), issue="tokens").json["tokens"]
    for name in ("access_token", "refresh_token"):
        ann.cookies = {"__Host-doorward": tokens[name]}
        assert ann.get("/session").status == 401
        assert Client(host).post("/sign-in/totp", code="000000", attempt=tokens[name][:128]).status == 401
    program.bearer = tokens["refresh_token"]
    assert program.get("/session").status == 401


def test_the_keys_are_public_and_cacheable(host: InProcessHost) -> None:
    program, _ = signed_in(host)
    program.bearer = ""
    for path in ("/auth/jwks.json", "/.well-known/jwks.json"):
        keys = program.send("GET", path)
        assert keys.status == 200
        assert keys.header("cache-control") == "public, max-age=300"
        assert keys.header("access-control-allow-origin") == "*"
        assert keys.cookies == {}
        assert "d" not in keys.json["keys"][0]
        again = program.send("GET", path, headers={"If-None-Match": keys.header("etag") or ""})
        assert (again.status, again.body) == (304, b"")


def test_revoking_answers_the_same_for_all_tokens(host: InProcessHost) -> None:
    program, tokens = signed_in(host)
    anybody = Client(host)
    for token in (tokens["refresh_token"], "nothing-of-ours"):
        form = anybody.raw("/token/revoke", f"token={token}".encode(), "application/x-www-form-urlencoded")
        assert (form.status, form.body, form.header("content-type")) == (200, b"", None)
    assert anybody.post("/token/refresh", refresh_token=tokens["refresh_token"]).status == 401
    assert program.get("/session").status == 401
