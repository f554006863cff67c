"""A project's weak hashes are wrapped where they are, and Django's own functions read them as before."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import identify_hasher, make_password
from django.core.management import CommandError, call_command
from django.test import override_settings

from doorward.core.refusals import Misconfigured
from doorward.django.hashers import HostPasswords, Wrapped
from tests.scenarios.client import Browser
from tests.scenarios.hosts.base import InProcessHost
from tests.scenarios.people import PASSWORD, sign_in

WITH_OURS = [*settings.PASSWORD_HASHERS, "doorward.django.hashers.Wrapped"]


def weak(username: str = "ann"):  # type: ignore[no-untyped-def]
    ann = get_user_model().objects.create_user(username, password=PASSWORD, email=f"{username}@example.com")
    ann.password = make_password(PASSWORD, hasher="md5")
    ann.save()
    return ann


def said(*arguments: str) -> str:
    output = StringIO()
    call_command("doorward_hashes", *arguments, stdout=output)
    return output.getvalue()


@override_settings(PASSWORD_HASHERS=WITH_OURS)
def test_wrapped_hashes_open_to_the_same_password_everywhere(site: InProcessHost) -> None:
    ann = weak()
    assert "1 salted_md5" in said("list")
    assert "1 of 1 passwords would be wrapped." in said("wrap", "--dry-run")
    assert "1 of 1 passwords are wrapped." in said("wrap")
    ann.refresh_from_db()
    assert ann.password.startswith("wrapped$")
    assert len(ann.password) <= 128
    assert isinstance(identify_hasher(ann.password), Wrapped)
    assert "digest" not in str(Wrapped().safe_summary(ann.password))
    assert sign_in(Browser(site), "ann").json["step"] == "done"
    ann.refresh_from_db()
    assert ann.password.startswith("argon2$argon2id$")


@override_settings(PASSWORD_HASHERS=WITH_OURS)
def test_django_itself_reads_them_and_makes_them_anew(site: InProcessHost) -> None:
    ann = weak()
    said("wrap")
    ann.refresh_from_db()
    assert not ann.check_password("another password")
    assert ann.password.startswith("wrapped$")
    assert ann.check_password(PASSWORD)
    assert ann.password.startswith("argon2$argon2id$")


@override_settings(PASSWORD_HASHERS=WITH_OURS)
def test_sessions_stay(site: InProcessHost) -> None:
    ann = weak()
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher", *WITH_OURS[:2]]):
        browser = Browser(site)
        assert sign_in(browser, "ann").status == 200
    ann.refresh_from_db()
    assert ann.password.startswith("md5$")
    said("wrap")
    assert browser.get("/session").status == 200


def test_what_django_could_not_read_is_not_made(site: InProcessHost) -> None:
    ann = weak()
    with pytest.raises(CommandError, match=r"doorward\.django\.hashers\.Wrapped"):
        said("wrap")
    ann.refresh_from_db()
    assert ann.password.startswith("md5$")


def test_it_writes_nothing() -> None:
    with pytest.raises(Misconfigured, match="before it"):
        Wrapped().encode(PASSWORD, "salt")


def test_a_pepper_that_django_would_not_use_is_refused() -> None:
    with pytest.raises(Misconfigured, match="PEPPER"):
        HostPasswords(peppers=(("k1", b"k" * 32),))
