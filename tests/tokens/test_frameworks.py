"""Services in Flask, Django and FastAPI, sent tokens that a real `doorward serve` gave out."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from flask import Flask, g
from starlette.testclient import TestClient

from doorward.tokens import Token, Verifier
from doorward.tokens.fastapi import Bearer
from doorward.tokens.flask import required
from tests.server.conftest import Served
from tests.shape.tree import ROOT
from tests.tokens.conftest import SERVICE

Ask = Callable[[str, str | None], tuple[int, str, Any]]  # (path, Authorization) -> status, WWW-Authenticate, JSON


def verifier_of(served: Served) -> Verifier:
    return Verifier(issuer=f"http://localhost:{served.port}", audience=SERVICE)


def flask_app(served: Served) -> Ask:
    app, verifier = Flask(__name__), verifier_of(served)

    @app.get("/me")
    @required(verifier)
    def me() -> dict[str, object]:
        return {"sub": g.token.sub, "aal": g.token.aal}

    @app.get("/later")
    @required(verifier)
    async def later() -> dict[str, object]:
        return {"sub": g.token.sub}

    for name, demand in DEMANDS.items():
        app.get(f"/{name}", endpoint=name)(required(verifier, **demand)(nothing))
    client = app.test_client()

    def ask(path: str, authorization: str | None) -> tuple[int, str, Any]:
        answer = client.get(path, headers={"Authorization": authorization} if authorization is not None else {})
        return answer.status_code, answer.headers.get("WWW-Authenticate", ""), answer.get_json(force=True)

    return ask


def fastapi_app(served: Served) -> Ask:
    app, verifier = FastAPI(), verifier_of(served)

    @app.get("/me")
    async def me(token: Annotated[Token, Depends(Bearer(verifier))]) -> dict[str, object]:
        return {"sub": token.sub, "aal": token.aal}

    @app.get("/later")
    def later(token: Annotated[Token, Depends(Bearer(verifier))]) -> dict[str, object]:
        return {"sub": token.sub}

    for name, demand in DEMANDS.items():
        app.get(f"/{name}", dependencies=[Depends(Bearer(verifier, **demand))])(nothing)
    client = TestClient(app)
    operation = client.get("/openapi.json").json()["paths"]["/me"]["get"]
    assert operation["security"] == [{"doorward": []}]

    def ask(path: str, authorization: str | None) -> tuple[int, str, Any]:
        answer = client.get(path, headers={"Authorization": authorization} if authorization is not None else {})
        return answer.status_code, answer.headers.get("WWW-Authenticate", ""), answer.json()

    return ask


def nothing() -> dict[str, object]:
    return {}


DEMANDS: dict[str, dict[str, Any]] = {"scoped": {"scope": "orders"}, "admins": {"role": "admin"}, "two": {"aal": 2}}


@pytest.fixture(params=[flask_app, fastapi_app], ids=["flask", "fastapi"])
def ask(request: pytest.FixtureRequest, served: Served) -> Ask:
    opened: Ask = request.param(served)
    return opened


def check(ask: Ask, token: str) -> None:
    """What every framework's service does."""
    for path in ("/me", "/later"):
        status, _, answer = ask(path, f"Bearer {token}")
        assert (status, len(answer["sub"]) > 8) == (200, True)
        for missing in (None, "", "Basic YTpi", "Bearer", "Bearer "):
            assert ask(path, missing)[:2] == (401, 'Bearer realm="doorward"')
        for wrong in ("x", token[:-2], f"{token} {token}", "a" * 9000):
            assert ask(path, f"Bearer {wrong}")[:2] == (401, 'Bearer realm="doorward", error="invalid_token"')
    insufficient = 'Bearer realm="doorward", error="insufficient_scope"'
    assert ask("/scoped", f"Bearer {token}")[:2] == (403, f'{insufficient}, scope="orders"')
    assert ask("/admins", f"bearer {token}")[:2] == (403, insufficient)
    status, challenge, _ = ask("/two", f"Bearer {token}")
    assert (status, 'acr_values="aal2"' in challenge) == (401, True)


def test_a_service_lets_in_who_brings_a_good_token(ask: Ask, access_token: str) -> None:
    check(ask, access_token)


DJANGO = """
import json, sys
from django.conf import settings
settings.configure(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF=__name__, SECRET_KEY="x" * 50,
                   MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"])
import django
django.setup()
from django.http import JsonResponse
from django.test import Client
from django.urls import path
from doorward.tokens import Verifier
from doorward.tokens.django import required
from tests.tokens.test_frameworks import DEMANDS, check

issuer, audience, token = sys.argv[1:]
verifier = Verifier(issuer=issuer, audience=audience)

@required(verifier)
def me(request):
    return JsonResponse({"sub": request.token.sub})

@required(verifier)
async def later(request):
    return JsonResponse({"sub": request.token.sub})

urlpatterns = [path("me", me), path("later", later)]
for name, demand in DEMANDS.items():
    urlpatterns.append(path(name, required(verifier, **demand)(lambda request: JsonResponse({}))))
client = Client(enforce_csrf_checks=True)

def ask(path, authorization):
    answer = client.get(path, headers={"Authorization": authorization} if authorization is not None else {})
    return answer.status_code, answer.headers.get("WWW-Authenticate", ""), answer.json()

check(ask, token)
assert client.post("/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
assert client.post("/me").status_code == 401
print("done")
"""


def test_a_django_project_lets_in_who_brings_a_good_token(served: Served, access_token: str, tmp_path: Path) -> None:
    """In a process of its own, with settings that have nothing of Doorward's in them."""
    (tmp_path / "site_of_orders.py").write_text(DJANGO)
    command = [sys.executable, "site_of_orders.py", f"http://localhost:{served.port}", SERVICE, access_token]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "done\n", done.stderr
