"""A Django project for the tests, as one that follows docs/start/django.md to the letter."""

import os
import tempfile

FOLDER = tempfile.mkdtemp(prefix="doorward-django-")

SECRET_KEY = "x7Qe2vRk9mTz4LsWb8NcYp1HdJf6GaUo3iXw5ErVtBnMqKyZ"
DEBUG = False
ALLOWED_HOSTS = ["app.example.com", "testserver"]
ROOT_URLCONF = "tests.django.urls"
USE_TZ = True
STATIC_URL = "static/"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "tests.django.people",
]
_AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # No CommonMiddleware: it would refuse a foreign Host, and send /auth to /auth/, before we are asked.
    "django.middleware.csrf.CsrfViewMiddleware",
    _AUTH,
    "django.contrib.messages.middleware.MessageMiddleware",
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
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(FOLDER, "default.sqlite3"),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
PASSWORD_HASHERS = [
    "tests.django.cheap.CheapArgon2id",
    "doorward.django.hashers.Argon2id",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.MD5PasswordHasher",
]

INSTALLED_APPS += ["doorward.django"]
MIDDLEWARE[MIDDLEWARE.index(_AUTH)] = "doorward.django.middleware.AuthenticationMiddleware"
AUTHENTICATION_BACKENDS = ["doorward.django.backend.Backend"]
LOGIN_URL = "doorward:sign_in"
DOORWARD = {"ORIGIN": "https://app.example.com"}
