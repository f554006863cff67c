"""People with passkeys, for the tests of pages: the script of the page is played by an authenticator in software."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from doorward.testing import SoftAuthenticator
from tests.http.bare import Bare
from tests.http.documents import Document
from tests.scenarios.client import FORM, HTML, Answer, Browser

ADDRESS = "passkeys@example.com"


def filled_in(browser: Browser, path: str, device: SoftAuthenticator, place: int = 0, **twists: Any) -> Answer:
    """Send the form of a page that wants a passkey, as static/passkeys.js does."""
    page = Document(browser.page(path).text)
    form = [element for element in page.all("form") if element.get("data-passkey")][place]
    begun = browser.post(form.get("data-begin").removeprefix("/auth"), **json.loads(form.get("data-asks")))
    make = device.register if form.get("data-passkey") == "create" else device.authenticate
    credential = json.dumps(make(begun.json["options"], **twists))
    fields = next(one for one in page.forms if "credential" in one.fields).fields
    asked = {"credential": credential, "attempt": begun.json["attempt"] or ""}
    return sent(browser, form.get("action"), {**fields, **asked})


def sent(browser: Browser, action: str, fields: dict[str, str]) -> Answer:
    return browser.raw(action.removeprefix("/auth"), urlencode(fields).encode(), FORM, **HTML)


def with_passkeys(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Every page about passkeys: an account without a password, its list, a second one, and a step-up."""
    ann, phone, key = Browser(host), SoftAuthenticator(origin=host.origin, synced=True), SoftAuthenticator()
    key.origin = host.origin
    yield "sign-up by passkey", ann.page("/sign-up/passkey")
    fields = Document(ann.page("/sign-up/passkey").text).forms[0].fields
    sent(ann, "/sign-up", {**fields, "email": ADDRESS})
    code = Document(ann.page("/check-mail").text).forms[0].fields
    asked = sent(ann, "/email/verify", {**code, "code": host.mail.code()})
    yield "new passkey", ann.follow(asked)
    yield "passkey is ready", ann.follow(filled_in(ann, "/sign-in/new-passkey", phone))
    yield "two passkeys", ann.follow(filled_in(ann, "/passkeys", key, place=1))
    yield "a passkey that lies", filled_in(ann, "/passkeys", SoftAuthenticator(), origin="https://evil.example")
    yield "security with passkeys", ann.page("/security")
    back = Browser(host)
    yield "refused passkey", filled_in(back, "/sign-in", phone, user_verified=False)
    yield "signed in by passkey", back.follow(filled_in(back, "/sign-in", phone))
    host.clock.forward(minutes=11)
    back.follow(back.page("/totp"))
    fields = Document(back.page("/step-up").text).forms[-1].fields
    sent(back, "/step-up", fields)
    yield "step-up by passkey", back.page("/sign-in/second-step")
    yield "fresh by passkey", back.follow(filled_in(back, "/sign-in/second-step", phone))
