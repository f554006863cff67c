"""What users install holds everything, and says what it lacks."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

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
