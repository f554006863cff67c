"""One Django project for the whole test process: its settings can be said once only."""

import os
import shutil
from collections.abc import Iterator

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django.settings")
django.setup()

from tests.django import databases, settings  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def tables() -> Iterator[None]:
    """The default database, with all tables."""
    databases.migrate()
    yield
    shutil.rmtree(settings.FOLDER, ignore_errors=True)
