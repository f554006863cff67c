"""What users install holds everything, and says what it lacks."""

import os
import subprocess
import zipfile
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

from tests.services.processes import free_port, start, stop, wait_until
from tests.shape.tree import SOURCE


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    here = {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == here


def test_the_command_without_its_extra_says_what_to_install(clean_environment: Callable[[str], Path]) -> None:
    command = [clean_environment("django-only") / "doorward", "serve"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 3
    assert "pip install 'doorward[server]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_django_environment_has_neither_sqlalchemy_nor_starlette(clean_environment: Callable[[str], Path]) -> None:
    program = "import importlib.util as u; print([n for n in ('sqlalchemy', 'starlette', 'django') if u.find_spec(n)])"
    command = [clean_environment("django-only") / "python", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "['django']"


def test_the_server_runs_from_the_wheel(clean_environment: Callable[[str], Path], tmp_path: Path) -> None:
    port = free_port()
    given = {"DOORWARD_LISTEN": f"127.0.0.1:{port}", "DOORWARD_ORIGIN": f"http://localhost:{port}"}
    command = [str(clean_environment("server") / "doorward"), "serve"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **given}
    with (tmp_path / "output").open("w+b") as output:
        process = start(command, cwd=tmp_path, env=environment, stdout=output)
        try:
            answers = wait_until(lambda: _get(port, "/healthz")[0] == 200, process)
            assert answers, (tmp_path / "output").read_text()
            status, page = _get(port, "/auth/sign-in")
        finally:
            stop(process)
    assert (status, "<form" in page) == (200, True)
    assert f"http://localhost:{port}" in (tmp_path / "output").read_text()


def _get(port: int, path: str) -> tuple[int, str]:
    """Status and body; status 0 while nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}", "Accept": "text/html"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except ConnectionError:
        return 0, ""
    finally:
        connection.close()
