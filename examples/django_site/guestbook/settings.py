"""Settings as `startproject` writes them; what stands below the line is Doorward's."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).parents[1]
SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "guestbook.urls"
WSGI_APPLICATION = "guestbook.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "guestbook",
]

_AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    _AUTH,
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "guestbook.db",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        "ATOMIC_REQUESTS": True,
    }
}
STATIC_URL = "static/"

# ----------------------------------------------------------------------------------------------------------------------

INSTALLED_APPS += ["doorward.django"]
MIDDLEWARE[MIDDLEWARE.index(_AUTH)] = "doorward.django.middleware.AuthenticationMiddleware"
AUTHENTICATION_BACKENDS = ["doorward.django.backend.Backend"]
LOGIN_URL = "doorward:sign_in"
DOORWARD = {"ORIGIN": "http://localhost:8000", "RP_NAME": "Guest book"}

# Not needed, and good: closed by default, and the hashes that are written are argon2id.
MIDDLEWARE += ["doorward.django.middleware.ClosedMiddleware"]
PASSWORD_HASHERS = [
    "doorward.django.hashers.Argon2id",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
TEST_RUNNER = "guestbook.tests.Runner"
