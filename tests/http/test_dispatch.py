"""From a request to an answer, without a framework: routing, identity, effects and what goes wrong."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from doorward.core.action import Needs, action
from doorward.core.call import Call
from doorward.core.feature import Feature, Page
from doorward.core.ports import Unavailable
from doorward.core.refusals import REASONS, Refused
from doorward.http.dispatch import etag_of
from doorward.http.messages import Headers, Request, Response
from doorward.http.problems import document_of, problem
from tests.http.bare import Bare, PlainViews
from tests.scenarios.client import HTML, Browser, Client


@action("toy.echo", method="GET")
async def echo(call: Call, *, text: str = "", number: int = 0, flag: bool = False) -> dict[str, Any]:
    """Say what came."""
    return {"text": text, "number": number, "flag": flag}


@action("toy.refuse")
async def refuse(call: Call, *, reason: str) -> None:
    """Refuse with a reason."""
    raise Refused(reason, methods=("totp",) if reason == "fresh_proof_required" else ())


@action("toy.break")
async def broken(call: Call, *, how: str) -> None:
    """Go wrong."""
    raise Unavailable("gone") if how == "away" else ZeroDivisionError(how)


@action("toy.bearerless", needs=Needs.SIGNED_IN, bearer=False)
async def bearerless(call: Call) -> str:
    """Not for programs."""
    return "in"


@action("toy.document", method="GET", cacheable=True, url="/toy.json")
async def document(call: Call) -> dict[str, int]:
    """The same for everybody."""
    return {"one": 1}


class Toy(Feature):
    actions = (echo, refuse, broken, bearerless, document)
    pages = (Page("/toy/echo", "toy.html"), Page("/alone", "alone.html"))


@pytest.fixture
def bare() -> Bare:
    return Bare(Toy())


def test_one_path_may_be_a_page_and_an_action(bare: Bare) -> None:
    assert Client(bare).get("/toy/echo").json == {"text": "", "number": 0, "flag": False}
    assert "<h1>toy.html</h1>" in Browser(bare).page("/toy/echo").text
    assert "<h1>alone.html</h1>" in Client(bare).get("/alone").text


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        ("text/html", True),
        ("application/xhtml+xml, text/html;q=0.9", True),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("text/html;q=0.4, application/json;q=0.8", False),
        ("text/html;q=0.8, application/json;q=0.4", True),
        ("text/html;q=0, */*", False),
        ("text/html;q=nan", False),
        ("text/html;q=-1", False),
        ("TEXT/HTML", True),
        ("text/*", False),
        (",;=,text/html;level=1", True),
        ("text/html," * 100, True),
    ],
)
def test_html_is_what_asks_for_html(bare: Bare, accept: str, is_page: bool) -> None:
    answer = Client(bare).get("/toy/echo", {"Accept": accept})
    assert (answer.header("content-type") or "").startswith("text/html") is is_page


def test_arguments_of_a_get_are_text_that_is_read_by_its_type(bare: Bare) -> None:
    answer = Client(bare).get("/toy/echo", text="a b", number="12", flag="true")
    assert answer.json == {"text": "a b", "number": 12, "flag": True}
    for wrong in ("-1", "1.5", "١", "9" * 30, "1e3"):
        assert Client(bare).get("/toy/echo", number=wrong).json["errors"][0]["field"] == "number"


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_its_problem(bare: Bare, reason: str) -> None:
    answer = Client(bare).post("/toy/refuse", reason=reason)
    word = REASONS[reason]
    assert answer.status == word.status
    assert answer.json["type"].startswith("https://")
    assert answer.json["type"].endswith(f"/{reason}")
    assert (answer.json["title"], answer.json["detail"], answer.json["reason"]) == (word.title, word.detail, reason)
    assert (answer.header("retry-after") is not None) is (word.status in (429, 503))
    assert (answer.header("www-authenticate") is not None) is (word.status == 401 or reason == "not_permitted")
    assert ("errors" in answer.json) is (reason == "invalid_input")
    assert answer.header("cache-control") == "no-store"


def test_a_challenge_names_the_cure() -> None:
    fresh = problem(Refused("fresh_proof_required", methods=("totp",)), fresh_within=300)
    assert fresh.header("WWW-Authenticate") == (
        'Bearer realm="doorward", error="insufficient_user_authentication", max_age=300, acr_values="aal2"'
    )
    assert document_of(Refused("fresh_proof_required"))["methods"] == []
    assert problem(Refused("too_many_attempts", retry_after=7)).header("Retry-After") == "7"
    assert document_of(Refused("too_many_attempts", retry_after=0))["retry_after"] == 1


def test_the_world_away_is_503_and_a_mistake_500(bare: Bare, caplog: pytest.LogCaptureFixture) -> None:
    request = Request("POST", "/auth/toy/break", headers=Headers([("Host", "app.example.com")]))
    away, wrong = (bare.site.failed(request, error) for error in (Unavailable("gone"), ZeroDivisionError("inside")))
    assert (away.status, away.header("Retry-After"), b"gone" in away.body) == (503, "2", False)
    assert (wrong.status, b"inside" in wrong.body) == (500, False)
    for how, error in (("away", Unavailable), ("wrong", ZeroDivisionError)):
        with caplog.at_level(logging.CRITICAL), pytest.raises(error):
            Client(bare).post("/toy/break", how=how)


def test_some_actions_are_not_for_programs() -> None:
    bare = Bare(Toy(), views=PlainViews())
    assert Client(bare, bearer="x").post("/toy/bearerless").reason == "invalid_bearer"
    assert Client(bare).post("/toy/bearerless").reason == "not_signed_in"


def test_a_document_is_for_caches(bare: Bare) -> None:
    answer = Client(bare).get("/toy.json")
    assert (answer.json, answer.header("etag")) == ({"one": 1}, etag_of(b'{"one":1}'))
    assert answer.header("vary") is None
    assert answer.all("x-content-type-options") == ["nosniff"]
    again = Client(bare).get("/toy.json", {"If-None-Match": f'"other", {answer.header("etag")}'})
    assert (again.status, again.body, again.header("content-type")) == (304, b"", None)


def test_a_refusal_of_a_browser_is_a_page(bare: Bare) -> None:
    for path, status in (("/nowhere", 404), ("/toy/refuse", 405)):
        answer = Browser(bare).page(path)
        assert answer.status == status
        assert "problem.html" in answer.text
        assert answer.header("content-security-policy") is not None
    assert Browser(bare).page("/toy/refuse").header("allow") == "POST"


def test_the_prefix_is_where_it_is_mounted(bare: Bare) -> None:
    request = Request("GET", "/shop/auth/toy/echo", headers=Headers([("Host", "app.example.com")]), prefix="/shop/auth")
    assert not isinstance(bare.site.receive(request), Response)
    elsewhere = Request("GET", "/auth/toy/echo", headers=request.headers, prefix="/shop/auth")
    answer = bare.site.receive(elsewhere)
    assert isinstance(answer, Response)
    assert answer.status == 404


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        ("/auth", True),
        ("/auth/", True),
        ("/auth/x", True),
        ("/.well-known/jwks.json", True),
        ("/authors", False),
        ("/", False),
        ("/Auth/x", False),
        ("/.well-known/other", False),
    ],
)
def test_what_is_ours_to_answer(bare: Bare, path: str, is_ours: bool) -> None:
    assert bare.site.owns(path) is is_ours


def test_html_goes_to_who_takes_it_only(bare: Bare) -> None:
    answer = Client(bare).raw("/toy/refuse", b"{", "application/json", **HTML)
    assert answer.header("content-type") == "application/problem+json"
