"""Somebody in front of the pages: the words on the screen are all that this code goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from playwright.sync_api import Locator, Page

from tests.browser.house import BrowserHouse
from tests.http import visits
from tests.http.bare import Bare
from tests.scenarios.client import Answer

ADDRESS = "ann.catherine.lindqvist@students.university.example"
SECOND_ADDRESS = "ann.catherine.lindqvist-bergstroem@new.example"
PASSWORD = "four crows on a fence post"


def control(page: Page, label: str) -> Locator:
    """A button or link by its words, whichever it is."""
    button = page.get_by_role("button", name=label, exact=True)
    return button.or_(page.get_by_role("link", name=label, exact=True)).first


def press(page: Page, label: str) -> None:
    """A button or link that leads to another page; returns when that is there."""
    with page.expect_navigation():
        control(page, label).click()


def open_area(page: Page, name: str) -> None:
    """By the navigation of the account area."""
    with page.expect_navigation():
        page.get_by_role("navigation", name="Your account").get_by_role("link", name=name, exact=True).click()


def sign_up(page: Page, url: Callable[[str], str], code: Callable[[], str], address: str = ADDRESS) -> None:
    page.goto(url("/sign-up"))
    page.get_by_label("Your name").fill("Ann Lindqvist")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Continue")
    page.get_by_label("Code from the letter").fill(code())
    press(page, "Continue")
    page.wait_for_url(url("/?done=email.verify"))


def sign_in(page: Page, url: Callable[[str], str], address: str = ADDRESS, password: str = PASSWORD) -> None:
    page.goto(url("/sign-in"))
    page.get_by_label("E-mail address or user name").fill(address)
    page.get_by_label("Password", exact=True).fill(password)
    press(page, "Sign in")


def begin_app(page: Page, url: Callable[[str], str], name: str = "Work phone") -> str:
    """From one's account to the key of a new app."""
    page.goto(url("/security"))
    press(page, "Set up an authenticator app")
    page.get_by_label("A name for this app").fill(name)
    press(page, "Show the QR code")
    return page.locator("#key").inner_text()


def every_page(page: Page, house: BrowserHouse, look: Callable[[str], None]) -> None:
    """Every page in every state that tests/http knows, as it was answered there; `look` is called on each."""
    for name, answer in every_answer(house):
        page.goto(house.show(answer))
        look(name)


def every_answer(house: BrowserHouse) -> Iterator[tuple[str, Answer]]:
    yield from visits.tour(house.bare)
    yield from visits.enrolling(Bare(views=house.bare.site.views, origin=house.origin, policy="strict"))


def tour(page: Page, house: BrowserHouse, look: Callable[[str], None]) -> None:
    """One person's life on the pages, by what can be seen of them; `look` is called on each with its name."""
    for name in _strangers(page, house):
        look(name)
    sign_up(page, house.url, house.bare.mail.code)
    for name in _members(page, house):
        look(name)
    for name in _addresses(page, house):
        look(name)
    for name in _returning(page, house):
        look(name)
    for name in _leaving(page, house):
        look(name)


def _strangers(page: Page, house: BrowserHouse) -> Iterator[str]:
    for path in ("/sign-in", "/sign-up", "/no-such-page"):
        page.goto(house.url(path))
        yield path
    sign_in(page, house.url, "nobody@example.com")
    yield "wrong password"
    page.goto(house.url("/sign-up"))
    page.get_by_label("E-mail address").fill("nobody@localhost")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Continue")
    yield "wrong address"
    page.get_by_label("E-mail address").fill("other@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Continue")
    yield "check mail"
    page.locator("summary").click()
    yield "no letter"
    press(page, "Send another letter")
    yield "letter sent again"
    page.get_by_label("Code from the letter").fill("000000")
    press(page, "Continue")
    yield "wrong code"
    page.goto(house.url(f"/email/verify?token={house.bare.mail.token()}"))
    yield "link"
    page.context.clear_cookies()  # as in another browser
    page.reload()
    press(page, "Yes, confirm it")
    yield "choose password"
    page.goto(house.url("/email/verify?token=AAAA"))
    yield "bad link"


def _members(page: Page, house: BrowserHouse) -> Iterator[str]:
    yield "home"
    for area in ("Profile", "Security", "Devices", "API keys"):
        open_area(page, area)
        yield area
    press(page, "Make a key")
    page.get_by_label("Name").fill("Nightly report of all orders and returns, for the warehouse")
    page.get_by_label("Scopes").fill('orders.read "warehouse.returns.write"')
    press(page, "Make the key")
    yield "wrong scopes"
    page.get_by_label("Scopes").fill("orders.read warehouse.returns.write")
    press(page, "Make the key")
    yield "new API key"
    press(page, "The program has it")
    page.locator(".rows summary").click()
    yield "API keys"
    press(page, "Revoke this key")
    yield "API key revoked"
    page.goto(house.url("/"))
    secret = begin_app(page, house.url)
    yield "QR code"
    page.get_by_label("Then type the code it shows").fill("000000")
    press(page, "Turn it on")
    yield "wrong code of the app"
    page.get_by_label("Then type the code it shows").fill(house.code(secret))
    press(page, "Turn it on")
    yield "recovery codes"
    press(page, "Make ten codes")
    yield "codes"
    press(page, "I have kept them")
    yield "security with all"
    page.locator(".rows summary").click()
    yield "about to remove"
    house.bare.clock.forward(minutes=11)
    press(page, "Change password")
    yield "step-up"
    press(page, "Continue")
    yield "step-up by password"
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Continue")
    page.get_by_label("Code from the app").fill(house.code(secret))
    press(page, "Continue")
    yield "change password"
    page.get_by_label("Current password", exact=True).fill("wrong")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    press(page, "Change password")
    yield "wrong present password"


def _addresses(page: Page, house: BrowserHouse) -> Iterator[str]:
    page.goto(house.url("/email"))
    yield "one address"
    page.get_by_label("E-mail address", exact=True).fill(SECOND_ADDRESS)
    press(page, "Add it")
    yield "code for an address"
    page.goto(house.url("/email"))
    yield "an address that waits"
    page.goto(house.url(f"/email/verify?token={house.bare.mail.token()}"))
    yield "link for who asked"
    press(page, "Yes, confirm it")
    yield "home with two addresses"
    page.goto(house.url("/email"))
    press(page, f"Make main {SECOND_ADDRESS}")
    page.locator("summary").first.click()
    yield "two addresses"
    (letter, *_) = [one for one in house.bare.mail.letters[::-1] if one.words.get("undo_link")]
    page.goto(letter.words["undo_link"])
    yield "undo"
    page.goto(house.url("/"))


def _returning(page: Page, house: BrowserHouse) -> Iterator[str]:
    press(page, "Sign out")
    yield "signed out"
    sign_in(page, house.url)
    yield "second step"
    press(page, "Use a recovery code instead")
    yield "recovery code"


def _leaving(page: Page, house: BrowserHouse) -> Iterator[str]:
    """Somebody of no second factor looks at the profile, takes everything along, and closes the account."""
    page.context.clear_cookies()
    sign_up(page, house.url, house.bare.mail.code, "leaving@example.com")
    for path in ("/account", "/account/export", "/account/close"):
        page.goto(house.url(path))
        yield path
    press(page, "Close my account")
    yield "closed"
    page.goto(house.url(f"/account/undo?token={house.bare.mail.token()}"))
    yield "keep it, by link"
    sign_in(page, house.url, "leaving@example.com")
    yield "keep it?"
    press(page, "Keep it and sign in")
