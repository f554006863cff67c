"""Addresses as people change them: pages in a real browser, letters from a real mail server, no JavaScript needed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.person import ADDRESS, open_area, press, sign_in, sign_up
from tests.browser.test_whole_way import mailed_code, site
from tests.services.smtp import SmtpSink

__all__ = ["site"]

Open = Callable[..., Page]
NEW = "ann@new.example"


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_address_is_added_made_the_main_one_and_that_undone_by_a_letter(
    open_page: Open,
    site: Callable[[str], str],
    smtp_sink: SmtpSink,
    script: bool,
) -> None:
    page = open_page(java_script_enabled=script)
    sign_up(page, site, lambda: mailed_code(smtp_sink))
    open_area(page, "Profile")
    press(page, "Manage e-mail addresses")
    page.get_by_label("E-mail address", exact=True).fill(NEW)
    press(page, "Add it")
    letter = smtp_sink.wait(2)[1]
    (code,) = re.findall(r"^\s*(\d{6})\s*$", letter.text, re.MULTILINE)
    page.get_by_label("Code from the letter").fill(code)
    press(page, "Continue")
    assert page.get_by_role("status").inner_text() == "Your address is confirmed."

    open_area(page, "Profile")
    press(page, "Manage e-mail addresses")
    press(page, f"Make main {NEW}")
    assert page.locator("li", has_text=NEW).locator(".badge").inner_text() == "main"

    told = smtp_sink.wait(6)[4:]
    links = [link for one in told for link in re.findall(r"http://localhost:\d+\S+undo\?token=\S+", one.text)]
    assert len(links) == 1
    page.goto(links[0])
    press(page, "Undo the change")
    assert page.get_by_role("status").inner_text().startswith("The change is undone")
    sign_in(page, site)
    open_area(page, "Profile")
    press(page, "Manage e-mail addresses")
    assert page.locator("li", has_text=ADDRESS).locator(".badge").inner_text() == "main"
