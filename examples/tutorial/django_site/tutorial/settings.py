"""Settings as `startproject` makes them; the last part is Doorward's."""

import os
from pathlib import Path

from django.conf.global_settings import PASSWORD_HASHERS

BASE_DIR = Path(__file__).parents[1]
SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "tutorial.urls"
AUTH_USER_MODEL = "tutorial.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "doorward.django",
    "tutorial",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "tutorial.db",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"  # letters appear in the terminal

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "doorward.django.middleware.AuthenticationMiddleware",  # in place of Django's own
]
AUTHENTICATION_BACKENDS = ["doorward.django.backend.Backend"]
PASSWORD_HASHERS = ["doorward.django.hashers.Argon2id", *PASSWORD_HASHERS]  # the first one writes
LOGIN_URL = "doorward:sign_in"
DOORWARD = {"ORIGIN": "http://localhost:8000"}
