"""What a project may have got wrong is said at `manage.py check` or at start, with the cure."""

import os
import subprocess
import sys
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.core.checks import run_checks
from django.test import RequestFactory, override_settings

from doorward.core.action import Wants
from doorward.core.finish import finish
from doorward.core.ports import Unavailable
from doorward.core.records import Account
from doorward.core.refusals import Misconfigured
from doorward.django import conf, runtime
from doorward.django.decorators import public
from doorward.django.middleware import ClosedMiddleware
from doorward.django.store import DjangoStores
from tests.django import databases, sites
from tests.django.test_users import make
from tests.scenarios.client import Browser
from tests.scenarios.people import set_up_app, sign_in
from tests.stores.records import RECORDS

OURS = "doorward.django.middleware.AuthenticationMiddleware"
DJANGOS = "django.contrib.auth.middleware.AuthenticationMiddleware"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
STRONG = "Zq8vT1nXw5bKe3RmYc7LgJ2sHd9PfUa4-oi6NtVhBkE0"


def found(**changed: Any) -> set[str]:
    with override_settings(**changed):
        return {str(message.id) for message in run_checks(databases=["default"]) if "doorward" in str(message.id)}


def middleware(*replaced: str) -> list[str]:
    return [line for one in settings.MIDDLEWARE for line in (replaced if one == OURS else (one,))]


def database(**options: Any) -> dict[str, Any]:
    return {"default": {**settings.DATABASES["default"], **options}}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, set()),
        ({"MIDDLEWARE": middleware()}, {"doorward.E001"}),
        ({"MIDDLEWARE": middleware(DJANGOS)}, {"doorward.E001"}),
        ({"MIDDLEWARE": middleware(DJANGOS, OURS)}, {"doorward.E001"}),
        ({"AUTHENTICATION_BACKENDS": [MODEL_BACKEND]}, {"doorward.E002"}),
        ({"AUTHENTICATION_BACKENDS": [conf.BACKEND, MODEL_BACKEND]}, {"doorward.E003"}),
        ({"PASSWORD_HASHERS": ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]}, {"doorward.W001"}),
        ({"ROOT_URLCONF": "django.contrib.staticfiles.urls"}, {"doorward.E004"}),
        ({"LOGIN_URL": "/accounts/login/"}, {"doorward.W002"}),
        ({"LOGIN_URL": "/auth/sign-in"}, set()),
        ({"USE_TZ": False}, {"doorward.E005"}),
        ({"DOORWARD": {"ORIGIN": "https://app.example.com", "DATABASE": "other"}}, {"doorward.E008"}),
        ({"SESSION_COOKIE_SECURE": False}, {"doorward.W003"}),
        ({"CSRF_COOKIE_SECURE": False, "DOORWARD": {"ORIGIN": "http://localhost:8000"}}, set()),
        ({"DOORWARD": {}}, {"doorward.E008"}),
        ({"DOORWARD": {"ORIGIN": "http://app.example.com"}}, {"doorward.E008"}),
        ({"DOORWARD": {"ORIGIN": "https://app.example.com", "COLOUR": "red"}}, {"doorward.E008"}),
        ({"DOORWARD": {"ORIGIN": "https://app.example.com", "DATABASE_URL": "sqlite://"}}, {"doorward.E008"}),
        ({"DOORWARD": ["https://app.example.com"]}, {"doorward.E008"}),
        ({"SECRET_KEY": "django-insecure-" + STRONG}, {"doorward.E008"}),
        ({"SECRET_KEY": "short"}, {"doorward.E008"}),
        ({"SECRET_KEY": "short", "DOORWARD": {"ORIGIN": "https://app.example.com", "SECRET": STRONG}}, set()),
        ({"SECRET_KEY": "django-insecure-" + STRONG, "DEBUG": True}, set()),
        ({"DOORWARD": {}, "DEBUG": True}, set()),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_check_says_what_is_wrong(changed: dict[str, Any], expected: set[str]) -> None:
    assert found(**changed) == expected


def test_sqlite_begins_its_transactions_as_a_writer() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.django.settings_of_a_beginner"}
    command = [sys.executable, "-m", "django", "check", "--database", "default"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "doorward.E007" in done.stderr
    assert '"transaction_mode": "IMMEDIATE"' in done.stderr


def test_sessions_survive_a_new_secret_key_while_the_old_one_is_a_fallback() -> None:
    databases.empty()
    make()
    browser, site = Browser(sites.Wsgi("", secret=None)), None
    assert sign_in(browser).status == 200
    old = settings.SECRET_KEY
    for changed, email in (
        ({"SECRET_KEY": STRONG, "SECRET_KEY_FALLBACKS": [old]}, "ann@example.com"),
        ({"SECRET_KEY": STRONG, "SECRET_KEY_FALLBACKS": []}, None),
    ):
        with override_settings(**changed):
            site = browser.host = sites.Wsgi("", secret=None)
            assert browser.send("GET", "/who").json == {"email": email}
            site.close()


def test_features_are_those_of_the_project() -> None:
    given = {"ORIGIN": "https://app.example.com", "FEATURES": "tests.django.test_setup.few_features"}
    with override_settings(DOORWARD=given):
        assert set(runtime.auth().doorward.actions) == {"sign_out"}
        assert runtime.auth().parts.prefix == "/auth"


def few_features() -> list[object]:
    return [runtime.auth.__globals__["conf"].presets.SignOut()]


def test_a_database_without_our_tables_is_told_about(tmp_path: Any) -> None:
    databases.add("bare", f"sqlite:///{tmp_path}/bare.db")
    with pytest.raises(Misconfigured, match=r"manage\.py migrate"):
        count("bare")
    databases.remove("bare")


def test_a_database_out_of_reach_is_unavailable(tmp_path: Any) -> None:
    databases.add("away", "postgresql://postgres@127.0.0.1:1/none")
    with pytest.raises(Unavailable):
        count("away")
    databases.remove("away")


def count(alias: str) -> int:
    async def counted() -> int:
        async with DjangoStores(RECORDS, alias).unit("sync") as store:
            return await store.count(Account)

    return finish(counted())


@pytest.mark.parametrize("route", ["/who", "/awho", "/auth/session"])
def test_while_the_database_is_away_nobody_is_signed_out(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    databases.empty()
    make()
    for kind in (sites.Wsgi, sites.Asgi):
        site = kind("")
        browser = Browser(site)
        assert sign_in(browser).status == 200
        with monkeypatch.context() as broken:
            broken.setattr("doorward.django.store.DjangoStore._fetched", _away)
            answer = browser.send("GET", route)
        assert (answer.status, answer.cookies) == (503, {})
        assert int(answer.header("retry-after")) > 0
        assert browser.send("GET", "/who").json == {"email": "ann@example.com"}
        site.close()


def _away(*_: object) -> None:
    raise Unavailable("away")


class Strict(ClosedMiddleware):
    wants: ClassVar[Wants] = {"aal": 2}


def test_a_mark_of_somebody_elses_opens_nothing_that_is_closed_with_wants() -> None:
    """Packages mark views of theirs `login_required = False`, and open them to everybody."""
    databases.empty()
    site = sites.Wsgi("")
    asked = RequestFactory().get("/who", headers={"Host": "app.example.com"})
    asked.user = AnonymousUser()
    foreign, ours = login_not_required(lambda request: None), public(lambda request: None)
    assert Strict(lambda request: None).process_view(asked, foreign, (), {}).status_code == 401
    assert Strict(lambda request: None).process_view(asked, ours, (), {}) is None
    site.close()


def test_what_is_wanted_is_checked_at_start() -> None:
    wrong = type("Wrong", (ClosedMiddleware,), {"wants": {"aall": 2}})
    with pytest.raises(Misconfigured, match=r"needs\.E1"):
        wrong(lambda request: None)


@pytest.mark.parametrize("closing", ["Strict", "Plain"])
def test_what_is_closed_says_so_when_the_database_is_away(closing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    databases.empty()
    make()
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, f"{__name__}.{closing}"]):
        site = sites.Wsgi("")
        browser = Browser(site)
        assert sign_in(browser).status == 200
        monkeypatch.setattr("doorward.django.store.DjangoStore._fetched", _away)
        answer = browser.send("GET", "/who")
        assert answer.status == 503
        assert int(answer.header("retry-after")) > 0
        site.close()


class Plain(ClosedMiddleware):
    """As it comes."""


@pytest.mark.parametrize("kind", [sites.Wsgi, sites.Asgi])
def test_what_is_closed_may_want_more_of_everybody(kind: Any) -> None:
    databases.empty()
    make()
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, f"{__name__}.Strict"]):
        site = kind("")
        browser = Browser(site)
        assert browser.send("GET", "/who").reason == "not_signed_in"
        assert sign_in(browser).status == 200
        assert browser.send("GET", "/who").reason == "second_factor_required"
        assert browser.send("GET", "/open").text == "open"
        set_up_app(site, browser)
        assert browser.send("GET", "/who").json == {"email": "ann@example.com"}
        site.close()


class TestClosed:
    @pytest.fixture(params=[sites.Wsgi, sites.Asgi])
    def site(self, request: pytest.FixtureRequest) -> Any:
        databases.empty()
        lines = [*settings.MIDDLEWARE, "doorward.django.middleware.ClosedMiddleware"]
        with override_settings(MIDDLEWARE=lines):
            started = request.param("")
            yield started
            started.close()

    def test_everything_is_closed_but_what_is_public(self, site: Any) -> None:
        browser = Browser(site)
        assert browser.send("GET", "/open").text == "open"
        assert browser.send("GET", "/who").status == 401
        assert browser.page("/sign-in").status == 200
        assert browser.send("GET", "/nowhere").status == 404
        make()
        assert sign_in(browser).status == 200
        assert browser.send("GET", "/who").json == {"email": "ann@example.com"}

    def test_browsers_go_and_sign_in(self, site: Any) -> None:
        away = Browser(site).send("GET", "/who?a=b", headers={"Accept": "text/html"})
        assert (away.status, away.header("location")) == (303, "/auth/sign-in?return_to=%2Fwho%3Fa%3Db")
