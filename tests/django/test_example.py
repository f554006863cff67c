"""examples/django_site in an environment that has Django and neither SQLAlchemy nor Starlette, by its README."""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.scenarios.client import FORM, HTML, Answer, Browser, Client, Pairs
from tests.services.processes import free_port, start, stop, wait_until
from tests.shape.tree import ROOT

EXAMPLE = ROOT / "examples" / "django_site"
PASSWORD = "four crows on a fence post"

pytestmark = pytest.mark.slow


class Site:
    """A copy of the example, run by the programs of an environment of its own."""

    origin = "http://localhost:8000"

    def __init__(self, programs: Path, folder: Path) -> None:
        self.python, self.folder, self.port = programs / "python", folder / "site", free_port()
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(48),
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        self.output = (folder / "output").open("w+b")

    def run(self, *words: str) -> str:
        command = [self.python, *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def manage(self, *words: str) -> str:
        return self.run("manage.py", *words)

    def serve(self) -> None:
        words = [str(self.python), "manage.py", "runserver", "--noreload", str(self.port)]
        self.process = start(words, cwd=self.folder, env=self.environment, stdout=self.output)
        assert wait_until(self._answers, self.process, 60), self.said()

    def close(self) -> None:
        if hasattr(self, "process"):
            stop(self.process)
        self.output.close()

    def said(self) -> str:
        return Path(self.output.name).read_text(encoding="utf-8")

    def code(self) -> str:
        """The code of the letter that the terminal shows."""
        found: list[str] = []

        def has_come() -> bool:
            found.extend(re.findall(r"^\s*(\d{6})\s*$", self.said(), re.MULTILINE))
            return bool(found)

        assert wait_until(has_come, self.process)
        return found[-1]

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, target, body or None, dict(headers))
        with connection.getresponse() as answer:
            return Answer(answer.status, answer.getheaders(), answer.read())

    def _answers(self) -> bool:
        try:
            return Client(self).send("GET", "/").status == 200
        except OSError:
            return False


@pytest.fixture(scope="module")
def site(clean_environment: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(clean_environment("django-only"), tmp_path_factory.mktemp("example"))
    yield site
    site.close()


def test_the_snippet_stands_in_it_as_printed() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"<!-- run: check django -->\n```python\n(.*?)```", readme, re.DOTALL)
    example = "".join((EXAMPLE / "guestbook" / name).read_text(encoding="utf-8") for name in ("settings.py", "urls.py"))
    for line in printed.splitlines():
        code = line.partition("  #")[0].strip()
        assert code in example or code.startswith("DOORWARD = "), code


def test_nothing_that_django_does_not_need_is_there(site: Site) -> None:
    for absent in ("sqlalchemy", "alembic", "starlette", "fastapi", "anyio", "flask", "psycopg", "redis"):
        site.run("-c", f"import importlib.util, sys; sys.exit(importlib.util.find_spec({absent!r}) is not None)")


def test_the_projects_own_checks_and_tests_pass(site: Site) -> None:
    site.manage("check", "--fail-level", "WARNING", "--database", "default")
    site.manage("makemigrations", "--check")
    assert "OK" in site.manage("test")


def test_it_runs_by_its_readme(site: Site) -> None:
    site.manage("migrate", "-v0")
    site.manage("createsuperuser", "--no-input", "--username", "root", "--email", "root@example.com")
    site.serve()
    stranger = Browser(site)
    assert "Nobody has written yet" in stranger.send("GET", "/", headers=HTML).text
    turned = stranger.send("GET", "/lines", headers=HTML)
    assert turned.header("location") == "/auth/sign-in?return_to=%2Flines"

    ann = Browser(site)
    begun = ann.post("/sign-up", email="ann@example.com", password=PASSWORD, name="Ann")
    assert begun.status == 202, begun.text
    assert ann.post("/email/verify", code=site.code()).status == 200
    assert ann.send("GET", "/lines").json == {"lines": ["has come in for the first time"]}
    book = ann.send("GET", "/", headers=HTML)
    assert "Welcome, Ann" in book.text
    token = book.hidden("csrfmiddlewaretoken")
    fields = {"Content-Type": FORM}
    assert ann.send("POST", "/write", b"text=Hello%21", fields).status == 403  # Django's own CSRF token is missing
    assert ann.send("POST", "/write", f"text=Hello%21&csrfmiddlewaretoken={token}".encode(), fields).status == 302
    assert ann.send("GET", "/lines").json["lines"][0] == "Hello!"
    assert ann.send("GET", "/admin/", headers=HTML).status == 302

    root = Browser(site)
    assert root.post("/sign-in/password", identifier="root", password=PASSWORD).json["step"] == "done"
    assert "Guestbook" in root.send("GET", "/admin/", headers=HTML).text or root.send("GET", "/admin/").status == 200
    assert root.post("/sign-out").status == 204
    assert root.send("GET", "/admin/").status in (302, 401)
    assert "0 sent" in site.manage("doorward_worker", "--once")
