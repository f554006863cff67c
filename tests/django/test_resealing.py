"""After a change of SECRET_KEY a management command seals again what the old one sealed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from doorward.django import runtime
from doorward.features.token_keys import token_keys
from tests.django import databases, sites

OLD = settings.SECRET_KEY
NEW = "Zq8vT1nXw5bKe3RmYc7LgJ2sHd9PfUa4-oi6NtVhBkE0"


@contextmanager
def site(key: str, *fallbacks: str) -> Iterator[None]:
    """The project, as it starts with these keys."""
    with override_settings(SECRET_KEY=key, SECRET_KEY_FALLBACKS=list(fallbacks)):
        opened = sites.Wsgi("", secret=None)
        yield
        opened.close()


def said() -> str:
    output = StringIO()
    call_command("doorward_reseal", stdout=output)
    return output.getvalue()


def test_afterwards_the_fallback_may_go() -> None:
    databases.empty()
    with site(OLD):
        kids = [key.kid for key in runtime.auth().run(token_keys)]
    with site(NEW), pytest.raises(CommandError, match="1 values are sealed by keys that are gone"):
        said()
    with site(NEW, OLD):
        assert said().startswith("1 values are sealed again")
        assert said().startswith("0 values")
    with site(NEW):
        assert [key.kid for key in runtime.auth().run(token_keys)] == kids
