"""The programs that are measured, each as one process tree: `python -m bench.servers NAME PORT FOLDER`.

All run on granian with one worker, so that what differs is the code above it. `bare` answers a fixed JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

BODY = json.dumps(
    {"step": "done", "user": {"id": "x" * 22, "email": "ann@example.com"}, "session": {"id": "y" * 22}}
).encode()
SECRET = "bench:4YvXq2oM9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_"
# Short-term limits would send the load client away; they are not what is measured here.
UNLIMITED = {"base": "standard", "tries_per_identifier": 10**9, "tries_per_network": 10**9, "letters_per_day": 10**9}
THREADS = 16  # of a WSGI worker: more than hashes run at a time


def settings(port: int, folder: Path) -> dict[str, Any]:
    return {
        "database_url": f"sqlite:///{folder}/bench.db",
        "origin": f"http://localhost:{port}",
        "secret": SECRET,
        "policy": UNLIMITED,
    }


async def bare_asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def bare_wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]


def server_app(port: int, folder: Path) -> tuple[Any, str]:
    from doorward.asgi import Auth

    return Auth(**settings(port, folder)), "asgi"


def starlette_app(port: int, folder: Path) -> tuple[Any, str]:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from doorward.asgi import Auth

    async def hello(request: Request) -> JSONResponse:
        return JSONResponse({"hello": "world"})

    auth = Auth(**settings(port, folder))
    return auth.middleware(Starlette(routes=[Route("/hello", hello)])), "asgi"


def fastapi_app(port: int, folder: Path) -> tuple[Any, str]:
    from fastapi import FastAPI

    from doorward.fastapi import Auth

    app = FastAPI()
    given = settings(port, folder)
    Auth(app, given.pop("database_url"), **given)

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    return app, "asgi"


def flask_app(port: int, folder: Path) -> tuple[Any, str]:
    from flask import Flask

    from doorward.flask import Auth

    app = Flask(__name__)
    given = settings(port, folder)
    Auth(app, given.pop("database_url"), **given)

    @app.get("/hello")
    def hello() -> dict[str, str]:
        return {"hello": "world"}

    return app, "wsgi"


def django_app(port: int, folder: Path) -> tuple[Any, str]:
    import django
    from django.conf import settings as django_settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpRequest, JsonResponse
    from django.urls import include, path

    given = settings(port, folder)
    django_settings.configure(
        SECRET_KEY=SECRET,
        ALLOWED_HOSTS=["localhost"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "doorward.django",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "doorward.django.middleware.AuthenticationMiddleware",
        ],
        AUTHENTICATION_BACKENDS=["doorward.django.backend.Backend"],
        PASSWORD_HASHERS=["doorward.django.hashers.Argon2id"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{folder}/django.db",
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DOORWARD={"ORIGIN": given["origin"], "POLICY": given["policy"]},
    )
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    if not users.filter(username="ann").exists():
        users.create_user("ann", "ann@example.com", PASSWORD)

    def hello(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"hello": "world"})

    global urlpatterns
    urlpatterns = [path("auth/", include("doorward.django.urls")), path("hello", hello)]
    return get_wsgi_application(), "wsgi"


urlpatterns: list[Any] = []
PASSWORD = "plenty of brown sparrows"
APPS = {
    "bare asgi": lambda port, folder: (bare_asgi, "asgi"),
    "bare wsgi": lambda port, folder: (bare_wsgi, "wsgi"),
    "server": server_app,
    "starlette": starlette_app,
    "fastapi": fastapi_app,
    "flask": flask_app,
    "django": django_app,
}


def main() -> None:
    from granian.constants import Interfaces, Loops
    from granian.server import Server

    name, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    sys.modules["bench.servers"] = sys.modules["__main__"]
    # The interface has to be known before the worker loads the application.
    interface = "wsgi" if name in ("bare wsgi", "flask", "django") else "asgi"
    os.environ.setdefault("PYTHONHASHSEED", "0")
    Server(
        target=name,
        address="127.0.0.1",
        port=port,
        interface=Interfaces(interface),
        workers=1,
        blocking_threads=THREADS if interface == "wsgi" else 1,
        websockets=False,
        log_enabled=False,
        loop=Loops.auto,
    ).serve(target_loader=lambda *_: APPS[name](port, folder)[0], wrap_loader=False)


if __name__ == "__main__":
    main()
