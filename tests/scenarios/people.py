"""What people do in many scenarios: sign up, sign in, set up a second step."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from doorward.primitives.rfc6238 import TotpKey, code_at_step, step_of
from tests.scenarios.client import Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost

ANN = "ann@example.com"
PASSWORD = "four crows on a fence post"
OTHER_PASSWORD = "seven herons in the morning fog"


def sign_up(host: InProcessHost, email: str = ANN, **more: Any) -> Browser:
    """A browser of somebody who has just made an account, signed in."""
    browser = Browser(host)
    begun = browser.post("/sign-up", email=email, password=PASSWORD, **more)
    assert begun.status == 202, begun.text
    done = browser.post("/email/verify", code=host.mail.code())
    assert done.status == 200, done.text
    return browser


def sign_in(who: Client, email: str = ANN, password: str = PASSWORD, **more: Any) -> Answer:
    return who.post("/sign-in/password", identifier=email, password=password, **more)


class App:
    """An authenticator app on somebody's telephone."""

    def __init__(self, host: InProcessHost, secret: str) -> None:
        self.host = host
        self.key = TotpKey(base64.b32decode(secret + "=" * (-len(secret) % 8)))

    def code(self) -> str:
        """The code of this moment. Codes are accepted once, so time goes on to the next one."""
        self.host.clock.now += timedelta(seconds=30)
        return code_at_step(self.key, step_of(self.host.clock.now))


def set_up_app(host: InProcessHost, who: Client) -> App:
    """Enrol an authenticator app for who is signed in."""
    begun = who.post("/totp/begin", name="telephone")
    assert begun.status == 200, begun.text
    app = App(host, begun.json["secret"])
    confirmed = who.post("/totp/confirm", code=app.code())
    assert confirmed.status == 200, confirmed.text
    return app
