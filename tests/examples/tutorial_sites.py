"""The two tutorials as a newcomer runs them: a process each, spoken to over HTTP, its users in an SQLite file."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from subprocess import Popen
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_login import encode_cookie

from tests.scenarios.client import Answer, Pairs
from tests.services.processes import free_port, start, stop, wait_until
from tests.shape.tree import ROOT

TUTORIAL = ROOT / "examples" / "tutorial"


def made_secret() -> str:
    """What the command makes that the tutorial tells a newcomer to run."""
    page = (TUTORIAL / "README.md").read_text(encoding="utf-8")
    found = re.search(r"export FLASK_SECRET_KEY=\$\(python (.+)\)", page)
    assert found, "the README has a command that makes a secret"
    made = subprocess.run([sys.executable, *shlex.split(found[1])], capture_output=True, text=True, check=True)
    return made.stdout.strip()


class TutorialSite(ABC):
    """One of the two. It keeps the origin printed in it, whatever port it listens on here."""

    origin: str
    secret_name: str
    database: str
    table: str

    def __init__(self, folder: Path, secret: str | None = None, python: str = sys.executable) -> None:
        self.folder, self.port, self.python = folder / "tutorial", free_port(), python
        self.secret = made_secret() if secret is None else secret
        shutil.copytree(TUTORIAL, self.folder, ignore=shutil.ignore_patterns("*.db*", "__pycache__"))

    @abstractmethod
    def prepare(self) -> None:
        """What the README says to do once, before."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What the README says, with another port."""

    @abstractmethod
    def others_cookies(self, user_id: int) -> Mapping[str, str]:
        """What Flask-Login or Django itself would take for a session of this user."""

    def start(self) -> None:
        """Run it until it answers. AssertionError with all it said if it ends before."""
        self.prepare()
        self.output = (self.folder / "output").open("w+b")
        environment = self.environment
        self.process: Popen[bytes] = start(
            [self.python, *self.command()], cwd=self.folder, env=environment, stdout=self.output
        )
        if not wait_until(self._answers, self.process):
            self.close()
            raise AssertionError(self.said())

    def run(self, *arguments: str) -> str:
        """Run Python beside it, and return what that printed."""
        command = [self.python, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the developer's own: the secret alone."""
        given = {self.secret_name: self.secret} if self.secret else {}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONUNBUFFERED": "1", **given}

    def _answers(self) -> bool:
        try:
            host = self.origin.partition("://")[2]
            return self.send("GET", "/protected", [("Host", host)], b"", "").status in (302, 401)
        except ConnectionError:
            return False

    def close(self) -> None:
        stop(self.process)
        self.output.close()

    def said(self) -> str:
        """What the process has printed so far."""
        return (self.folder / "output").read_text(encoding="utf-8", errors="replace")

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    # Its users, as somebody else put them into its database

    def add(self, username: str, hash: str, *, active: bool = True) -> int:
        """A user who was there before Doorward. Returns the key."""
        values = {"username": username, "email": f"{username}@example.com", "password": hash, "is_active": active}
        values |= self.other_columns()
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        with self._database() as cursor:
            cursor.execute(f"INSERT INTO {self.table} ({names}) VALUES ({marks})", [*values.values()])
            return int(cursor.lastrowid or 0)

    def other_columns(self) -> Mapping[str, Any]:
        return {}

    def change(self, username: str, column: str, value: Any) -> None:
        """What an administrator does to a user by SQL."""
        with self._database() as cursor:
            cursor.execute(f"UPDATE {self.table} SET {column} = ? WHERE username = ?", (value, username))

    def stored(self, username: str) -> str:
        """The hash in the database now."""
        return str(self._ask(f"SELECT password FROM {self.table} WHERE username = ?", username))

    def failures(self, user_id: int) -> int:
        """The wrong tries that are counted against a user's password."""
        query = "SELECT failures + known_failures FROM doorward_authenticator WHERE user_id = ? AND kind = 'password'"
        return int(self._ask(query, str(user_id)))

    def _ask(self, query: str, value: str) -> Any:
        with self._database() as cursor:
            return cursor.execute(query, (value,)).fetchone()[0]

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Cursor]:
        connection = sqlite3.connect(self.folder / self.database, timeout=10)
        try:
            with connection:
                yield connection.cursor()
        finally:
            connection.close()


class FlaskTutorial(TutorialSite):
    origin = "http://localhost:5000"
    secret_name = "FLASK_SECRET_KEY"
    database = "tutorial.db"
    table = "users"

    def prepare(self) -> None:
        """The application makes its tables itself."""

    def command(self) -> Sequence[str]:
        return "-m", "flask", "--app", "flask_app", "run", "--port", str(self.port)

    def others_cookies(self, user_id: int) -> Mapping[str, str]:
        app = Flask("forged")
        app.secret_key = self.secret
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signer is not None
        with app.app_context():
            remembered = encode_cookie(str(user_id))
        session = signer.dumps({"_user_id": str(user_id), "_fresh": True, "_id": "any"})
        return {"session": str(session), "remember_token": remembered}


class DjangoTutorial(TutorialSite):
    origin = "http://localhost:8000"
    secret_name = "DJANGO_SECRET_KEY"
    database = "django_site/tutorial.db"
    table = "tutorial_user"

    def prepare(self) -> None:
        self.run(self.manage, "migrate", "--verbosity=0")

    def command(self) -> Sequence[str]:
        return self.manage, "runserver", "--noreload", str(self.port)

    @property
    def manage(self) -> str:
        return str(self.folder / "django_site" / "manage.py")

    def other_columns(self) -> Mapping[str, Any]:
        flags = {"is_superuser": False, "is_staff": False}
        return {"first_name": "", "last_name": "", "date_joined": "2020-01-01 00:00:00", **flags}

    def others_cookies(self, user_id: int) -> Mapping[str, str]:
        return {"sessionid": self.run(self.manage, "shell", "--command", FORGE.format(user_id=user_id)).split()[-1]}


# What Django's `login()` writes.
FORGE = """
from django.contrib.sessions.backends.db import SessionStore
from tutorial.models import User
user = User.objects.get(pk={user_id})
session = SessionStore()
session["_auth_user_id"] = str(user.pk)
session["_auth_user_backend"] = "doorward.django.backend.Backend"
session["_auth_user_hash"] = user.get_session_auth_hash()
session.save()
print(session.session_key)
"""
