"""What holds passkeys beside a browser: Chromium's own virtual authenticator, by the DevTools protocol."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.house import BrowserHouse
from tests.browser.person import press


class Device:
    """An authenticator of Chromium's own. `verifies`: its user's finger is the right one."""

    def __init__(self, page: Page, *, verifies: bool = True, present: bool = True, transport: str = "internal") -> None:
        self.page = page
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": present,
        }
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def say(self, verb: str, **more: Any) -> None:
        self.cdp.send(f"WebAuthn.{verb}", {"authenticatorId": self.id, **more})

    def present(self, there: bool) -> None:
        """Whether somebody touches it; as soon as it is asked, then."""
        self.say("setAutomaticPresenceSimulation", enabled=there)


def add_passkey(page: Page, house: BrowserHouse, label: str = "Add a passkey") -> None:
    page.goto(house.url("/passkeys"))
    press(page, label)
