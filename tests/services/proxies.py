"""A real nginx and a real Caddy for the tests, with a configuration that they write."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.services.processes import free_port, missing, start, stop, wait_until

# All that it would write elsewhere stands in a folder of the test.
NGINX = """\
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
    {servers}
}}
"""
# No port but the one asked for, and no certificate from anybody.
CADDY = """\
{{
	admin off
	auto_https off
	default_bind 127.0.0.1
}}
{sites}
"""


@contextmanager
def nginx_on(folder: Path, port: int, servers: str, files: Mapping[str, str] | None = None) -> Iterator[None]:
    """An nginx with these `server` blocks, one of which listens on the port; `files` stand beside them."""
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        missing("nginx", "install it so that `nginx` is on the PATH or in /usr/sbin")
    log, written = folder / "error.log", folder / "nginx.conf"
    written.write_text(NGINX.format(folder=folder, servers=servers), encoding="utf-8")
    for name, text in (files or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    with _running(start([path, "-p", str(folder), "-e", str(log), "-c", str(written)]), port, log):
        yield


@contextmanager
def caddy_on(folder: Path, port: int, sites: str) -> Iterator[None]:
    """A Caddy with these sites, one of which listens on the port."""
    path = shutil.which("caddy")
    if path is None:
        missing("Caddy", "install it so that `caddy` is on the PATH")
    log, written = folder / "caddy.log", folder / "Caddyfile"
    written.write_text(CADDY.format(sites=sites), encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with log.open("wb") as output:
        command = [path, "run", "--config", str(written), "--adapter", "caddyfile"]
        process = start(command, stdout=output, env=environment, cwd=folder)
    with _running(process, port, log):
        yield


@contextmanager
def _running(process: subprocess.Popen[bytes], port: int, log: Path) -> Iterator[None]:
    try:
        if not wait_until(lambda: _listens(port), process):
            raise RuntimeError(log.read_text(encoding="utf-8"))
        yield
    finally:
        stop(process)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Call it, once, with what stands in its `server` block; the port it listens on."""
    with_port = free_port()
    opened = []

    def run(block: str) -> int:
        server = f"server {{ listen 127.0.0.1:{with_port}; {block} }}"
        opened.append(nginx_on(tmp_path, with_port, server))
        opened[-1].__enter__()
        return with_port

    yield run
    for one in opened:
        one.__exit__(None, None, None)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
