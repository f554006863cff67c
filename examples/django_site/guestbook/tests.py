"""The project's own tests: people are signed in by `force_login`, as in any Django project."""

from django.contrib.auth import get_user_model
from django.core import mail
from django.test import TestCase
from django.test.runner import DiscoverRunner

import doorward.testing.django  # noqa: F401  # signs in whom `force_login` names, and sends letters at once


class Runner(DiscoverRunner):
    """TEST_RUNNER is this one, so that the import above is there in every test run."""


class GuestBookTest(TestCase):
    def setUp(self):
        self.ann = get_user_model().objects.create_user("ann", "ann@example.com", first_name="Ann")

    def test_strangers_read_and_do_not_write(self):
        self.assertContains(self.client.get("/"), "Nobody has written yet.")
        assert self.client.post("/write", {"text": "Hello!"}).status_code == 401
        assert self.client.get("/lines").status_code == 401

    def test_members_write(self):
        self.client.force_login(self.ann)
        self.assertRedirects(self.client.post("/write", {"text": "Hello!"}), "/")
        assert self.client.get("/lines").json() == {"lines": ["Hello!"]}
        self.assertRedirects(self.client.post("/wipe"), "/")
        assert self.client.get("/lines").json() == {"lines": []}

    def test_who_signs_up_is_welcomed(self):
        given = {"email": "ben@example.com", "password": "four crows on a fence post", "name": "Ben"}
        self.client.post("/auth/sign-up", given, content_type="application/json")
        code = next(line for line in mail.outbox[0].body.splitlines() if line.strip().isdigit())
        self.client.post("/auth/email/verify", {"code": code.strip()}, content_type="application/json")
        assert self.client.get("/lines").json() == {"lines": ["has come in for the first time"]}
        self.assertContains(self.client.get("/"), "Welcome, Ben")
