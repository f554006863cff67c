"""The package as users get it: a wheel, and clean environments that hold it and nothing else of ours."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)])
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def clean_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Call it with "server" or "django-only": the `bin` folder of an environment with that file and the wheel."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    assert uv, "uv comes with requirements/dev.txt"
    made: dict[str, Path] = {}

    def make(requirements: str) -> Path:
        if requirements not in made:
            folder = tmp_path_factory.mktemp(requirements)
            python = str(folder / "bin" / "python")
            listed = str(ROOT / "requirements" / f"{requirements}.txt")
            _run([uv, "venv", "-q", "--python", sys.executable, "--clear", str(folder)])
            _run([uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", listed])
            _run([uv, "pip", "install", "-q", "--python", python, "--no-deps", "--offline", str(wheel)])
            made[requirements] = folder / "bin"
        return made[requirements]

    return make


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
