"""How pages look and feel: accessible by axe's rules in light and dark, at every width, on paper, for big fingers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page

from doorward.core.theme import parse_theme
from doorward.http.pages import FORMS, Pages
from tests.browser.house import BrowserHouse
from tests.browser.person import begin_app, every_answer, every_page, press, sign_up

Open = Callable[..., Page]

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><path d="M0 0h90v30z"/></svg>'

# Controls lower than 44 CSS pixels. Links inside sentences are exempt (WCAG 2.2, 2.5.8), a box is pressed by its label.
SMALL = """() => [...document.querySelectorAll('button, .button, summary, label[for=remember], .below a, .back a,'
    + ' input:not([type=hidden]):not([type=checkbox]):not(.away)')]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(
    open_page: Open, house: BrowserHouse, axe: Callable[[Page], list[str]], scheme: Literal["light", "dark"]
) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    every_page(page, house, lambda name: found.update({name: axe(page)}))
    assert len(found) > 80
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


class Watched(Pages):
    """Remembers which templates were shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: set[str] = set()

    def render(self, template: str, words: Mapping[str, object]) -> str:
        self.shown.add(template)
        return super().render(template, words)


def test_no_page_of_the_package_is_left_out(open_page: Open) -> None:
    """What these tests look at is all there is: a template that no visit shows fails here."""
    views = Watched()
    house = BrowserHouse(views)
    deque(every_answer(house), maxlen=0)
    house.close()
    needed = {page.template for page in house.bare.doorward.pages.values()}
    needed |= {form.shows for form in FORMS.values()} - {""} | {"problem.html"}
    assert needed - views.shown == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_theme_and_a_logo_of_a_host_stay_within_the_policy_and_readable(
    open_page: Open, axe: Callable[[Page], list[str]], scheme: Literal["light", "dark"], tmp_path: Path
) -> None:
    (tmp_path / "logo.svg").write_text(LOGO)
    theme = parse_theme("accent=#c2185b; background=#f4f4f8; background_dark=#14111a; radius=0px; font=Georgia, serif")
    house = BrowserHouse(Pages(theme=theme, logo=str(tmp_path / "logo.svg")), rp_name="Acme")
    page = open_page(color_scheme=scheme, reduced_motion="reduce", viewport={"width": 320, "height": 640})
    page.goto(house.url("/sign-in"))
    assert page.get_by_role("link", name="Acme").locator("img").evaluate("(e) => e.complete && e.naturalWidth > 0")
    colours = {"light": "rgb(194, 24, 91)", "dark": "rgb(232, 68, 133)"}
    button = page.get_by_role("button", name="Sign in", exact=True)
    assert button.evaluate("(e) => getComputedStyle(e).backgroundColor") == colours[scheme]
    assert button.evaluate("(e) => getComputedStyle(e).borderRadius") == "0px"
    found = axe(page)
    sign_up(page, house.url, house.bare.mail.code)
    for path in ("/", "/security", "/sessions"):
        page.goto(house.url(path))
        found += axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    house.close()
    assert found == []


def test_a_script_in_a_picture_of_ours_does_not_run(open_page: Open, house: BrowserHouse) -> None:
    """The policy of pictures holds, should one get past the check."""
    page = open_page()
    page.goto(house.url("/static/icon.svg"))
    assert page.evaluate("document.contentType") == "image/svg+xml"
    assert page.evaluate("self.origin") == "null"


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_scrolls_sideways_and_everything_can_be_pressed(
    open_page: Open, house: BrowserHouse, width: int
) -> None:
    page = open_page(viewport={"width": width, "height": 640})
    wide: dict[str, int] = {}
    small: dict[str, list[str]] = {}

    def look(name: str) -> None:
        wide[name] = page.evaluate("document.documentElement.scrollWidth")
        small[name] = page.evaluate(SMALL)

    every_page(page, house, look)
    assert {name: pixels for name, pixels in wide.items() if pixels > width} == {}
    assert {name: controls for name, controls in small.items() if controls} == {}


def test_text_twice_as_large_still_fits(open_page: Open, house: BrowserHouse) -> None:
    """WCAG 2.2, 1.4.4 and 1.4.10: 200 % at 1280 pixels is 640 of them."""
    page = open_page(viewport={"width": 640, "height": 512}, device_scale_factor=2)
    sign_up(page, house.url, house.bare.mail.code)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_light_and_dark_are_two_designs(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.goto(house.url("/sign-in"))
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(245, 242, 236)", "rgb(16, 21, 19)"]


def test_nothing_moves_for_who_does_not_want_it(open_page: Open, house: BrowserHouse) -> None:
    page = open_page(reduced_motion="reduce")
    page.goto(house.url("/sign-in"))
    moving = "[...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).transitionDuration !== '0s').length"
    assert page.evaluate(moving) == 0


def test_recovery_codes_on_paper_are_the_codes_alone(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    sign_up(page, house.url, house.bare.mail.code)
    page.goto(house.url("/recovery-codes"))
    press(page, "Make ten codes")
    page.emulate_media(media="print")
    assert page.locator(".codes li").count() == 10
    assert page.locator(".codes").is_visible()
    assert page.locator(".paper").inner_text().startswith("Doorward: recovery codes of ann.catherine")
    for gone in (".actions", ".top form", ".below", ".back", ".areas", ".card .note"):
        assert not page.locator(gone).first.is_visible(), gone
    box = page.locator(".codes").bounding_box()
    last = page.locator(".codes li").last.bounding_box()
    assert box is not None
    assert last is not None
    assert last["x"] + last["width"] <= box["x"] + box["width"]


def test_the_qr_code_is_large_enough_for_a_camera(open_page: Open, house: BrowserHouse) -> None:
    page = open_page(viewport={"width": 320, "height": 640}, color_scheme="dark")
    sign_up(page, house.url, house.bare.mail.code)
    begin_app(page, house.url)
    box = page.locator(".qr svg").bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 180
    # White around it also in the dark: many cameras do not read it inverted.
    assert page.evaluate("getComputedStyle(document.querySelector('.qr')).backgroundColor") == "rgb(255, 255, 255)"
