"""A project's own tests, with `doorward.testing.django`: Django's test client signs in as it always did."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core import mail
from django.test import AsyncClient, Client, TestCase, override_settings
from django.test.utils import setup_test_environment, teardown_test_environment

from doorward.core.refusals import Misconfigured
from doorward.django import runtime
from doorward.django.models import Session
from doorward.testing import django as testing
from tests.django import databases
from tests.django.test_users import make
from tests.scenarios.people import PASSWORD


@pytest.fixture(autouse=True, scope="module")
def test_run() -> Iterator[None]:
    """As a test runner of Django's sets it up; the cases below run each in a transaction that is rolled back."""
    databases.empty()
    setup_test_environment()
    runtime.make_with(testing.TestAuth)
    yield
    runtime.make_with(runtime.Auth)
    teardown_test_environment()


class ForceLogin(TestCase):
    def test_force_login_signs_in(self) -> None:
        self.client.force_login(make())
        assert self.client.get("/who").json() == {"email": "ann@example.com"}
        assert self.client.get("/closed").status_code == 200
        assert self.client.get("/auth/session").json()["user"]["username"] == "ann"

    def test_so_does_the_function(self) -> None:
        testing.force_login(self.client, make())
        assert self.client.get("/djangos-closed").json() == {"email": "ann@example.com"}

    def test_one_may_be_in_at_either_level(self) -> None:
        ann = make()
        for aal in (1, 2):
            testing.sign_in_as(self.client, ann, aal=aal)
            assert self.client.get("/auth/session").json()["session"]["aal"] == aal

    def test_who_is_signed_in_may_post(self) -> None:
        self.client.force_login(make())
        answer = self.client.post("/auth/totp/begin", {"name": "telephone"}, content_type="application/json")
        assert answer.status_code == 200
        assert self.client.post("/leave").content == b"left"
        assert self.client.get("/who").json() == {"email": None}

    def test_a_second_force_login_is_another_person(self) -> None:
        self.client.force_login(make())
        self.client.force_login(make("ben"))
        assert self.client.get("/who").json() == {"email": "ben@example.com"}
        self.client.logout()
        assert self.client.get("/who").json() == {"email": None}

    def test_login_takes_credentials(self) -> None:
        make()
        assert not self.client.login(username="ann", password="wrong")
        assert self.client.get("/who").json() == {"email": None}
        assert self.client.login(username="ann", password=PASSWORD)
        assert self.client.get("/who").json() == {"email": "ann@example.com"}

    def test_who_is_disabled_is_nobody(self) -> None:
        self.client.force_login(make(is_active=False))
        assert self.client.get("/who").json() == {"email": None}
        assert not Session.objects.exists()

    def test_who_has_proved_everything_needs_no_second_step(self) -> None:
        self.client.force_login(make(is_staff=True, is_superuser=True))
        assert self.client.get("/admin/").status_code == 200
        assert self.client.get("/fresh").status_code == 200
        assert self.client.get("/auth/session").json()["session"]["aal"] == 2

    def test_letters_are_in_the_outbox_at_once(self) -> None:
        given = {"email": "ann@example.com", "password": PASSWORD}
        assert self.client.post("/auth/sign-up", given, content_type="application/json").status_code == 202
        (letter,) = mail.outbox
        assert letter.to == ["ann@example.com"]
        assert letter.extra_headers["Auto-Submitted"] == "auto-generated"
        code = next(line for line in letter.body.splitlines() if line.strip().replace(" ", "").isdigit())
        answer = self.client.post("/auth/email/verify", {"code": code.strip()}, content_type="application/json")
        assert answer.json()["step"] == "done", answer.content
        assert self.client.get("/who").json() == {"email": "ann@example.com"}

    def test_nothing_of_other_tests_is_left(self) -> None:
        assert not get_user_model().objects.exists()
        assert not Session.objects.exists()


class ForceLoginAwaited(TestCase):
    async_client: AsyncClient

    async def test_aforce_login_signs_in(self) -> None:
        ann = await get_user_model().objects.acreate(username="ann", email="ann@example.com")
        await self.async_client.aforce_login(ann)
        answer = await self.async_client.get("/aclosed")
        assert answer.json() == {"email": "ann@example.com"}


class WithoutTheModule(TestCase):
    """What production has: nothing that a session of Django's could open."""

    def setUp(self) -> None:
        runtime.make_with(runtime.Auth)

    def tearDown(self) -> None:
        runtime.make_with(testing.TestAuth)

    def test_force_login_says_what_to_import(self) -> None:
        with pytest.raises(Misconfigured, match=r"doorward\.testing\.django"):
            Client().force_login(make())

    def test_a_secret_in_djangos_session_opens_nothing(self) -> None:
        runtime.make_with(testing.TestAuth)
        self.client.force_login(make())
        assert self.client.get("/who", headers={"host": "app.example.com"}).json() == {"email": "ann@example.com"}
        runtime.make_with(runtime.Auth)
        assert self.client.get("/who", headers={"host": "app.example.com"}).json() == {"email": None}


class Settings(TestCase):
    def test_override_settings_makes_doorward_anew(self) -> None:
        before = runtime.auth()
        with override_settings(DOORWARD={"ORIGIN": "https://other.example.com"}):
            assert str(runtime.auth().settings.origin) == "https://other.example.com"
        assert runtime.auth() is not before
        assert str(runtime.auth().settings.origin) == "https://app.example.com"

    def test_authenticate_without_a_request(self) -> None:
        ann = make()
        assert authenticate(username="ann", password=PASSWORD) == ann
        assert authenticate(username="ann", password="wrong") is None
        assert authenticate(username="ann", password="w" * 2000) is None
        assert authenticate(username="ann\0", password=PASSWORD) is None
        assert authenticate(username="a" * 300, password=PASSWORD) is None
        assert authenticate(username=None, password=None) is None
