"""What a stranger could tell accounts apart by, before the password is right: nothing, in any part of an answer."""

from __future__ import annotations

import re
from html import escape

import pytest

from doorward.core.call import Call
from doorward.core.records import User
from tests.scenarios.client import Answer, Browser
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, set_up_app, sign_up

WRONG = "some other long password"
PLENTY = pytest.mark.options(policy={"tries_per_identifier": 1000, "tries_per_network": 10_000})


def tried(host: InProcessHost) -> dict[str, tuple[str, str]]:
    """Accounts in all states, and nobody's; the identifier and the password that a stranger tries."""
    sign_up(host, username="annie")
    set_up_app(host, sign_up(host, "second@example.com"))
    sign_up(host, "closing@example.com").post("/account/close")
    sign_up(host, "barred@example.com")
    host.auth.run(_bar)
    Browser(host).post("/sign-up", email="waiting@example.com", password=PASSWORD)
    return {
        "a wrong password": (ANN, WRONG),
        "a wrong password, by user name": ("annie", WRONG),
        "an account with a second step": ("second@example.com", WRONG),
        "an account that is being closed": ("closing@example.com", WRONG),
        "an account that is disabled": ("barred@example.com", PASSWORD),
        "an address that nobody has proved yet": ("waiting@example.com", PASSWORD),
        "nobody": ("nobody@example.com", PASSWORD),
        "what is no address": ("not an address", PASSWORD),
    }


async def _bar(call: Call) -> None:
    assert await call.store.change(User, {"email": "barred@example.com"}, active=False) == 1


def all_of(answer: Answer, identifier: str) -> object:
    """Status, header fields, cookies and body; without what is random in each of them, and what was typed."""
    cookies = {name: {**cookie, "value": len(cookie["value"])} for name, cookie in answer.cookies.items()}
    for cookie in cookies.values():
        cookie.pop("expires", None)
    headers = {name.lower(): value for name, value in answer.headers if name.lower() not in {"date", "set-cookie"}}
    text = re.sub(r'(name="csrf_token" value=")[^"]+', r"\1", answer.text).replace(escape(identifier), "")
    if "text/html" in headers["content-type"]:
        headers.pop("content-length", None)  # of what was typed, too
    return answer.status, sorted(headers.items()), sorted(cookies), str(cookies), text


@PLENTY
def test_a_program_can_not_tell_accounts_apart(host: InProcessHost) -> None:
    answers = {}
    for state, (identifier, password) in tried(host).items():
        answer = Browser(host).post("/sign-in/password", identifier=identifier, password=password)
        assert (answer.status, answer.reason) == (401, "wrong_credentials"), state
        assert answer.header("www-authenticate") == 'Bearer realm="doorward"'
        answers[state] = all_of(answer, "\0")
    assert len({repr(answer) for answer in answers.values()}) == 1, answers


@PLENTY
def test_nor_can_who_looks_at_pages(host: InProcessHost) -> None:
    answers = {}
    for state, (identifier, password) in tried(host).items():
        answer = Browser(host).form("/sign-in/password", "/sign-in", identifier=identifier, password=password)
        assert answer.status == 401, state
        assert identifier in answer.text
        answers[state] = all_of(answer, identifier)
    assert len({repr(answer) for answer in answers.values()}) == 1, answers


@PLENTY
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/password/forgot", "email"),
        ("/sign-in/email-code/send", "identifier"),
        ("/sign-in/magic-link/send", "identifier"),
        ("/sign-in/passkey/begin", "identifier"),
    ],
)
def test_nor_can_who_asks_for_a_letter(host: InProcessHost, path: str, field: str) -> None:
    answers = {}
    for state, (identifier, _) in tried(host).items():
        if "@" in identifier:
            answer = Browser(host).post(path, **{field: identifier})
            found = answer.json
            hidden = {name: found.pop(name, None) for name in ("attempt", "to", "options")}
            shape = [(name, len(str(value)) if name == "attempt" else bool(value)) for name, value in hidden.items()]
            answers[state] = (
                answer.status,
                found,
                shape,
                sorted(answer.cookies),
                [n.lower() for n, _ in answer.headers],
            )
    assert len({repr(answer) for answer in answers.values()}) == 1, answers
