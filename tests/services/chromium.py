"""A real browser for the tests: the system's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.services.processes import missing

QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("Chromium", "install it so that `chromium` is on the PATH")
    return path


@pytest.fixture(scope="module")
def more_flags() -> Sequence[str]:
    """What a module of tests asks of its browser beside what all do."""
    return ()


@pytest.fixture(scope="module")
def browser(chromium: str, more_flags: Sequence[str]) -> Iterator[Browser]:
    """One browser for a module: Playwright keeps an event loop running on this thread while it is open."""
    # As root, and in most containers, Chromium's own sandbox cannot start.
    flags = QUIET + (["--no-sandbox"] if os.getuid() == 0 or os.environ.get("CI") else [])
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=[*flags, *more_flags])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with cookies of its own; ten seconds for anything it waits for."""
    context = browser.new_context()
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()
