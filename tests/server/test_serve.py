"""`doorward serve` as a process: from nothing to signed in, by https, and to a clean end."""

import json
import os
import pickle
import signal
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2
import psutil
import psycopg
import pytest

from doorward.server.config import new_secret, parse_listen
from doorward.server.program import Plan, application
from doorward.server.tls import Tls
from tests.server.conftest import Done, Served, code_in
from tests.services.processes import free_port

ANN = {"email": "ann@example.com", "password": "a long sentence of nobody else's"}
Serve = Callable[..., Served]
Command = Callable[..., Done]


def test_from_nothing_to_signed_in(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    assert f"open http://localhost:{server.port}" in server.output
    assert "Letters are printed here" in server.output
    assert (tmp_path / "doorward-data").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "doorward-data").iterdir()} == {0}
    _sign_up(server)
    assert server.get("/auth/session")[1]["user"]["email"] == ANN["email"]


def test_who_is_signed_in_stays_so_when_the_server_starts_again(serve: Serve) -> None:
    first = serve()
    _sign_up(first)
    assert first.end() == 0
    # Cookies on plain-http loopback carry the port in their names: the second server has another one.
    second = serve()
    second.cookies = {name.replace(str(first.port), str(second.port)): v for name, v in first.cookies.items()}
    assert second.get("/auth/session")[0] == 200


def test_it_answers_under_its_prefix_and_nowhere_else(standing: Served) -> None:
    server = standing
    status, headers, _ = server.request("GET", "/")
    assert (status, headers["location"]) == (303, "/auth/")
    for path in ("/nothing", "/authx", "/metrics", "/auth/nothing", "/.well-known/nothing", "/auth//session"):
        status, headers, body = server.request("GET", path)
        assert (status, headers["content-type"]) == (404, "application/problem+json"), (path, body)
        assert headers["x-content-type-options"] == "nosniff"
    assert server.request("POST", "/")[0] == 405
    assert server.request("POST", "/healthz")[0] == 405
    assert server.get("/.well-known/jwks.json")[1]["keys"][0]["alg"] == "ES256"


def test_a_foreign_host_is_refused(standing: Served) -> None:
    """DNS rebinding: a page of somebody else's that resolves its name to this machine."""
    assert standing.request("GET", "/auth/session", headers={"Host": "evil.example"})[0] == 400
    assert standing.request("GET", "/healthz", headers={"Host": "10.0.0.7"})[0] == 200


def test_https_by_a_certificate_made_here_with_http_2(serve: Serve, tmp_path: Path) -> None:
    server = serve("--tls-dev")
    assert f"open https://localhost:{server.port}" in server.output
    assert "update-ca-certificates" in server.output
    context = ssl.create_default_context(cafile=str(server.ca))
    with httpx2.Client(http2=True, verify=context, trust_env=False) as client:
        answer = client.get(f"https://localhost:{server.port}/auth/session")
    assert (answer.http_version, answer.status_code) == ("HTTP/2", 401)
    assert "max-age" in answer.headers["strict-transport-security"]
    _sign_up(server)
    assert all(name.startswith("__Host-") for name in server.cookies)
    assert server.get("/auth/session")[0] == 200
    _is_refused_old_tls(server, context)


def _is_refused_old_tls(server: Served, context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", server.port)) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="localhost")


def test_requests_under_way_are_finished_before_it_ends(serve: Serve) -> None:
    server = serve()
    body = b'{"identifier": "ann@example.com", "password": "not the right one"}'
    head = (
        f"POST /auth/sign-in/password HTTP/1.1\r\nHost: localhost:{server.port}\r\nContent-Type: application/json\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        client.sendall(body[10:])
        assert client.recv(4096).startswith(b"HTTP/1.1 401 ")
    assert server.process.wait(20) == 0
    assert "Traceback" not in server.output


def test_a_worker_that_dies_is_replaced(serve: Serve) -> None:
    server = serve("--workers", "2")
    workers = psutil.Process(server.process.pid).children()
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not _is_up(server):
        time.sleep(0.1)
    assert server.get("/healthz")[0] == 200
    assert server.end() == 0


def _is_up(server: Served) -> bool:
    try:
        return server.get("/healthz")[0] == 200
    except OSError:
        return False


def test_it_is_ready_while_its_database_is(serve: Serve, doorward: Command, postgres_url: str) -> None:
    settings = {"DATABASE_URL": postgres_url, "SECRET": new_secret(), "ORIGIN": "http://localhost:8000"}
    assert doorward("migrate", **settings).code == 0
    server = serve("--workers", "2", **settings)
    assert server.get("/readyz") == (200, {"ready": True, "database": True, "outbox": True, "clock": True})
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE doorward_outbox RENAME TO gone")
        assert server.get("/readyz") == (503, {"ready": False, "database": False})
        connection.execute("ALTER TABLE gone RENAME TO doorward_outbox")
    assert server.get("/readyz")[0] == 200
    assert server.get("/healthz")[0] == 200


def test_it_starts_while_its_database_is_away_and_is_not_ready(serve: Serve) -> None:
    server = serve(DATABASE_URL="postgresql://nobody:sesame@127.0.0.1:1/none", SECRET=new_secret())
    assert server.get("/readyz") == (503, {"ready": False, "database": False})
    server.cookies[f"doorward-{server.port}"] = "A" * 43
    status, headers, _ = server.request("GET", "/auth/session")
    assert (status, headers["retry-after"].isdigit(), headers.get("set-cookie")) == (503, True, None)
    assert "sesame" not in server.output


def test_another_process_can_read_the_plan_again() -> None:
    """Where processes are not forked (macOS, Python 3.14) each worker gets it pickled."""
    tls = Tls(Path("c"), Path("k"))
    plan = Plan(options={"origin": "https://a.example"}, listen=parse_listen("[::]:443"), tls=tls, workers=2)
    load = pickle.loads(pickle.dumps(partial(application, plan)))
    assert (load.func, load.args) == (application, (plan,))


STRONG = {"SECRET": new_secret(), "ORIGIN": "https://auth.example.com"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SECRET": "short"}, "SECRET: the secret has 5 bytes"),
        ({"SECRET": "changeme" * 8}, "DOORWARD_SECRET"),
        ({"ORIGINN": "https://a.example"}, "did you mean ORIGIN"),
        ({"ORIGIN": "http://auth.example.com", "SECRET": STRONG["SECRET"]}, "settings.E4"),
        ({"ORIGIN": "https://auth.example.com"}, "set SECRET"),
        ({"LISTEN": "0.0.0.0:8000", "ORIGIN": "http://localhost:8000"}, "in the clear"),
        ({"LISTEN": "0.0.0.0:8000", **STRONG}, "TRUSTED_PROXIES"),
        ({"LISTEN": "8000"}, "LISTEN"),
        ({"TOKEN_ALGORITHM": "HS256"}, "choose ES256"),
        ({"DATABASE_URL": "mysql://h/d"}, "postgresql://"),
        ({"SMTP_URL": "smtp://h:25", "MAIL_FROM": ""}, "MAIL_FROM"),
        ({"TRUSTED_PROXIES": "10.0.0.5/8"}, "TRUSTED_PROXIES"),
        ({"CONFIG": "none.toml"}, "none.toml can't be read"),
    ],
)
def test_it_does_not_start_and_says_why(doorward: Command, settings: dict[str, str], said: str) -> None:
    done = doorward("serve", **settings)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert STRONG["SECRET"] not in done.err


def test_it_does_not_start_over_tables_of_another_release(doorward: Command, postgres_url: str) -> None:
    done = doorward("serve", DATABASE_URL=postgres_url)
    assert done.code == 1
    assert "doorward migrate" in done.err


def test_it_does_not_start_where_somebody_listens(doorward: Command) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        done = doorward("serve", LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.code == 1
    assert "in use" in done.err


def test_workers_share_a_database_or_there_is_one(doorward: Command) -> None:
    done = doorward("serve", "--workers", "2", DATABASE_URL="memory:")
    assert done.code == 1
    assert "server.E6" in done.err


@pytest.mark.parametrize(
    "options", [["--tls-cert", "c"], ["--tls-dev", "--tls-cert", "c", "--tls-key", "k"], ["--workers", "0"], ["--x"]]
)
def test_wrong_usage_is_code_2(doorward: Command, options: list[str]) -> None:
    assert doorward("serve", *options).code == 2


def test_programs_are_told_where_it_is(standing: Served) -> None:
    start = json.loads(standing.output.splitlines()[0])
    assert (start["origin"], start["listen"]) == (f"http://localhost:{standing.port}", f"127.0.0.1:{standing.port}")


def test_the_access_log_drops_the_query(standing: Served) -> None:
    server = standing
    server.request("GET", "/auth/email/verify?token=SECRETTOKEN")
    deadline = time.monotonic() + 10
    while '"GET /auth/email/verify HTTP/1.1"' not in server.output and time.monotonic() < deadline:
        time.sleep(0.05)
    assert '"GET /auth/email/verify HTTP/1.1"' in server.output
    assert "SECRETTOKEN" not in server.output


def _sign_up(server: Served) -> None:
    status, answer = server.post("/auth/sign-up", **ANN)
    assert (status, answer["step"]) == (202, "verify")
    deadline = time.monotonic() + 10
    while "A letter to" not in server.output and time.monotonic() < deadline:
        time.sleep(0.05)
    status, answer = server.post("/auth/email/verify", code=code_in(server.output))
    assert (status, answer["step"]) == (200, "done")
