"""docs/start/django.md, as a project that somebody makes by it: its settings, views, URLs, models and tests."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.django.databases import settings_of
from tests.examples.pages import ROOT, blocks

STARTED = """
from pathlib import Path
SECRET_KEY = {secret!r}
DEBUG = False
ALLOWED_HOSTS = ["app.example.com"]
ROOT_URLCONF = "site_of_mine.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "site_of_mine"]
_AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    _AUTH,
]
DATABASES = {{"default": {database!r}}}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
AUTH_USER_MODEL = "site_of_mine.User"
"""
URLS = """
from django.urls import path
from site_of_mine import views
urlpatterns = [path("me", views.me), path("payout", views.payout), path("", views.front)]
urlpatterns += [path("leave", views.leave_everywhere)]
"""


def written(word: str) -> str:
    page = ROOT / "docs" / "start" / "django.md"
    return "\n".join(block.text for block in blocks(page, "python") if block.how == f"check {word}")


def test_every_block_has_its_place() -> None:
    page = ROOT / "docs" / "start" / "django.md"
    places = {f"check {word}" for word in ("settings", "urls", "views", "tests", "models")}
    assert {block.how for block in blocks(page, "python")} == places


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_the_page_makes_a_project(vendor: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    fresh: Callable[[], str] = request.getfixturevalue("fresh_postgres") if vendor == "postgresql" else str
    database = settings_of(fresh() if vendor == "postgresql" else f"sqlite:///{tmp_path}/db.sqlite3")
    database.pop("OPTIONS", None)  # the page says what it should be
    settings = written("settings")
    if vendor == "postgresql":
        settings = "\n".join(line for line in settings.splitlines() if "transaction_mode" not in line)
    package = tmp_path / "site_of_mine"
    (package / "migrations").mkdir(parents=True)
    started = STARTED.format(secret=secrets.token_urlsafe(48), database=database)
    files = {
        "__init__.py": "",
        "migrations/__init__.py": "",
        "settings.py": started + settings,
        "urls.py": URLS + written("urls"),
        "views.py": written("views"),
        "tests.py": written("tests"),
        "models.py": written("models"),
    }
    for name, text in files.items():
        (package / name).write_text(text, encoding="utf-8")
    for words in (["makemigrations", "site_of_mine"], ["check", "--fail-level", "WARNING"], ["test"]):
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "site_of_mine.settings", "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-m", "django", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
