"""The whole way, as users run it: `doorward serve`, a real mail server, a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from tests.browser.house import code_of
from tests.browser.person import ADDRESS, begin_app, control, open_area, press, sign_in, sign_up
from tests.server.conftest import Served
from tests.services.smtp import SmtpSink

Open = Callable[..., Page]


@pytest.fixture
def site(serve: Callable[..., Served], smtp_sink: SmtpSink) -> Callable[[str], str]:
    """The URL of a page of a server that sends letters to the sink."""
    served = serve(SMTP_URL=f"smtp://127.0.0.1:{smtp_sink.port}?tls=none", MAIL_FROM="door@example.com")
    return lambda path: f"http://localhost:{served.port}/auth{path}"


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_sign_up_through_a_letter_to_a_second_factor_and_recovery(
    open_page: Open, site: Callable[[str], str], smtp_sink: SmtpSink, script: bool
) -> None:
    page = open_page(java_script_enabled=script)
    sign_up(page, site, lambda: mailed_code(smtp_sink))
    assert "Ann Lindqvist" in page.locator("main").inner_text()

    secret = begin_app(page, site)
    page.get_by_label("Then type the code it shows").fill(code_of(secret, now()))
    press(page, "Turn it on")
    assert page.get_by_role("status").inner_text().startswith("Your authenticator app is connected.")
    press(page, "Make ten codes")
    codes = page.locator(".codes code").all_inner_texts()
    with page.expect_download() as downloaded:
        control(page, "Download").click()
    kept = downloaded.value.path().read_text(encoding="utf-8")
    assert downloaded.value.suggested_filename == "recovery-codes.txt"
    assert [line for line in kept.splitlines() if line in codes] == codes
    assert ADDRESS in kept

    press(page, "Sign out")
    sign_in(page, site)
    # A code works once; that of the next half minute is taken already.
    page.get_by_label("Code from the app").fill(code_of(secret, now() + timedelta(seconds=30)))
    press(page, "Continue")
    page.wait_for_url(site("/"))
    open_area(page, "Devices")
    assert "password and authenticator app" in page.locator("main").inner_text()

    press(page, "Sign out")
    sign_in(page, site)
    press(page, "Use a recovery code instead")
    page.get_by_label("Recovery code").fill(codes[3].upper().replace("-", " "))
    press(page, "Continue")
    assert page.get_by_role("status").inner_text().startswith("You used a recovery code.")
    open_area(page, "Security")
    assert page.locator("main li", has_text="Recovery codes").locator(".badge").inner_text() == "9 left"


def test_the_link_in_the_letter_works_in_the_same_browser_and_its_page_asks_first(
    open_page: Open, site: Callable[[str], str], smtp_sink: SmtpSink
) -> None:
    page = open_page()
    page.goto(site("/sign-up?return_to=/auth/totp"))
    page.get_by_label("E-mail address").fill("bo@example.com")
    page.get_by_label("Password", exact=True).fill("four crows on a fence post")
    press(page, "Continue")
    (letter,) = smtp_sink.wait()
    (link,) = re.findall(r"http://localhost:\d+\S+token=\S+", letter.text)
    page.goto(link)
    assert "b•••@example.com" in page.locator("main").inner_text()
    press(page, "Yes, confirm it")
    page.wait_for_url(site("/totp"))


def mailed_code(sink: SmtpSink) -> str:
    """The code in the last letter of the first sign-up."""
    (letter,) = sink.wait()
    (code,) = re.findall(r"^\s*(\d{6})\s*$", letter.text, re.MULTILINE)
    return str(code)


def now() -> datetime:
    return datetime.now(UTC)
