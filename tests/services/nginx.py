"""A real nginx for the tests, with a configuration that they write."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.processes import free_port, missing, start, stop, wait_until

# All that it would write elsewhere stands in a folder of the test.
WHOLE = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {block}
    }}
}}
"""


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Call it with what stands in its `server` block, and maybe a port; the port it listens on."""
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        missing("nginx", "install it so that `nginx` is on the PATH or in /usr/sbin")
    running: list[subprocess.Popen[bytes]] = []

    def run(block: str, port: int = 0) -> int:
        port = port or free_port()
        folder = tmp_path / f"nginx-{port}"
        folder.mkdir()
        written = folder / "nginx.conf"
        written.write_text(WHOLE.format(folder=folder, port=port, block=block), encoding="utf-8")
        process = start([path, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(written)])
        running.append(process)
        if not wait_until(lambda: _listens(port), process):
            raise RuntimeError((folder / "error.log").read_text(encoding="utf-8"))
        return port

    yield run
    for process in running:
        stop(process)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
