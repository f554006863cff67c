"""By keyboard alone: every control is reached by Tab, shows that it is, and is used by Enter or Space."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.house import BrowserHouse
from tests.browser.person import ADDRESS, PASSWORD, every_page

Open = Callable[..., Page]

FOCUSED = """() => { const e = document.activeElement, s = getComputedStyle(e);
    return {name: e.labels?.[0]?.innerText ?? e.getAttribute('aria-label') ?? e.innerText ?? '',
            ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2}; }"""

# The number of the element with the focus among all, -1 for none; and whether it has a ring, within the screen.
WHERE = """() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
    const seen = b.bottom > 0 && b.top < innerHeight && b.right > 0 && b.left < innerWidth;
    return [e === document.body ? -1 : [...document.querySelectorAll('*')].indexOf(e),
            seen && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]; }"""
CONTROLS = """() => { const all = [...document.querySelectorAll('*')];
    return all.filter((e) => e.checkVisibility() && e.tabIndex >= 0
        && e.matches('a[href], button, summary, select, input:not([type=hidden])')).map((e) => all.indexOf(e)); }"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of this name has the focus, with a ring around it all the way."""
    passed = []
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["ring"], f"{focused['name']!r} does not show its focus"
        if focused["name"].split("\n")[0].removeprefix("←").strip().startswith(name):
            return
        passed.append(focused["name"])
    pytest.fail(f"{name!r} is not reached by Tab: {passed}")


def type_into(page: Page, name: str, text: str) -> None:
    tab_to(page, name)
    page.keyboard.type(text)


def test_the_whole_way_without_a_mouse(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.goto(house.url("/sign-in"))
    tab_to(page, "Create an account")
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/sign-up"))
    type_into(page, "Your name", "Ann")
    type_into(page, "E-mail address", ADDRESS)
    type_into(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/check-mail"))
    type_into(page, "Code from the letter", house.bare.mail.code())
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/?done=email.verify"))

    tab_to(page, "Security")
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/security"))
    tab_to(page, "Set up")  # passkeys
    tab_to(page, "Set up")
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/totp"))
    tab_to(page, "Show the QR code")
    page.keyboard.press("Space")
    page.wait_for_selector("#key")
    type_into(page, "Then type the code", house.code(page.locator("#key").inner_text()))
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/recovery-codes?done=totp.confirm"))
    tab_to(page, "Security")
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/security"))

    tab_to(page, "Remove")
    page.keyboard.press("Space")
    tab_to(page, "Remove this app")
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/security?done=totp.remove"))
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/sign-in?done=sign_out"))


def test_the_first_tab_skips_to_the_content(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.goto(house.url("/sign-in"))
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["name"] == "Skip to content"
    for _ in range(100):  # it slides in
        box = page.locator(".skip").bounding_box()
        if box is not None and box["y"] >= 0:
            break
        page.wait_for_timeout(20)
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    tab_to(page, "E-mail address or user name")
    assert page.evaluate("document.querySelectorAll('header a:focus').length") == 0


def test_after_a_mistake_the_focus_is_on_what_was_wrong(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.goto(house.url("/sign-up"))
    page.get_by_label("E-mail address").fill("nobody@localhost")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#problem")
    assert page.evaluate("document.activeElement.id") == "problem"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "email" or page.url.endswith("#email")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") in ("email", "password")


def test_every_control_of_every_page_is_reached_and_shows_that_it_is(open_page: Open, house: BrowserHouse) -> None:
    """At 320 pixels, by Tab alone; nothing holds the focus, and nothing hides it below the edge."""
    page = open_page(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    wrong: dict[str, object] = {}

    def look(name: str) -> None:
        reached, ringless = set(), []
        for _ in range(120):
            page.keyboard.press("Tab")
            at, ring = page.evaluate(WHERE)
            if at in reached:
                break
            if at >= 0:  # else at the end of the page: what was wrong had the focus first, so there is more before it
                reached.add(at)
            if at >= 0 and not ring:
                ringless.append(page.evaluate("document.activeElement.outerHTML"))
        missed = [at for at in page.evaluate(CONTROLS) if at not in reached]
        if missed or ringless:
            wrong[name] = (missed, ringless)

    every_page(page, house, look)
    assert wrong == {}
