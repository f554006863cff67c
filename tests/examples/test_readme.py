"""The three integrations of the README, run as printed: each a process of its own, over HTTP, with real letters."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.examples.pages import ROOT, blocks
from tests.scenarios.client import Answer, Browser, Pairs
from tests.services.processes import free_port, start, stop, wait_until
from tests.services.smtp import SmtpSink

ORIGIN = "https://app.example.com"
SECRET = "Wq7-vYx2Lk9RzTn4Hs8Jd3Fb6Mc1Pg5Ua0Ei_oXtVrKy"
EMAIL, PASSWORD = "ann@example.com", "plenty of brown sparrows"


def printed(host: str) -> str:
    """The block of the README for a host."""
    (block,) = [block for block in blocks(ROOT / "README.md", "python") if block.how == f"check {host}"]
    return block.text


class Process:
    """A program that listens on a port of loopback, behind a TLS proxy that is not there. See scenarios.client."""

    origin = ORIGIN

    def __init__(self, port: int) -> None:
        self.port = port

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, target, body or None, dict(headers))
        with connection.getresponse() as response:
            return Answer(response.status, response.getheaders(), response.read())

    def answers(self) -> bool:
        try:
            self.send("GET", "/me", [("Host", "app.example.com")], b"", "")
        except OSError:
            return False
        return True


@contextmanager
def running(command: list[str], folder: Path, **environment: str) -> Iterator[Process]:
    """The program until the block ends; its output stands in the assertion if it ends by itself."""
    port = free_port()
    log: IO[bytes]
    with (folder / "log").open("wb") as log:
        words = [word.format(port=port) for word in command]
        process = start([sys.executable, "-m", *words], cwd=folder, stdout=log, env=clean(**environment))
        host = Process(port)
        try:
            assert wait_until(host.answers, process, 60), (folder / "log").read_text()
            yield host
        finally:
            stop(process)


def clean(**more: str) -> dict[str, str]:
    """The environment without settings of ours or of a framework."""
    ours = ("DOORWARD_", "FLASK_", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


def run(*words: str, folder: Path, **environment: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=clean(**environment), capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def comes_in_and_goes(host: Process, sink: SmtpSink) -> None:
    """From sign-up through a letter to the host's own route, and out again."""
    ann = Browser(host)
    assert closed(ann)
    attempt = ann.post("/sign-up", email=EMAIL, password=PASSWORD, name="Ann")
    assert attempt.status == 202, attempt.text
    code = re.search(r"^\s*(\d{6})\s*$", sink.wait()[0].text, re.MULTILINE)
    assert code is not None, sink.messages[0].text
    assert ann.post("/email/verify", code=code[1]).status == 200
    me = ann.send("GET", "/me")
    assert (me.status, me.json) == (200, {"email": EMAIL}), me.text
    assert ann.post("/sign-out").status == 204
    assert closed(ann)
    wrong = ann.post("/sign-in/password", identifier=EMAIL, password="not the password")
    assert (wrong.status, wrong.reason) == (401, "wrong_credentials")
    assert ann.post("/sign-in/password", identifier=EMAIL, password=PASSWORD).status == 200
    assert ann.send("GET", "/me").json == {"email": EMAIL}


def closed(browser: Browser) -> bool:
    """A browser is sent to sign in and back."""
    turned_away = browser.send("GET", "/me", headers={"Accept": "text/html"})
    location = turned_away.header("location") or ""
    assert turned_away.status in (302, 303), turned_away.text
    return location.startswith("/auth/sign-in?")


def mail_settings(sink: SmtpSink) -> dict[str, str]:
    return {
        "DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{sink.port}?tls=none",
        "DOORWARD_MAIL_FROM": "Example <no-reply@example.com>",
    }


def test_flask_as_printed(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    (tmp_path / "app.py").write_text(printed("flask"))
    command = ["flask", "--app", "app", "run", "--port", "{port}"]
    with running(command, tmp_path, FLASK_SECRET_KEY=SECRET, **mail_settings(smtp_sink)) as host:
        comes_in_and_goes(host, smtp_sink)


def test_fastapi_as_printed(tmp_path: Path, smtp_sink: SmtpSink, postgres_url: str) -> None:
    source = printed("fastapi")
    assert source.count("postgresql://…") == 1
    (tmp_path / "app.py").write_text(source.replace("postgresql://…", postgres_url))
    given = {"DOORWARD_SECRET": SECRET, **mail_settings(smtp_sink)}
    run("doorward", "migrate", folder=tmp_path, DOORWARD_DATABASE_URL=postgres_url, DOORWARD_ORIGIN=ORIGIN, **given)
    with running(["uvicorn", "app:app", "--port", "{port}"], tmp_path, **given) as host:
        comes_in_and_goes(host, smtp_sink)


# What a project has anyway, and what the README says must be there.
DJANGO_BEFORE = """
_AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
SECRET_KEY = {secret!r}
DEBUG = False
ALLOWED_HOSTS = ["app.example.com"]
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", {port}
DEFAULT_FROM_EMAIL = "Example <no-reply@example.com>"
DATABASES["default"].setdefault("OPTIONS", {{}})["transaction_mode"] = "IMMEDIATE"
"""
DJANGO_URLS = """
from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.urls import include
urlpatterns += [path("me", login_required(lambda request: JsonResponse({"email": request.user.email})))]
"""


def test_django_as_printed(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    run("django", "startproject", "site_of_mine", ".", folder=tmp_path)
    settings, urls = tmp_path / "site_of_mine" / "settings.py", tmp_path / "site_of_mine" / "urls.py"
    lines = printed("django").splitlines()
    (of_urls,) = [line for line in lines if line.startswith("urlpatterns")]
    of_settings = [line for line in lines if line != of_urls]
    before = DJANGO_BEFORE.format(secret=SECRET, port=smtp_sink.port)
    append(settings, before, *of_settings)
    append(urls, DJANGO_URLS, of_urls)
    manage = {"DJANGO_SETTINGS_MODULE": "site_of_mine.settings"}
    run("django", "check", "--fail-level", "ERROR", folder=tmp_path, PYTHONPATH=str(tmp_path), **manage)
    run("django", "migrate", folder=tmp_path, PYTHONPATH=str(tmp_path), **manage)
    command = ["django", "runserver", "--noreload", "--insecure", "{port}"]
    with running(command, tmp_path, PYTHONPATH=str(tmp_path), **manage) as host:
        comes_in_and_goes(host, smtp_sink)


def append(path: Path, *texts: str) -> None:
    path.write_text(path.read_text() + "\n" + "\n".join(texts) + "\n")


@pytest.mark.parametrize("host", ["flask", "django", "fastapi"])
def test_the_readme_shows_each_host_in_a_few_lines(host: str) -> None:
    lines: list[Any] = printed(host).splitlines()
    assert 5 <= len(lines) <= 9
