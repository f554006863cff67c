"""What Flask has beside the scenarios: decorators, the host's own user table and session, and failures of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, abort
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

from doorward import actions
from doorward.core.events import SignedUp
from doorward.core.ports import Unavailable
from doorward.core.refusals import Misconfigured
from doorward.flask import Auth, current_user
from doorward.stores.tables import UserTable
from doorward.testing.doubles import CHEAP, SECRET, Clock, MailBox
from tests.http.bare import FreeLimits
from tests.scenarios.client import Answer, Browser, Client, Pairs
from tests.scenarios.hosts.flask import call_wsgi
from tests.scenarios.people import ANN, PASSWORD, sign_in, sign_up

ORIGIN = "https://app.example.com"
STRONG = "flask-W7rT2kQx9Lm4Vz8Np1Sb6Yd3Hc5Jf0Ga"


class Running:
    """A Flask application as the scenarios' clients see a host."""

    def __init__(self, app: Flask, mail: MailBox, clock: Clock, origin: str = ORIGIN) -> None:
        self.app, self.mail, self.clock, self.origin = app, mail, clock, origin

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        return call_wsgi(self.app.wsgi_app, method, target, headers, body, peer)


def run(app: Flask, auth: Auth) -> Running:
    return Running(app, auth.parts.mail, auth.parts.clock, str(auth.settings.origin))  # type: ignore[arg-type]


def options(**more: Any) -> dict[str, Any]:
    given = {"origin": ORIGIN, "mail": MailBox(), "clock": Clock(), "limits": FreeLimits(), "passwords": CHEAP}
    return {**given, **more}


@pytest.fixture
def app() -> Flask:
    app = Flask("app")
    app.secret_key = STRONG
    return app


@pytest.fixture
def auth(app: Flask) -> Iterator[Auth]:
    made = Auth(app, "sqlite://", **options())
    yield made
    made.close()


def test_as_the_first_page_of_the_documentation_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLASK_SECRET_KEY", STRONG)
    app = Flask("app")
    app.config.from_prefixed_env()
    auth = Auth(app, f"sqlite:///{tmp_path}/app.db", **options())

    @app.get("/me")
    @auth.login_required
    def me() -> dict[str, Any]:
        return {"email": current_user.email}

    host = run(app, auth)
    assert Client(host).send("GET", "/me").status == 401
    assert sign_up(host).send("GET", "/me").json == {"email": ANN}
    auth.close()


def test_an_application_factory(app: Flask) -> None:
    auth = Auth(database="sqlite://", **options())
    heard: list[str] = []
    auth.on(SignedUp)(lambda event: heard.append(event.user_id))

    @app.get("/me")
    @auth.login_required
    def me() -> str:
        return str(current_user.email)

    auth.init_app(app)
    assert sign_up(run(app, auth)).send("GET", "/me").text == ANN
    assert len(heard) == 1
    auth.close()


def test_another_site_is_nobody_on_the_hosts_own_routes(app: Flask, auth: Auth) -> None:
    @app.post("/pay")
    @auth.login_required
    def pay() -> str:
        return "paid"

    ann = sign_up(run(app, auth))
    assert ann.send("POST", "/pay").text == "paid"
    refused = ann.send("POST", "/pay", headers={"Origin": "https://evil.example"})
    assert (refused.status, refused.reason) == (403, "csrf_failed")


def test_what_a_call_refuses_is_an_answer(app: Flask, auth: Auth) -> None:
    @app.post("/change")
    def change() -> str:
        auth.do(actions.password.change, current_password="wrong wrong wrong", new_password="x" * 20)
        return "changed"

    host = run(app, auth)
    assert Client(host).send("POST", "/change").reason == "not_signed_in"
    assert sign_up(host).send("POST", "/change").status in (400, 401)


def test_a_page_that_asks_who_it_is_says_so_to_caches(app: Flask, auth: Auth) -> None:
    @app.get("/hello")
    def hello() -> str:
        return f"hello {current_user.email if current_user.is_authenticated else 'stranger'}"

    @app.get("/plain")
    def plain() -> str:
        return "the same for all"

    host = run(app, auth)
    answer = Client(host).send("GET", "/hello")
    assert (answer.text, answer.header("vary")) == ("hello stranger", "Cookie, Authorization")
    assert Client(host).send("GET", "/plain").header("vary") is None


def test_a_store_that_is_away_is_503_and_signs_nobody_out(
    app: Flask, auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    @app.get("/me")
    @auth.login_required
    def me() -> str:
        return str(current_user.email)

    ann = sign_up(run(app, auth))
    session = ann.session

    def away(colour: str) -> Any:
        raise Unavailable("the database is gone")

    monkeypatch.setattr(auth.stores, "unit", away)
    for path in ("/me", "/auth/session", "/auth/"):
        refused = ann.send("GET", path)
        assert (refused.status, refused.header("retry-after"), refused.cookies) == (503, "2", {}), path
    monkeypatch.undo()
    assert ann.session == session
    assert ann.send("GET", "/me").text == ANN


def test_a_mistake_of_ours_is_500_without_a_word(
    app: Flask, auth: Auth, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(colour: str) -> Any:
        raise ZeroDivisionError("inner workings")

    monkeypatch.setattr(auth.stores, "unit", broken)
    answer = sign_in(Client(run(app, auth)))
    assert (answer.status, answer.header("content-type")) == (500, "application/problem+json")
    assert "inner workings" not in answer.text
    assert "inner workings" in caplog.text


def test_flasks_own_errors_stay_flasks_own(app: Flask, auth: Auth) -> None:
    @app.get("/teapot")
    def teapot() -> str:
        abort(418)

    assert Client(run(app, auth)).send("GET", "/teapot").status == 418


def test_a_large_body_is_not_read(app: Flask, auth: Auth) -> None:
    host = run(app, auth)
    app.config["MAX_CONTENT_LENGTH"] = 1000
    assert Client(host).raw("/sign-up", b"x" * 70_000).reason == "too_large"
    assert Client(host).raw("/sign-up", b"x" * 2000).reason == "too_large"


def test_without_the_servers_raw_path_nothing_is_decoded_twice(app: Flask, auth: Auth) -> None:
    def without(environ: dict[str, Any], start: Any) -> Any:
        environ.pop("REQUEST_URI", None)
        return app.wsgi_app(environ, start)

    def ask(path: str) -> int:
        headers = [("Host", "app.example.com")]
        return call_wsgi(without, "GET", path, headers, b"", "192.0.2.1").status

    assert ask("/auth/session") == 401
    assert ask("/auth/session%2525") == 404
    assert ask("/auth//session") == 404


def test_below_another_path_the_prefix_is_whole(app: Flask, auth: Auth) -> None:
    def mounted(environ: dict[str, Any], start: Any) -> Any:
        return app.wsgi_app({**environ, "SCRIPT_NAME": "/shop", "PATH_INFO": environ["PATH_INFO"][5:]}, start)

    headers = [("Host", "app.example.com"), ("Accept", "text/html")]
    answer = call_wsgi(mounted, "GET", "/shop/auth/", headers, b"", "192.0.2.1")
    assert answer.header("location") == "/shop/auth/sign-in?return_to=%2Fshop%2Fauth%2F"


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1:5000", "[::1]:8080", "app.localhost"])
def test_while_debugging_any_loopback_address_does(app: Flask, host: str) -> None:
    app.debug = True
    given = options()
    del given["origin"]
    auth = Auth(app, "sqlite://", **given)
    ann = Browser(Running(app, given["mail"], given["clock"], f"http://{host}"))
    ann.post("/sign-up", email=ANN, password=PASSWORD)
    done = ann.post("/email/verify", code=given["mail"].code())
    assert done.status == 200, done.text
    port = host.rpartition(":")[2] if ":" in host else "80"
    assert f"doorward-{port}" in ann.cookies
    assert not any("secure" in cookie for cookie in done.cookies.values())
    elsewhere = ann.get("/session", {"Host": "evil.example"})
    assert elsewhere.status == 400
    auth.close()


def test_two_of_them_are_one_too_many(app: Flask, auth: Auth) -> None:
    with pytest.raises(Misconfigured, match=r"flask\.E1"):
        Auth(app, "sqlite://", **options())


def test_a_weak_secret_key_is_no_start(app: Flask) -> None:
    app.secret_key = "dev"
    with pytest.raises(Misconfigured, match=r"secret_key"):
        Auth(app, "sqlite://", **options())


def test_current_user_without_an_auth_is_said() -> None:
    with Flask("bare").test_request_context(), pytest.raises(Misconfigured, match=r"flask\.E2"):
        bool(current_user)


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "person"

    number: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    nickname: Mapped[str] = mapped_column(default="nobody's")


def test_the_hosts_own_users_in_its_own_session(app: Flask, tmp_path: Path) -> None:
    """`current_user` is the host's row, of the session that its view uses."""
    url = f"sqlite:///{tmp_path}/app.db"
    engine = sa.create_engine(url)
    session = scoped_session(sessionmaker(engine))
    users = UserTable(Person, id="number", email="email")
    auth = Auth(app, url, users=users, session=lambda: session, **options())
    Base.metadata.create_all(engine)

    @app.post("/rename")
    @auth.login_required
    def rename() -> dict[str, Any]:
        current_user.nickname = "Annie"
        session.commit()
        return {"number": current_user.number}

    @app.teardown_appcontext
    def end(error: object) -> None:
        session.remove()

    host = run(app, auth)
    ann = sign_up(host)
    assert ann.send("POST", "/rename").json == {"number": 1}
    with engine.connect() as connection:
        assert connection.execute(sa.text("select email, nickname from person")).all() == [(ANN, "Annie")]
    assert sign_in(Client(host), issue="tokens").status == 200
    auth.close()
    engine.dispose()


@pytest.mark.parametrize("how", ["orm", "sql", "table made before"])
def test_who_gets_the_key_of_a_deleted_user_gets_nothing_else(app: Flask, tmp_path: Path, how: str) -> None:
    """SQLite gives keys again. Neither the session nor the password of who had it opens the next one's account."""
    url = f"sqlite:///{tmp_path}/app.db"
    engine = sa.create_engine(url)
    session = scoped_session(sessionmaker(engine))
    if how == "table made before":
        Base.metadata.create_all(engine)
    users = UserTable(Person, id="number", email="email")
    auth = Auth(app, url, users=users, session=lambda: session, **options())
    Base.metadata.create_all(engine)
    app.teardown_appcontext(lambda error: session.remove())
    host = run(app, auth)
    ann = sign_up(host)
    with session() as work:
        if how == "sql":
            work.execute(sa.text("DELETE FROM person"))
        else:
            work.delete(work.get_one(Person, 1))
        work.commit()
        work.add(Person(email="ben@example.com"))
        work.commit()
        assert work.scalar(sa.select(Person.number)) == 1
    assert ann.get("/session").status == 401
    assert sign_in(Client(host)).status == 401
    assert sign_up(host).session  # and the address is free again
    auth.close()
    engine.dispose()


def test_a_secret_of_doorwards_own_wins(app: Flask) -> None:
    app.secret_key = "dev"
    auth = Auth(app, "sqlite://", **options(secret=SECRET))
    assert auth.settings.secret[0][0] == "house"
    auth.close()
