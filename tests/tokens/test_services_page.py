"""The services of docs/start/services.md as they are printed there, sent a token of a real `doorward serve`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.examples.pages import ROOT, blocks
from tests.server.conftest import Served
from tests.tokens.conftest import SERVICE

PAGE = ROOT / "docs" / "start" / "services.md"
# How to ask each of them: what stands before its block, and the question after it.
AROUND = {
    "doorward.tokens.flask": (
        "",
        "ask = lambda sent: (lambda a: (a.status_code, a.get_json()))(app.test_client().get('/orders', headers=sent))",
    ),
    "doorward.tokens.fastapi": (
        "from starlette.testclient import TestClient",
        "ask = lambda sent: (lambda a: (a.status_code, a.json()))(TestClient(api).get('/orders', headers=sent))",
    ),
    "doorward.tokens.django": (
        "import django, json\nfrom django.conf import settings\n"
        "settings.configure(ALLOWED_HOSTS=['testserver'], ROOT_URLCONF=__name__, SECRET_KEY='x' * 50)\n"
        "django.setup()\nfrom django.urls import path\nfrom django.test import Client",
        "urlpatterns = [path('orders', orders)]\n"
        "ask = lambda sent: (lambda a: (a.status_code, json.loads(a.content)))(Client().get('/orders', headers=sent))",
    ),
}
QUESTIONS = """
import sys
token = sys.argv[1]
status, answer = ask({"Authorization": f"Bearer {token}"})
assert status == 200, (status, answer)
assert answer["orders of"] == verifier.verify(token).sub
for sent in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {token[:-2]}"}):
    assert ask(sent)[0] == 401, sent
print("asked")
"""


@pytest.mark.parametrize("module", AROUND)
def test_a_service_of_the_page_answers_as_it_says(module: str, served: Served, access_token: str) -> None:
    first, *others = [block.text for block in blocks(PAGE, "python")]
    (own,) = [text for text in others if f"from {module} import" in text]
    assert first.count("https://auth.example.com") == 1
    assert first.count(SERVICE) == 1
    verifier = first.replace("https://auth.example.com", f"http://localhost:{served.port}")
    before, after = AROUND[module]
    program = "\n".join((verifier, before, own, after, QUESTIONS))
    ran = subprocess.run(
        [sys.executable, "-c", program, access_token], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stdout) == (0, "asked\n"), ran.stderr
