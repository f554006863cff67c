"""A migrated default database for all tests here."""

import shutil
from collections.abc import Iterator

import pytest

from tests.django import databases, project, settings, sites
from tests.scenarios.hosts.base import InProcessHost


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: makes an environment of its own")


@pytest.fixture(scope="session", autouse=True)
def tables() -> Iterator[None]:
    assert project.django.apps.apps.ready
    databases.migrate()
    yield
    shutil.rmtree(settings.FOLDER, ignore_errors=True)


@pytest.fixture(params=["wsgi", "asgi"])
def site(request: pytest.FixtureRequest) -> Iterator[InProcessHost]:
    """The project, with an empty database and a clock and a mailbox of its own."""
    databases.empty()
    started = {"wsgi": sites.Wsgi, "asgi": sites.Asgi}[request.param]("")
    yield started
    started.close()
