"""What FastAPI has beside the scenarios: dependencies, plain `def` endpoints, closed by default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from doorward import actions
from doorward.core.action import Needs
from doorward.core.ports import Unavailable
from doorward.core.refusals import Misconfigured
from doorward.core.session import Identity
from doorward.fastapi import Auth, CurrentUser, MaybeUser, needs, public
from doorward.testing.doubles import CHEAP, SECRET, Clock, MailBox
from tests.http.bare import FreeLimits
from tests.scenarios.client import Client
from tests.scenarios.people import ANN, set_up_app, sign_up
from tests.test_asgi import Running

ORIGIN = "https://app.example.com"


@pytest.fixture
def app() -> FastAPI:
    return FastAPI()


@pytest.fixture
def auth(app: FastAPI) -> Iterator[Auth]:
    made = Auth(app, "sqlite://", **options())
    yield made
    made.close()


def options(**more: Any) -> dict[str, Any]:
    given = {"secret": SECRET, "origin": ORIGIN, "mail": MailBox(), "clock": Clock()}
    return {**given, "limits": FreeLimits(), "passwords": CHEAP, **more}


def test_as_the_first_page_of_the_documentation_says(app: FastAPI, auth: Auth) -> None:
    @app.get("/me")
    async def me(user: CurrentUser) -> dict[str, Any]:
        return {"email": user.email}

    host = Running(app, auth)
    refused = Client(host).send("GET", "/me")
    assert (refused.status, refused.reason) == (401, "not_signed_in")
    assert sign_up(host).send("GET", "/me").json == {"email": ANN}


def test_a_plain_endpoint_may_call(app: FastAPI, auth: Auth) -> None:
    @app.get("/sessions")
    def sessions(user: CurrentUser) -> int:
        return len(auth.do(actions.sessions.list_sessions).items)

    @app.post("/change")
    async def change(user: CurrentUser) -> None:
        await auth.ado(actions.password.change, current_password="not it", new_password="y" * 20)

    ann = sign_up(Running(app, auth))
    assert ann.send("GET", "/sessions").json == 1
    refused = ann.send("POST", "/change")
    assert (refused.status, refused.reason) == (401, "wrong_credentials")


def test_a_token_that_is_none_is_told_and_not_taken_for_nobodys(app: FastAPI, auth: Auth) -> None:
    @app.get("/hello")
    async def hello(user: MaybeUser) -> str:
        return user.email or "" if user else "stranger"

    host = Running(app, auth)
    assert Client(host).send("GET", "/hello").json == "stranger"
    refused = Client(host, bearer="x").send("GET", "/hello")
    assert refused.header("www-authenticate") == 'Bearer realm="doorward", error="invalid_token"'
    assert sign_up(host).send("GET", "/hello").header("vary") == "Cookie, Authorization"


def test_an_endpoint_may_want_a_fresh_proof(app: FastAPI, auth: Auth) -> None:
    @app.get("/payout")
    async def payout(identity: Annotated[Identity, needs(Needs.FRESH)]) -> int:
        return identity.aal

    host = Running(app, auth)
    ann = sign_up(host)
    assert ann.send("GET", "/payout").json == 1
    host.clock.forward(minutes=11)
    assert ann.send("GET", "/payout").reason == "fresh_proof_required"


@pytest.mark.parametrize(
    "target",
    [
        *("/private?x=/docs", "/docs/../private", "/docs/%2e%2e/private", "//private", "/private/", "/private;/docs"),
        *("/%70rivate", "/PRIVATE", "/docs@/private", "/private#/docs", "http://docs/private", "/docs%2f..%2fprivate"),
    ],
)
@pytest.mark.parametrize("name", ["app.example.com", "app.example.com/docs?x=", "docs", ""])
def test_no_spelling_makes_a_closed_route_public(app: FastAPI, auth: Auth, target: str, name: str) -> None:
    """What decides is the route that will answer, never a URL put together from Host and path (CVE-2026-48710)."""
    auth.protect(app, public=["/docs"])

    @app.get("/private")
    async def private() -> str:
        return "private"

    answer = Client(Running(app, auth)).send("GET", target, headers={"Host": name})
    assert "private" not in answer.text.replace(target, "")
    assert answer.status in (307, 400, 401, 404)


def test_what_is_closed_may_want_more_of_everybody(app: FastAPI, auth: Auth) -> None:
    auth.protect(app, aal=2)

    @app.get("/private")
    async def private() -> str:
        return "private"

    @app.get("/front")
    @public
    async def front() -> str:
        return "front"

    host: Any = Running(app, auth)
    assert Client(host).send("GET", "/private").reason == "not_signed_in"
    ann = sign_up(host)
    assert ann.send("GET", "/private").reason == "second_factor_required"
    assert ann.send("GET", "/front").json == "front"
    set_up_app(host, ann)
    assert ann.send("GET", "/private").json == "private"


def test_closed_by_default_is_one_line(app: FastAPI, auth: Auth) -> None:
    auth.protect(app, public=["/docs"])
    router = APIRouter(prefix="/inner")

    @app.get("/private")
    async def private() -> str:
        return "private"

    @app.get("/front")
    @public
    async def front() -> str:
        return "front"

    @router.get("/private")
    async def inner() -> str:
        return "inner"

    @router.get("/front")
    @public
    async def inner_front() -> str:
        return "inner front"

    @app.get("/both")
    @public
    async def read() -> str:
        return "read"

    @app.post("/both")
    async def write() -> str:
        raise AssertionError("written")

    app.include_router(router)
    app.mount("/files", FastAPI())
    host = Running(app, auth)
    stranger = Client(host)
    closed = ("/private", "/inner/private", "/files/x", "/openapi.json")
    assert {path: stranger.send("GET", path).status for path in closed} == dict.fromkeys(closed, 401)
    opened = ("/front", "/inner/front", "/docs", "/auth/jwks.json")
    assert {path: stranger.send("GET", path).status for path in opened} == dict.fromkeys(opened, 200)
    assert stranger.send("GET", "/both").json == "read"
    assert {stranger.send("POST", path).status for path in ("/both", "/private", "/nowhere")} == {401}
    ann = sign_up(host)
    assert ann.send("GET", "/private").json == "private"
    assert ann.send("GET", "/nowhere").status == 404


def test_a_store_that_is_away_is_503(app: FastAPI, auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    @app.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.id

    ann = sign_up(Running(app, auth))

    def away(colour: str) -> Any:
        raise Unavailable("the database is gone")

    monkeypatch.setattr(auth.stores, "unit", away)
    for path in ("/me", "/auth/session"):
        refused = ann.send("GET", path)
        assert (refused.status, refused.header("retry-after"), refused.cookies) == (503, "2", {}), path


def test_a_websocket_of_a_stranger_is_closed(app: FastAPI, auth: Auth) -> None:
    @app.websocket("/live")
    async def live(websocket: WebSocket, user: CurrentUser) -> None:
        await websocket.accept()
        await websocket.send_text(user.email or "")

    ann = sign_up(Running(app, auth))
    client = TestClient(app)
    own = {"Host": "app.example.com", "Cookie": f"__Host-doorward={ann.session}", "Origin": ORIGIN}
    with client.websocket_connect("/live", headers=own) as socket:
        assert socket.receive_text() == ANN
    for strange, reason in (
        ({"Cookie": ""}, "not_signed_in"),
        ({"Origin": "https://evil.example"}, "csrf_failed"),
        ({"Authorization": "Bearer x"}, "invalid_bearer"),
    ):
        connecting = client.websocket_connect("/live", headers={**own, **strange})
        with pytest.raises(WebSocketDisconnect) as closed, connecting:
            raise AssertionError("let in")
        assert (closed.value.code, closed.value.reason) == (1008, reason)


def test_what_developers_do_wrong_is_said(app: FastAPI, auth: Auth) -> None:
    with pytest.raises(Misconfigured, match=r"fastapi\.E1"):
        Auth(app, "sqlite://", **options())
    with pytest.raises(Misconfigured, match=r"fastapi\.E2"):
        auth.protect(FastAPI())
    with pytest.raises(Misconfigured, match=r"fastapi\.E4"):
        auth.protect(app, public="/news")
    auth.protect(app, aal=2)
    with pytest.raises(Misconfigured, match=r"fastapi\.E5"):
        auth.protect(app, public=["/health"])
    bare = FastAPI()

    @bare.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.id

    with pytest.raises(Misconfigured, match=r"fastapi\.E3"):
        TestClient(bare).get("/me")


def test_a_closed_application_hangs_up_on_strangers(app: FastAPI, auth: Auth) -> None:
    auth.protect(app)

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        raise AssertionError("let in")

    connecting = TestClient(app).websocket_connect("/live", headers={"Host": "app.example.com"})
    with pytest.raises(WebSocketDisconnect) as closed, connecting:
        raise AssertionError("connected")
    assert closed.value.code == 1008
