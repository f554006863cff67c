"""Pages in a real browser: the server as users run it, or a house whose clock a test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.house import BrowserHouse
from tests.server.conftest import serve

__all__ = ["serve"]

AXE = (Path(__file__).parent / "assets" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def house() -> Iterator[BrowserHouse]:
    """The pages in this process."""
    opened = BrowserHouse()
    yield opened
    opened.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Call it with options of a browser context. Whatever breaks the content policy or a script fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def opened(**options: Any) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        if options.get("java_script_enabled", True):
            context.expose_binding("tellViolation", lambda source, text: wrong.append(f"{source['page'].url}: {text}"))
            context.add_init_script(
                "addEventListener('securitypolicyviolation',"
                " (e) => tellViolation(`${e.violatedDirective} ${e.blockedURI}`))"
            )
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        page.on("console", lambda message: wrong.append(message.text) if is_complaint(message.text) else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


# What the browser remarks on, and is meant to be so.
MEANT = (
    # A form was refused, as was asked for.
    "Failed to load resource: the server responded with a status of 4",
    # The test is over and its server gone, while a page still asked for the challenge of its autofill.
    "Failed to load resource: net::ERR_CONNECTION_RE",
    # Who comes by a link to a new password is named masked (rule 32), so managers get no name there.
    "[DOM] Password forms should have (optionally hidden) username fields",
    # A key was pressed while the page was still coming.
    "Autofocus processing was blocked because a document already has a focused element.",
)


def is_complaint(text: str) -> bool:
    """Whether a console message is about our page."""
    return not text.startswith(MEANT)


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """The violations of accessibility rules (WCAG 2.2 A and AA, and best practices) on a page as it is now."""

    def run(page: Page) -> list[str]:
        page.evaluate(AXE)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", tags)
        return [f"{v['id']}: {node['html']}" for v in found["violations"] for node in v["nodes"]]

    return run
