"""No secret of anybody's stands in a log, on whatever host, and no hash in an answer."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.features.elsewhere import SHOP, at, code_for, query
from tests.scenarios.client import Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, OTHER_PASSWORD, PASSWORD, set_up_app, sign_in, sign_up

WRONG = "a password that somebody typed in error"
HASH = re.compile(r"\$argon2|\$2[aby]\$|pbkdf2|scrypt:|\"(password|digest|data|secret_hash)\"\s*:")


@pytest.fixture
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.Logger.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.options(protected_origins=SHOP)
def test_secrets_are_in_no_log_and_hashes_in_no_answer(
    host: InProcessHost, everything_is_logged: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets, answers = _a_life(host)
    sinks = everything_is_logged.text + "".join(capfd.readouterr())
    assert [name for name, secret in secrets.items() for form in _spellings(secret) if form in sinks] == []
    assert [found[0] for answer in answers if (found := HASH.search(answer.text))] == []
    assert len(answers) > 10


def _a_life(host: InProcessHost) -> tuple[dict[str, str], list[Answer]]:
    """All that somebody does from sign-up on, right and wrong: the secrets that were in it, and the answers."""
    ann = sign_up(host)
    secrets = {"password": PASSWORD, "wrong": WRONG, "other": OTHER_PASSWORD, "code": host.mail.code()}
    app = set_up_app(host, ann)
    secrets |= {"totp": base64.b32encode(app.key.secret).decode(), "link": host.mail.letters[0].words["link"][-43:]}
    codes = ann.post("/recovery-codes/generate").json["codes"]
    secrets |= {f"recovery {number}": code for number, code in enumerate(codes)}
    program, other = Client(host), Browser(host)
    held = sign_in(program, issue="tokens")
    secrets["attempt"] = held.json["attempt"]
    tokens = program.post("/sign-in/totp", code=app.code(), attempt=held.json["attempt"]).json["tokens"]
    shop = at(host, SHOP)
    target = code_for(ann, shop)
    shop.send("GET", target)
    secrets |= {"arrival": query(target)["code"], "at a host": shop.session, **shop.cookies}
    secrets |= {"access": tokens["access_token"], "refresh": tokens["refresh_token"], "session": ann.session}
    answers = [
        sign_in(other, password=WRONG),
        sign_in(other, WRONG),  # people type it where the name belongs
        ann.get("/session"),
        ann.get("/sessions/list"),
        ann.get("/totp/list"),
        ann.page("/"),
        program.post("/token/refresh", refresh_token=tokens["refresh_token"]),
        program.post("/token/refresh", refresh_token=tokens["refresh_token"][:-2] + "xx"),
        Client(host, bearer=tokens["access_token"][:-2] + "xx").get("/session"),
        ann.get("/email/verify", token=secrets["link"]),
        ann.raw("/sign-in/password", f'{{"identifier": "{ANN}", "password": "{WRONG}", "x": 1}}'.encode()),
        ann.post("/password/change", current_password=PASSWORD, new_password=OTHER_PASSWORD),
        ann.raw("/sign-in/password", f'{{"identifier": "{ANN}", "password": "{WRONG}'.encode()),
    ]
    return secrets, answers


def _spellings(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret), base64.b64encode(secret.encode()).decode().rstrip("="))
