"""How pages are made: static files, templates of a host, and values in the words of people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from doorward.core.refusals import Refused
from doorward.http.messages import Request
from doorward.http.pages import STATIC, Pages, shown
from doorward.locale import catalogues
from tests.http.bare import Bare
from tests.scenarios.client import Browser

PAGES = Pages()
ENGLISH = catalogues().language("en")


@pytest.fixture
def host() -> Bare:
    return Bare(views=PAGES)


def test_static_files_are_an_exact_table(host: Bare) -> None:
    assert set(STATIC) == {
        f"/static/{name}" for name in ("arches.svg", "doorward.css", "doorward.js", "icon.svg", "passkeys.js")
    }
    for path in (
        "/static/",
        "/static/../__init__.py",
        "/static/%2e%2e/__init__.py",
        "/static/..%2f__init__.py",
        "/static//doorward.css",
        "/static/doorward.css/",
        "/static/DOORWARD.css",
        "/static/nothing.css",
        "/static/doorward.css%00",
    ):
        assert Browser(host).send("GET", f"/auth{path}").status in (400, 404), path


def test_static_files_keep_for_five_minutes_and_change_their_address(host: Bare) -> None:
    page = Browser(host).page("/sign-in").text
    for kind in ("doorward.css", "doorward.js", "icon.svg"):
        (url,) = re.findall(rf'"(/auth/static/{re.escape(kind)}\?[\w-]+)"', page)
        file = Browser(host).send("GET", url)
        assert (file.status, file.header("cache-control")) == (200, "public, max-age=300")
        assert (file.header("etag") or "")[1:].startswith(url.partition("?")[2])
    assert Browser(host).send("GET", "/auth/static/doorward.js").header("content-type") == (
        "text/javascript; charset=utf-8"
    )


def test_the_style_is_small_and_ours_alone() -> None:
    style = STATIC["/static/doorward.css"].body.decode()
    assert len(style) < 16 * 1024
    assert re.findall(r"url\(([^)]*)\)", style) == ['"arches.svg"'] * 2
    assert "@import" not in style


# Rendering


def test_a_missing_word_is_a_mistake_and_shows_at_once() -> None:
    words = {"prefix": "/auth", "language": ENGLISH, "problem": None, "action": "", "query": {}}
    with pytest.raises(UndefinedError):
        Pages().render("sign_in.html", words)


def test_a_host_puts_its_own_templates_in_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "layout.html").write_text(
        '{% extends "doorward/layout.html" %}{% block foot %}<footer>Open till nine</footer>{% endblock %}'
    )
    (tmp_path / "sign_up.html").write_text("{{ service_name }} takes no new readers")
    host = Bare(views=Pages(templates=tmp_path))
    assert "<footer>Open till nine</footer>" in Browser(host).page("/sign-in").text
    assert Browser(host).page("/sign-up").text == "Doorward takes no new readers"


def test_templates_of_a_host_can_not_be_left(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "secret.html").write_text("secret")
    (tmp_path / "own" / "sign_in.html").write_text('{% include "../secret.html" ignore missing %}nothing')
    page = Browser(Bare(views=Pages(templates=tmp_path / "own"))).page("/sign-in")
    assert page.text == "nothing"


def test_pages_stand_under_another_prefix(host: Bare) -> None:
    text = host.site.html.problem_page(Request("GET", "/door/x", prefix="/door"), Refused("busy")).body.decode()
    assert 'href="/door/static/doorward.css?' in text
    assert "/auth" not in text
    assert "The next try is possible in 2 seconds." in text


# Words


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
         "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
         "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1",
         "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Gecko/130.0 Firefox/130.0", "Firefox on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18.0 Safari/605", "Safari on Mac"),
        ("curl/8.9.1", "curl"),
        ("<b>", "Unknown device"),
        ("", "Unknown device"),
    ],
)  # fmt: skip
def test_browsers_have_names(user_agent: str, name: str) -> None:
    assert shown.agent(user_agent, ENGLISH) == name


def test_values_are_shown_as_people_read_them() -> None:
    assert shown.moment("2026-11-03T09:05:00Z", ENGLISH) == "3 November 2026, 09:05 UTC"
    assert shown.grouped("ABCDEFGHIJ") == "ABCD EFGH IJ"
    assert shown.ways(["pwd", "otp", "mfa"], ENGLISH) == "password and authenticator app"
    assert tuple(shown.ways(amr, ENGLISH) for amr in (["pwd"], [], ["pwd", "email", "otp"])) == (
        "password", "", "password, mailed code and authenticator app",
    )  # fmt: skip
    assert [shown.waiting(s, ENGLISH) for s in (1, 45, 61, 3600, 7200)] == [
        "1 second", "45 seconds", "2 minutes", "60 minutes", "2 hours",
    ]  # fmt: skip


def test_what_is_wrong_with_an_unknown_field_is_said_in_its_own_words() -> None:
    errors = [{"field": "extra", "reason": "unknown", "detail": "this field is not known here"}]
    assert shown.sentences({"errors": errors}, ENGLISH) == {"extra": "This field is not known here."}
    assert shown.sentences(None, ENGLISH) == {}
