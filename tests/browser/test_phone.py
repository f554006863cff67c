"""A phone in a real browser: a number is added, and a day later a code that comes to it is the second step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser.house import BrowserHouse
from tests.browser.person import begin_app, press, sign_in, sign_up
from tests.browser.test_looks import SMALL

Open = Callable[..., Page]


def live(page: Page, house: BrowserHouse, look: Callable[[Page], None]) -> None:
    """Add a number, sign in by a code that comes to it, and remove it; `look` is called on each page."""
    sms = house.bare.sms
    sign_up(page, house.url, house.bare.mail.code)
    secret = begin_app(page, house.url)
    page.get_by_label("Then type the code it shows").fill(house.code(secret))
    press(page, "Turn it on")
    page.goto(house.url("/security"))
    press(page, "Add a phone number")
    look(page)
    page.get_by_label("Mobile number").fill("0171 1234567")
    press(page, "Send the code")
    look(page)
    page.get_by_label("Code from the message").fill("000000")
    press(page, "Confirm")
    look(page)
    page.get_by_label("Code from the message").fill(sms.code())
    press(page, "Confirm")
    assert page.get_by_role("status").inner_text() == "Your number is confirmed."
    look(page)
    house.bare.clock.forward(hours=24)
    page.context.clear_cookies()
    sign_in(page, house.url, "+491711234567")
    press(page, "Use a text message instead")
    look(page)
    press(page, "Send me a code")
    look(page)
    code = page.get_by_label("Code from the message")
    assert (code.get_attribute("autocomplete"), code.get_attribute("inputmode")) == ("one-time-code", "numeric")
    page.locator("summary").click()
    press(page, "Send another message")
    page.get_by_label("Code from the message").fill(sms.code())
    press(page, "Continue")
    page.wait_for_url(house.url("/"))
    page.goto(house.url("/phone"))
    look(page)
    page.locator("summary").click()
    press(page, "Remove this number")
    assert page.get_by_role("status").inner_text() == "The number is removed."


@pytest.fixture
def german() -> BrowserHouse:
    return BrowserHouse(phone_region="DE")


@pytest.mark.parametrize("script", [True, False])
def test_a_whole_life_of_a_number_with_and_without_javascript(
    open_page: Open, german: BrowserHouse, script: bool
) -> None:
    live(open_page(java_script_enabled=script), german, lambda page: None)
    german.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_pages_are_accessible_and_fit_a_phone(
    open_page: Open, german: BrowserHouse, axe: Callable[[Page], list[str]], scheme: Literal["light", "dark"]
) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce", viewport={"width": 320, "height": 640})
    found: list[str] = []

    def look(page: Page) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
        assert page.evaluate(SMALL) == [], page.url
        found.extend(axe(page))

    live(page, german, look)
    german.close()
    assert found == []
