"""Who had to set up a second factor first comes to the page that they wanted, without JavaScript too."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from doorward.http.pages import Pages
from doorward.presets import standard
from doorward.testing import SoftAuthenticator
from tests.http.bare import Bare
from tests.http.documents import Document
from tests.http.passkeys import filled_in
from tests.http.visits import ADDRESS, PASSWORD, now_code, send, shown_key, signed_up
from tests.scenarios.client import FORM, HTML, Answer, Browser

PAGES = Pages()
WANTED = "/shelf?by=year&from=1900"
WAY = "?" + urlencode({"return_to": WANTED})
LAST = f"/auth/recovery-codes?done=totp.confirm&{WAY[1:]}"


@pytest.fixture
def host() -> Bare:
    return Bare(views=PAGES)


def links(answer: Answer) -> dict[str, str]:
    return {link.text.strip(): link.get("href") for link in Document(answer.text).all("a")}


def fields_for(answer: Answer, path: str) -> dict[str, str]:
    """What the form for `path` sends by itself."""
    return next(form.fields for form in Document(answer.text).forms if form.action == f"/auth{path}")


def posted(browser: Browser, path: str, fields: dict[str, str]) -> Answer:
    return browser.raw(path, urlencode(fields).encode(), FORM, **HTML)


def path_of(answer: Answer) -> str:
    """Where a 303 leads, below the prefix."""
    assert answer.status == 303, answer.text
    return (answer.header("location") or "").removeprefix("/auth")


def with_app(host: Bare, ann: Browser, page: str) -> Answer:
    """Set up an app from a page, which is shown again with its key; a wrong code is typed first."""
    begun = path_of(send(ann, "/totp/begin", page))
    assert begun == page
    key = shown_key(ann.page(begun))
    wrong = send(ann, "/totp/confirm", begun, code="000000")
    assert wrong.status == 401
    return posted(ann, "/totp/confirm", fields_for(wrong, "/totp/confirm") | {"code": now_code(host, key)})


def test_an_app_leads_to_recovery_codes_and_then_to_the_page_wanted(host: Bare) -> None:
    ann = signed_up(host)
    done = with_app(host, ann, f"/totp{WAY}")
    assert done.header("location") == LAST
    assert links(ann.follow(done))["Not now"] == WANTED
    shown = send(ann, "/recovery-codes/generate", LAST.removeprefix("/auth"))
    assert links(shown)["I have kept them"] == WANTED


def test_a_passkey_leads_to_the_page_wanted(host: Bare) -> None:
    ann = signed_up(host)
    phone = SoftAuthenticator(origin=host.origin)
    assert filled_in(ann, f"/passkeys{WAY}", phone).header("location") == WANTED


def test_without_a_page_wanted_one_stays_in_the_account(host: Bare) -> None:
    ann = signed_up(host)
    phone = SoftAuthenticator(origin=host.origin)
    done = filled_in(ann, "/passkeys", phone)
    assert done.header("location") == "/auth/passkeys?done=passkeys.register.finish"
    codes = ann.follow(with_app(host, ann, "/totp"))
    assert links(codes)["Not now"] == "/auth/security"
    assert "return_to" not in codes.text


def test_a_stale_proof_on_the_way_is_made_fresh_and_the_way_goes_on(host: Bare) -> None:
    ann = signed_up(host)
    host.clock.forward(minutes=11)
    held = path_of(ann.page(f"/totp{WAY}"))
    assert held == "/step-up?" + urlencode({"return_to": f"/auth/totp{WAY}"})
    send(ann, "/step-up", held)
    back = send(ann, "/sign-in/password", "/sign-in/second-step", password=PASSWORD)
    assert with_app(host, ann, path_of(back)).header("location") == LAST


def test_a_form_that_was_open_for_too_long_keeps_the_way(host: Bare) -> None:
    ann = signed_up(host)
    fields = fields_for(ann.page(f"/totp{WAY}"), "/totp/begin")
    host.clock.forward(minutes=11)
    late = posted(ann, "/totp/begin", fields)
    assert path_of(late) == "/step-up?" + urlencode({"return_to": f"/auth/totp{WAY}"})


def test_who_enrols_on_the_way_in_sees_recovery_codes_before_the_page_wanted() -> None:
    host = Bare(views=PAGES, policy="strict")
    ann = Browser(host)
    send(ann, "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD, return_to=WANTED)
    send(ann, "/email/verify", "/check-mail", code=host.mail.code())
    assert with_app(host, ann, "/sign-in/set-up").header("location") == LAST


def test_where_there_are_no_recovery_codes_the_page_wanted_comes_at_once() -> None:
    host = Bare(*(one for one in standard() if type(one).__name__ != "Recovery"), views=PAGES)
    assert with_app(host, signed_up(host), f"/totp{WAY}").header("location") == WANTED


def test_who_has_no_javascript_goes_on_by_an_app_where_that_is_enough(host: Bare) -> None:
    ann, instead = signed_up(host), "Set up an authenticator app instead"
    assert links(ann.page(f"/passkeys{WAY}"))[instead] == f"/auth/totp{WAY}"
    assert instead not in links(ann.page(f"/passkeys{WAY}&acr_values=phr"))
    assert instead not in links(ann.page("/passkeys"))


def test_a_new_password_is_told_of_where_a_second_step_comes_first(host: Bare) -> None:
    with_app(host, signed_up(host), "/totp")
    for language, told in (("en", "Your new password is set."), ("de", "Ihr neues Passwort gilt.")):
        again = Browser(host, extra={"Accept-Language": language})
        send(again, "/password/forgot", "/password/forgot", email=ADDRESS)
        held = send(again, "/password/reset", "/password/reset", code=host.mail.code(), new_password=f"{PASSWORD}s")
        assert held.header("location") == "/auth/sign-in/second-step?done=password.reset"
        assert told in again.follow(held).text
        assert told not in again.page("/sign-in/second-step").text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "https://app.example.com@evil.example/",
        "/a/../b",
        "/%09/evil.example",
        "shelf",
        "/" + "a" * 2048,
    ],
)
def test_nobody_is_led_elsewhere(host: Bare, target: str) -> None:
    """Neither by a link, nor by a field of a form: one goes on to where everybody goes."""
    ann, way = signed_up(host), "?" + urlencode({"return_to": target})
    phone = SoftAuthenticator(origin=host.origin)
    for page in ("/totp", "/recovery-codes", "/passkeys"):
        shown = ann.page(page + way)
        assert (shown.status, target in shown.text) == (200, False), page
    begun = send(ann, "/totp/begin", "/totp", return_to=target)
    assert begun.header("location") == "/auth/totp"
    done = send(ann, "/totp/confirm", "/totp", code=now_code(host, shown_key(ann.follow(begun))), return_to=target)
    assert done.header("location") == "/auth/recovery-codes?done=totp.confirm"
    codes = send(ann, "/recovery-codes/generate", "/recovery-codes", return_to=target)
    assert links(codes)["I have kept them"] == "/auth/security"
    made = filled_in(ann, f"/passkeys{way}", phone)
    assert made.header("location") == "/auth/passkeys?done=passkeys.register.finish"


def test_a_way_too_long_for_one_url_is_dropped_and_no_dead_end(host: Bare) -> None:
    ann = signed_up(host)
    host.clock.forward(minutes=11)
    held = ann.page("/totp?" + urlencode({"return_to": "/" + "ä/" * 300 + "a"}))
    assert held.header("location") == "/auth/step-up?return_to=%2Fauth%2Ftotp"


def test_programs_say_return_to_where_an_action_knows_it_only(host: Bare) -> None:
    refused = signed_up(host).post("/totp/begin", return_to=WANTED)
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "return_to")
