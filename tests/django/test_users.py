"""The project's users sign in as they are, and what the project does to them holds at once."""

import codecs

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import BasePasswordHasher, make_password
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from doorward.core.erasure import erase_due
from doorward.django import models
from doorward.django.runtime import auth
from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts.base import InProcessHost
from tests.scenarios.people import PASSWORD, sign_in, sign_up

HASHERS = ["pbkdf2_sha256", "argon2", "bcrypt_sha256", "scrypt", "md5"]
OURS = "argon2$argon2id$v=19$m=64,t=1,p=1$"


def make(username="ann", password=PASSWORD, **more):
    more.setdefault("email", f"{username}@example.com")
    return get_user_model().objects.create_user(username, password=password, **more)


def stored(user) -> str:
    user.refresh_from_db()
    return user.password


@pytest.mark.parametrize("name", HASHERS)
def test_users_with_hashes_of_djangos_sign_in_and_are_re_hashed(site: InProcessHost, name: str) -> None:
    ann = make()
    ann.password = make_password(PASSWORD, hasher=name)
    ann.save()
    answer = sign_in(Browser(site), "ann")
    assert (answer.status, answer.json["step"]) == (200, "done"), answer.text
    assert stored(ann).startswith(OURS)
    assert sign_in(Browser(site), "ann@example.com").status == 200
    assert ann.check_password(PASSWORD)
    assert stored(ann).startswith(OURS)  # Django sees no need to hash it again


@override_settings(
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher", "doorward.django.hashers.Argon2id"]
)
def test_while_another_hasher_stands_first_nothing_is_re_hashed(site: InProcessHost) -> None:
    ann = make()
    before = ann.password
    assert sign_in(Browser(site)).status == 200
    assert stored(ann) == before
    assert sign_up(site, "ben@example.com").session
    assert get_user_model().objects.get(email="ben@example.com").password.startswith("md5$")


@pytest.mark.parametrize("unusable", ["", "!", "!abc", "*", "plain text", "pbkdf2_sha256$1$$"])
def test_who_has_no_usable_password_does_not_sign_in_by_one(site: InProcessHost, unusable: str) -> None:
    ann = make()
    get_user_model().objects.filter(pk=ann.pk).update(password=unusable)
    for typed in (PASSWORD, unusable or "x", "!"):
        assert sign_in(Browser(site), password=typed).reason == "wrong_credentials"


class Rot13(BasePasswordHasher):
    """A hasher of the project's own."""

    algorithm = "rot13"

    def encode(self, password, salt):
        return f"rot13${codecs.encode(password, 'rot13')}"

    def verify(self, password, encoded):
        return encoded == self.encode(password, "") and not int(encoded == "rot13$")


@override_settings(PASSWORD_HASHERS=["doorward.django.hashers.Argon2id", "tests.django.test_users.Rot13"])
def test_a_hasher_of_the_projects_own_is_asked(site: InProcessHost) -> None:
    ann = make()
    get_user_model().objects.filter(pk=ann.pk).update(password=Rot13().encode(PASSWORD, ""))
    assert sign_in(Browser(site), password="wrong").status == 401
    assert sign_in(Browser(site)).status == 200
    assert stored(ann).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_that_costs_more_than_a_request_may_is_not_tried(site: InProcessHost) -> None:
    ann = make()
    costly = "pbkdf2_sha256$900000000$salt$" + "A" * 43 + "="
    get_user_model().objects.filter(pk=ann.pk).update(password=costly)
    assert sign_in(Browser(site)).reason == "wrong_credentials"


def test_a_superuser_of_createsuperuser_signs_in_at_once(site: InProcessHost, monkeypatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, username="root", email="root@example.com", verbosity=0)
    browser = Browser(site)
    assert sign_in(browser, "root").json["step"] == "done"
    assert browser.send("GET", "/admin/").status == 200


def test_who_signs_up_is_a_user_of_the_project(site: InProcessHost) -> None:
    browser = sign_up(site, name="Ann Lee Smith")
    ann = get_user_model().objects.get()
    assert (ann.email, ann.first_name, ann.last_name) == ("ann@example.com", "Ann", "Lee Smith")
    assert ann.password.startswith(OURS)
    assert ann.is_active
    assert ann.username.startswith("user-")
    user = browser.get("/session").json["user"]
    assert (user["id"], user["name"]) == (str(ann.pk), "Ann Lee Smith")
    assert browser.send("GET", "/who").json == {"email": "ann@example.com"}


CHANGES = {
    "set_password": lambda ann: (ann.set_password("another one that is long"), ann.save()),
    "disable": lambda ann: get_user_model().objects.filter(pk=ann.pk).update(is_active=False),
    "delete": lambda ann: ann.delete(),
    "sql": lambda ann: execute("UPDATE auth_user SET password = 'x' WHERE id = %s", ann.pk),
    "sql disable": lambda ann: execute("UPDATE auth_user SET is_active = false WHERE id = %s", ann.pk),
}


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_project_changes_ends_sessions(site: InProcessHost, change: str) -> None:
    ann = make()
    browser, program = Browser(site), Client(site)
    assert sign_in(browser).status == 200
    program.bearer = sign_in(program, issue="tokens").json["tokens"]["access_token"]
    assert browser.send("GET", "/closed").status == program.send("GET", "/closed").status == 200
    CHANGES[change](ann)
    assert browser.send("GET", "/closed").status == program.send("GET", "/closed").status == 401
    assert browser.send("GET", "/who").json == {"email": None}


def test_with_a_user_goes_what_we_know_of_them(site: InProcessHost) -> None:
    browser = sign_up(site)
    ann = get_user_model().objects.get()
    key, password = ann.pk, ann.password
    ann.delete()
    get_user_model().objects.create(pk=key, username="ben", email="ben@example.com", password=password)
    assert browser.send("GET", "/who").json == {"email": None}
    assert sign_up(site).session  # the address is free again


def test_who_is_erased_leaves_a_row_that_the_project_can_refer_to(site: InProcessHost) -> None:
    browser = sign_up(site, name="Ann Lee", username="annie")
    ann = get_user_model().objects.get()
    assert browser.post("/account/close").status == 200
    site.clock.forward(days=14, seconds=1)
    assert auth().tend(erase_due) == 1
    ann.refresh_from_db()
    assert (ann.username, ann.first_name, ann.last_name, ann.is_active) == (f"erased-{ann.pk}", "", "", False)
    assert (ann.email, ann.has_usable_password()) == (f"erased-{ann.pk}@erased.invalid", False)
    assert not models.Account.objects.exists()
    assert sign_in(Browser(site), "annie").reason == "wrong_credentials"
    assert sign_up(site, username="annie").session


def test_users_whom_the_default_manager_hides_do_not_exist(site: InProcessHost, monkeypatch) -> None:
    make()
    manager = get_user_model()._default_manager
    monkeypatch.setattr(type(manager), "get_queryset", lambda self: super(type(manager), self).get_queryset().none())
    assert sign_in(Browser(site)).reason == "wrong_credentials"


@pytest.mark.parametrize("username", ["ann", "ANN", "Ann"])
def test_names_are_found_without_regard_to_case(site: InProcessHost, username: str) -> None:
    make("Ann")
    assert sign_in(Browser(site), username).status == 200


def test_of_names_that_differ_by_case_the_exact_one_is_meant(site: InProcessHost) -> None:
    make("ann", "the password of the small one")
    make("ANN", email="other@example.com")
    assert sign_in(Browser(site), "ANN").json["user"]["email"] == "other@example.com"
    assert sign_in(Browser(site), "ann").reason == "wrong_credentials"


def test_an_address_that_several_unverified_accounts_share_finds_nobody(site: InProcessHost) -> None:
    make("ann")
    make("ben", email="ANN@example.com")
    assert sign_in(Browser(site)).reason == "wrong_credentials"
    assert sign_in(Browser(site), "ben").status == 200


def test_foreign_letters_are_not_folded_to_ascii_ones(site: InProcessHost) -> None:
    make("kate")
    make("\u212aate", email="k@example.com")  # the Kelvin sign
    assert sign_in(Browser(site), "kate").json["user"]["email"] == "kate@example.com"
    assert sign_in(Browser(site), "K\u0131te").reason == "wrong_credentials"


def test_a_deleted_session_row_in_the_admin_is_a_session_that_ended(site: InProcessHost) -> None:
    make("root", is_staff=True, is_superuser=True)
    browser, other = Browser(site), Browser(site)
    assert sign_in(browser, "root").status == sign_in(other, "root").status == 200
    id = quote(other.get("/session").json["session"]["id"])
    page = browser.send("GET", f"/admin/doorward/session/{id}/delete/")
    fields = f"csrfmiddlewaretoken={page.hidden('csrfmiddlewaretoken')}&post=yes"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": "https://app.example.com/"}
    deleted = browser.send("POST", f"/admin/doorward/session/{id}/delete/", fields.encode(), headers)
    assert deleted.status == 302, deleted.text
    assert other.get("/session").status == 401
    assert browser.get("/session").status == 200


def test_the_address_of_a_user_who_was_there_before_is_taken(site: InProcessHost) -> None:
    """Else a second account would stand in the way of the first one's sign-in. The answer is the same as ever."""
    make()
    browser = Browser(site)
    asked = browser.post("/sign-up", email="ANN@example.com", password=PASSWORD)
    assert (asked.status, asked.json["step"]) == (202, "verify")
    assert site.mail.last.template == "address_taken"
    assert sign_in(Browser(site)).status == 200
