"""User models as projects have them: other keys, no user name, no password column, names to sign in by of any type."""

import logging
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import override_settings

from doorward.core.finish import finish
from doorward.core.records import User
from doorward.django.homes import LONG_AGO
from doorward.django.store import DjangoStores
from tests.django import databases, sites
from tests.django.people.models import Clerk, Guest, Member
from tests.scenarios.client import Browser
from tests.scenarios.people import PASSWORD, sign_in, sign_up

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def member_site() -> Iterator[sites.Wsgi]:
    yield from site_for("people.Member")


@pytest.fixture
def guest_site() -> Iterator[sites.Wsgi]:
    yield from site_for("people.Guest")


@pytest.fixture
def clerk_site() -> Iterator[sites.Wsgi]:
    yield from site_for("people.Clerk")


def site_for(model: str) -> Iterator[sites.Wsgi]:
    databases.empty()
    with override_settings(AUTH_USER_MODEL=model):
        site = sites.Wsgi("")
        yield site
        site.close()


def ask(verb: str, *arguments: Any, **where: Any) -> Any:
    async def asked() -> Any:
        async with DjangoStores([User]).unit("sync") as store:
            return await getattr(store, verb)(*arguments, **where)

    return finish(asked())


def test_keys_of_other_types_are_text_outside(member_site: sites.Wsgi) -> None:
    browser = sign_up(member_site, name="Ann Lee")
    ann = Member.objects.get()
    assert isinstance(ann.pk, uuid.UUID)
    assert (ann.email, ann.full_name) == ("ann@example.com", "Ann Lee")
    user = browser.get("/session").json["user"]
    assert (user["id"], user["username"]) == (str(ann.pk), None)
    browser.post("/sign-out")
    assert sign_in(browser).json["step"] == "done"
    assert browser.send("GET", "/who").json == {"email": "ann@example.com"}


@pytest.mark.parametrize("key", ["", "1", "nobody", "0" * 32, "\0", "{%s}", "9" * 40])
def test_what_is_no_key_is_nobodys(member_site: sites.Wsgi, key: str) -> None:
    assert ask("get", User, id=key) is None
    assert ask("change", User, {"id": key}, active=False) == 0


def test_a_key_has_one_spelling(member_site: sites.Wsgi) -> None:
    ann = Member.objects.create(email="ann@example.com")
    assert ask("get", User, id=str(ann.pk)).email == "ann@example.com"
    for other in (ann.pk.hex, str(ann.pk).upper(), f" {ann.pk}", f"{{{ann.pk}}}"):
        assert ask("get", User, id=other) is None
    with override_settings(AUTH_USER_MODEL="auth.User"):
        made = ask("add_user", User(id="x", username="ben", email="ben@example.com", created_at=NOON))
        assert ask("get", User, id=made.id) == made
        for other in (f"0{made.id}", f" {made.id}", f"{made.id}.0", f"+{made.id}", "٣", "1" * 30):
            assert ask("get", User, id=other) is None


def test_where_the_model_has_no_password_the_hash_is_ours(guest_site: sites.Wsgi) -> None:
    browser = sign_up(guest_site, username="anna")
    ann = Guest.objects.get()
    assert (ann.login, ann.password) == ("anna", None)
    assert browser.get("/session").status == 200
    other = Browser(guest_site)
    assert sign_in(other, "anna").json["step"] == "done"
    assert sign_in(Browser(guest_site), "anna", "wrong").reason == "wrong_credentials"


def test_what_a_model_has_not_reads_the_same_in_every_row(guest_site: sites.Wsgi) -> None:
    made = ask("add_user", User(id="u1", username="ann", name="Ann", email="a@example.com", created_at=NOON))
    assert made == User(id="u1", username="ann", created_at=LONG_AGO)
    assert ask("find", User, active=True) == ask("find", User, email=None) == [made]
    assert ask("find", User, active=False) == ask("find", User, email="a@example.com") == []
    assert ask("change", User, {"id": "u1"}, email="b@example.com", active=False) == 1
    assert ask("get", User, id="u1") == made
    with pytest.raises(TypeError):
        ask("find", User, order="created_at")
    with pytest.raises(TypeError):
        ask("find", User, name="Ann")


def test_a_value_that_the_models_column_can_not_hold_is_refused(guest_site: sites.Wsgi) -> None:
    with pytest.raises(ValueError, match="login"):
        ask("add_user", User(id="u1", username="a" * 41, created_at=NOON))


def test_taken_values_are_refused(member_site: sites.Wsgi) -> None:
    ann = User(id="u1", email="ann@example.com", created_at=NOON)
    assert ask("add_user", ann) is not None
    assert ask("add_user", ann) is None
    ben = ask("add_user", User(id="u2", email="ben@example.com", created_at=NOON))
    assert ask("change", User, {"id": ben.id}, email="ann@example.com") == 0
    assert not sign_in(Browser(member_site), password=PASSWORD).json.get("user")


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_a_model_that_wants_more_is_named_and_no_hash_is_in_the_log(
    vendor: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    databases.empty()
    alias = "default"
    if vendor == "postgresql":
        alias = "citizens"
        databases.add(alias, request.getfixturevalue("fresh_postgres")())
        databases.migrate(alias)
    with override_settings(AUTH_USER_MODEL="people.Citizen"):
        site = sites.Wsgi(alias)
        browser = Browser(site)
        browser.post("/sign-up", email="ann@example.com", password=PASSWORD)
        caplog.clear()
        assert browser.post("/email/verify", code=site.mail.code()).status == 500
        site.close()
    said = "".join(map(logging.Formatter().format, caplog.records))
    assert "django.E2" in said
    assert "town" in said
    assert "argon2" not in said
    assert "ann@example.com" not in said


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "Bartholomew Lee"}, "name"),
        ({"name": "Ann Featherstonehaugh"}, "name"),
        ({"username": "a" * 21}, "username"),
        ({"email": "a" * 29 + "@example.com"}, "email"),
    ],
)
def test_what_a_project_keeps_less_of_is_named_before_a_letter(
    clerk_site: sites.Wsgi, typed: dict[str, str], field: str
) -> None:
    asked = {"email": "ann@example.com", "password": PASSWORD, **typed}
    refused = Browser(clerk_site).post("/sign-up", **asked)
    assert (refused.status, refused.reason) == (400, "invalid_input")
    assert [(error["field"], error["reason"]) for error in refused.json["errors"]] == [(field, "too_long")]
    assert clerk_site.mail.letters == []


def test_what_a_project_can_keep_is_kept_whole(clerk_site: sites.Wsgi) -> None:
    browser = sign_up(clerk_site, name="Annemarie  van der Velde")
    clerk = Clerk.objects.get()
    assert (clerk.first_name, clerk.last_name) == ("Annemarie", " van der Velde")
    assert len(clerk.username) == 20, "who chose none has one that says nothing"
    assert browser.post("/account/update", username="a" * 20).status == 200
    for typed, field in (({"name": "Ann " + "a" * 16}, "name"), ({"username": "a" * 21}, "username")):
        refused = browser.post("/account/update", **typed)
        assert (refused.status, refused.json["errors"][0]["field"]) == (400, field)
    refused = browser.post("/email/add", email="a" * 29 + "@example.com")
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "email")
    clerk.refresh_from_db()
    assert (clerk.first_name, clerk.username) == ("Annemarie", "a" * 20)
