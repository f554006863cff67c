"""Back in by a letter: pages in a real browser, letters from a real mail server."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from tests.browser.house import code_of
from tests.browser.person import ADDRESS, PASSWORD, begin_app, control, open_area, press, sign_in, sign_up
from tests.browser.test_whole_way import mailed_code, now, site
from tests.services.smtp import SmtpSink

__all__ = ["site"]

Open = Callable[..., Page]
Site = Callable[[str], str]
NEW = "seven owls in a tall tree"


def link_in(sink: SmtpSink, about: str) -> str:
    """The link in the newest letter that has one to this page."""
    for letter in reversed(sink.messages):
        if found := re.search(rf"^http://localhost:\d+\S*{about}\?token=\S+$", letter.text, re.MULTILINE):
            return found[0]
    pytest.fail(f"no letter has a link to {about}")


def ask_by_mail(page: Page, site: Site, sink: SmtpSink, return_to: str = "") -> str:
    """Ask for a link to sign in; what the letter brings."""
    before = len(sink.messages)
    page.goto(site("/sign-in") + return_to)
    press(page, "Sign in by e-mail")
    press(page, "Send me a link instead")
    page.get_by_label("E-mail address or user name").fill(ADDRESS)
    press(page, "Send me a link")
    assert "a letter with a link is on its way" in page.locator("main").inner_text()
    sink.wait(before + 1)
    return link_in(sink, "/sign-in/magic-link")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_forgotten_password_is_reset_by_its_link_and_the_second_step_stays(
    open_page: Open, site: Site, smtp_sink: SmtpSink, script: bool
) -> None:
    page = open_page(java_script_enabled=script)
    sign_up(page, site, lambda: mailed_code(smtp_sink))
    secret = begin_app(page, site)
    page.get_by_label("Then type the code it shows").fill(code_of(secret, now()))
    press(page, "Turn it on")
    smtp_sink.wait(2)

    other = open_page(java_script_enabled=script)
    other.goto(site("/sign-in"))
    press(other, "Forgot your password?")
    other.get_by_label("E-mail address").fill(ADDRESS)
    press(other, "Send me a letter")
    smtp_sink.wait(3)
    link = link_in(smtp_sink, "/password/reset")
    for _ in range(2):  # looked at by a mail scanner, too
        other.goto(link)
    assert "a•••@students.university.example" in other.locator("main").inner_text()
    other.get_by_label("New password", exact=True).fill(NEW)
    press(other, "Change password")
    other.wait_for_url(site("/sign-in/second-step?done=password.reset"))
    # A code works once; that of the next half minute is taken already.
    other.get_by_label("Code from the app").fill(code_of(secret, now() + timedelta(seconds=30)))
    press(other, "Continue")
    other.wait_for_url(site("/"))
    open_area(other, "Devices")
    assert other.locator("main .rows > li").count() == 1

    page.goto(site("/"))
    assert "/sign-in?return_to=" in page.url  # it was signed out
    sign_in(page, site, password=PASSWORD)
    assert page.locator("#problem").is_visible()
    page.goto(link)
    page.get_by_label("New password", exact=True).or_(
        page.get_by_role("heading", name="Link not valid")
    ).first.wait_for()
    assert page.get_by_role("heading", level=1).inner_text() == "Link not valid"


def test_a_mailed_link_signs_in_where_it_was_asked_for(open_page: Open, site: Site, smtp_sink: SmtpSink) -> None:
    page = open_page()
    sign_up(page, site, lambda: mailed_code(smtp_sink))
    press(page, "Sign out")
    page.goto(ask_by_mail(page, site, smtp_sink, "?return_to=/auth/security"))
    said = page.locator("main").inner_text()
    assert "a•••@students.university.example" in said
    assert "another browser" not in said
    press(page, "Yes, sign me in")
    page.wait_for_url(site("/security"))


def test_a_mailed_link_in_another_browser_says_so_and_asks_first(
    open_page: Open, site: Site, smtp_sink: SmtpSink
) -> None:
    page = open_page()
    sign_up(page, site, lambda: mailed_code(smtp_sink))
    press(page, "Sign out")
    link = ask_by_mail(page, site, smtp_sink)
    other = open_page()
    other.goto(link)
    assert "It was asked for in another browser" in other.locator("main").inner_text()
    other.goto(site("/"))
    assert "/sign-in?return_to=" in other.url  # having looked lets nobody in
    other.goto(link)
    press(other, "Yes, sign me in")
    other.wait_for_url(site("/"))
    assert control(other, "Sign out").is_visible()
    page.goto(site("/"))
    assert "/sign-in?return_to=" in page.url  # who asked is not signed in by it
