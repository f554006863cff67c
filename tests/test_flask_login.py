"""Flask-Login's own names work on Doorward's sessions, and what Flask-Login itself stored opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_login import current_user, encode_cookie, fresh_login_required, login_required, login_user, logout_user
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from doorward.core.refusals import Misconfigured
from doorward.features.access_tokens import AccessTokens
from doorward.features.password import Password
from doorward.flask import Auth
from doorward.flask_login import LoginManager
from doorward.limits import MemoryLimits
from doorward.stores.tables import UserTable
from doorward.testing.doubles import CHEAP, Clock
from tests.http.bare import PlainViews
from tests.scenarios.client import Answer, Browser, Client, Pairs
from tests.scenarios.hosts.flask import call_wsgi

PASSWORD = "correct horse battery staple"
HTML = {"Accept": "text/html"}


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    password: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)


class FlaskLoginHost:
    """An application as Flask-Login's own documentation draws it, without a `user_loader` until one is set."""

    origin = "https://app.example.com"

    def __init__(self, path: Path, *features: Any) -> None:
        url = f"sqlite:///{path}/app.db"
        self.engine = create_engine(url)
        Base.metadata.create_all(self.engine)
        with Session(self.engine) as session:
            session.add(Person(email="ada@example.com", password=CHEAP.hash(PASSWORD, salt=b"s" * 16)))
            session.commit()
        self.app = app = Flask("flask-login")
        app.secret_key = "h0rT-vK2x_9QwLm4ZbNs7YcPdJf1gRa8"
        clock = Clock()
        parts: dict[str, Any] = {"clock": clock, "limits": MemoryLimits(clock), "passwords": CHEAP}
        users = UserTable(Person, password="password", active="is_active")
        mail = {"mail": lambda messages: None, "views": PlainViews()}
        self.auth = Auth(app, url, *features, origin=self.origin, users=users, **parts, **mail)
        self.manager = LoginManager(app)
        _add_routes(app)

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        return call_wsgi(self.app.wsgi_app, method, target, headers, body, peer)

    def change(self, **values: Any) -> None:
        """What the host does to its only user behind our back."""
        with Session(self.engine) as session:
            for name, value in values.items():
                setattr(session.scalars(select(Person)).one(), name, value)
            session.commit()

    def close(self) -> None:
        self.auth.stores.close()
        self.engine.dispose()


def _add_routes(app: Flask) -> None:
    @app.get("/who")
    def who() -> dict[str, Any]:
        known = current_user.is_authenticated
        return {"email": current_user.email if known else None, "id": current_user.get_id(), "kind": _kind()}

    @app.route("/closed", methods=["GET", "POST"])
    @login_required
    def closed() -> str:
        return str(current_user.email)

    @app.get("/fresh")
    @fresh_login_required
    def fresh() -> str:
        return "fresh"

    @app.post("/classic-login")
    def classic_login() -> str:
        login_user(_Stranger())
        return "in"

    @app.post("/logout")
    def logout() -> dict[str, Any]:
        logout_user()
        return {"known": current_user.is_authenticated}


def _kind() -> str:
    return type(current_user._get_current_object()).__name__


class _Stranger:
    is_active = is_authenticated = True
    email = "eve@example.com"

    def get_id(self) -> str:
        return "1"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[FlaskLoginHost]:
    started = FlaskLoginHost(tmp_path)
    yield started
    started.close()


def signed_in(host: FlaskLoginHost) -> Browser:
    browser = Browser(host)
    assert browser.post("/sign-in/password", identifier="ada@example.com", password=PASSWORD).status == 200
    return browser


def get(client: Client, path: str, headers: dict[str, str] | None = None) -> Answer:
    return client.send("GET", path, headers=headers)


def test_a_session_of_ours_is_flask_logins_current_user(host: FlaskLoginHost) -> None:
    browser = signed_in(host)
    assert get(browser, "/closed").text == "ada@example.com"
    assert get(browser, "/who").json == {"email": "ada@example.com", "id": "1", "kind": "Person"}


def test_an_access_token_is_flask_logins_current_user(host: FlaskLoginHost) -> None:
    program = Client(host)
    given = {"identifier": "ada@example.com", "password": PASSWORD, "issue": "tokens"}
    program.bearer = program.post("/sign-in/password", **given).json["tokens"]["access_token"]
    assert get(program, "/closed").text == "ada@example.com"
    program.bearer += "A"
    assert get(program, "/closed").status == 401
    assert get(program, "/closed").header("WWW-Authenticate") == 'Bearer realm="doorward", error="invalid_token"'


def test_nobody_is_anonymous_and_sent_to_sign_in(host: FlaskLoginHost) -> None:
    assert get(Client(host), "/who").json == {"email": None, "id": None, "kind": "AnonymousUserMixin"}
    assert get(Client(host), "/closed").reason == "not_signed_in"
    answer = get(Browser(host), "/closed", HTML)
    assert (answer.status, answer.header("location")) == (303, "/auth/sign-in?return_to=%2Fclosed")


def test_a_login_view_of_the_host_is_kept(host: FlaskLoginHost) -> None:
    host.manager.login_view = "/welcome"
    answer = get(Browser(host), "/closed", HTML)
    assert (answer.status, answer.header("location")) == (302, "/welcome?next=%2Fclosed")


@pytest.mark.parametrize("loads", [False, True], ids=["without a loader", "with a loader"])
def test_what_flask_login_stored_opens_nothing(host: FlaskLoginHost, loads: bool) -> None:
    """Rule 20. The cookies are forged with the application's own key, as old ones of Flask-Login's are."""
    if loads:
        host.manager.user_loader(lambda id: _Stranger())
    signer = SecureCookieSessionInterface().get_signing_serializer(host.app)
    assert signer is not None
    left = {"_user_id": "1", "_id": "any", "_fresh": True, "_remember": "set"}
    with host.app.app_context():
        cookies = {"session": signer.dumps(left), "remember_token": encode_cookie("1")}
    assert get(Browser(host, cookies=dict(cookies)), "/who").json["email"] is None
    assert get(Browser(host, cookies=dict(cookies)), "/closed").status == 401
    assert get(Browser(host, cookies=dict(cookies)), "/fresh").status == 401


def test_a_forged_entry_does_not_make_a_session_fresh(host: FlaskLoginHost) -> None:
    signer = SecureCookieSessionInterface().get_signing_serializer(host.app)
    assert signer is not None
    browser = signed_in(host)
    browser.cookies["session"] = signer.dumps({"_user_id": "1", "_fresh": True})
    host.app.testing = True
    with pytest.raises(Misconfigured, match=r"flask_login.E4"):
        get(browser, "/fresh")


def test_a_user_loader_is_asked_for_who_is_signed_in(host: FlaskLoginHost) -> None:
    asked = []

    @host.manager.user_loader
    def load(id: str) -> Any:
        asked.append(id)
        return _Stranger()

    get(Client(host), "/who")
    assert asked == []
    assert get(signed_in(host), "/who").json["kind"] == "_Stranger"
    assert asked == ["1"]


def test_a_user_whom_the_loader_does_not_find_is_nobody(host: FlaskLoginHost) -> None:
    host.manager.user_loader(lambda id: None)
    assert get(signed_in(host), "/closed").status == 401


def test_there_is_no_second_way_in(host: FlaskLoginHost) -> None:
    with pytest.raises(Misconfigured, match=r"flask_login.E1"):
        host.manager.request_loader(lambda request: _Stranger())
    with pytest.raises(Misconfigured, match=r"flask_login.E1"):
        host.manager.header_loader(lambda header: _Stranger())


def test_login_user_signs_nobody_in_and_names_the_cure(host: FlaskLoginHost) -> None:
    browser = Browser(host)
    host.app.testing = True
    with pytest.raises(Misconfigured, match=r"flask_login.E2.*auth.do"):
        browser.send("POST", "/classic-login")
    host.app.testing = False
    assert browser.send("POST", "/classic-login").status == 500
    assert get(browser, "/closed").status == 401


def test_logout_user_ends_our_session(host: FlaskLoginHost) -> None:
    browser = signed_in(host)
    copied = dict(browser.cookies)
    assert browser.send("POST", "/logout").json == {"known": False}
    assert browser.session == ""
    assert get(Browser(host, cookies=copied), "/closed").status == 401


def test_logout_from_another_site_ends_nothing(host: FlaskLoginHost) -> None:
    browser = signed_in(host)
    answer = browser.send("POST", "/logout", headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert answer.reason == "csrf_failed"
    assert get(browser, "/closed").status == 200


def test_a_write_from_another_site_is_nobodys(host: FlaskLoginHost) -> None:
    browser = signed_in(host)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert browser.send("POST", "/closed", headers=foreign).reason == "csrf_failed"
    assert browser.send("POST", "/closed").status == 200


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "!"}], ids=["disabled", "password changed"])
def test_what_the_host_changes_ends_the_session(host: FlaskLoginHost, change: dict[str, Any]) -> None:
    browser = signed_in(host)
    host.change(**change)
    assert get(browser, "/closed").status == 401


def test_no_user_is_carried_from_one_request_into_the_next(host: FlaskLoginHost) -> None:
    """Inside an application context that somebody pushed, Flask's `g` outlives the request."""
    browser = signed_in(host)
    with host.app.app_context():
        assert get(browser, "/closed").status == 200
        assert get(Client(host), "/closed").status == 401


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    app = Flask("without-auth")
    app.testing = True
    LoginManager(app)
    _add_routes(app)
    with pytest.raises(Misconfigured, match=r"flask.E2"):
        app.test_client().get("/who")
    host = FlaskLoginHost(tmp_path, Password(), AccessTokens())
    host.app.testing = True
    with pytest.raises(Misconfigured, match=r"flask_login.E3"):
        Client(host).send("POST", "/logout")
    host.close()
