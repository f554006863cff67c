"""A site without a framework around it, over a store in memory: what the tests of this folder talk to."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from doorward.core.call import Call
from doorward.core.doorward import Doorward
from doorward.core.feature import Feature
from doorward.core.finish import finish
from doorward.core.records import OutboxMessage
from doorward.core.settings import load_settings
from doorward.http.dispatch import Site
from doorward.http.messages import MAX_BODY, Headers, Request, Response
from doorward.http.views import Form, Static
from doorward.http.visit import Visit
from doorward.presets import standard
from doorward.stores.memory import MemoryStores
from doorward.testing.doubles import ORIGIN, SECRET, CheapHash, Clock, MailBox, SmsBox
from tests.scenarios.client import Answer, Pairs


class FreeLimits:
    """Counts nothing."""

    async def hit(self, key: str, *, most: int, seconds: int) -> int:
        return 0

    async def once(self, key: str, *, seconds: int) -> bool:
        return True

    async def forget(self, key: str) -> None:
        return None


class PlainViews:
    """Pages that show their words, so that a test can look at them."""

    static = {"/static/style.css": Static("text/css", b"body {}", '"style"')}
    forms = {
        "sign_up": Form("/sign-up"),
        "email.verify": Form("/check-mail"),
        "sign_in.password": Form("/sign-in"),
        "sign_in.totp": Form("/sign-in/second-step"),
        "password.change": Form("/password/change"),
        "recovery_codes.generate": Form("/recovery-codes", shows="codes.html"),
        "sign_out": Form("/", then="/sign-in"),
    }
    steps = {"prove": "/sign-in/second-step", "verify email": "/check-mail", "enroll password": "/sign-up/password"}
    sign_in = "/sign-in"
    step_up = "/step-up"
    set_up: ClassVar = {"totp": "/totp"}

    def render(self, template: str, words: Mapping[str, object]) -> str:
        shown = "".join(f"<p>{name}: {value!r}</p>" for name, value in words.items() if name != "csrf_token")
        return f'<h1>{template}</h1>{shown}<input name="csrf_token" value="{words["csrf_token"]}">'


class Bare:
    """A host of nothing but the http layer. `seen` holds what the last request became."""

    def __init__(self, *features: Feature, views: Any = None, post: Callable[..., Any] | None = None, **settings: Any):
        self.clock, self.mail, self.sms, self.hash = Clock(), MailBox(), SmsBox(), CheapHash()
        texting = {"sms_url": "console:", "sms_countries": "DE"}
        given = {"secret": SECRET, "origin": ORIGIN, **texting, **settings}
        self.doorward = Doorward(
            settings=load_settings(given),
            features=features or standard(),
            limits=FreeLimits(),
            clock=self.clock,
            random=os.urandom,
            post=post or self.post,
        )
        self.origin = str(self.doorward.world.settings.origin)
        self.mail.keyring = self.sms.keyring = self.doorward.world.keyring
        self.stores = MemoryStores(self.doorward.records)
        self.site = Site(self.doorward, views or PlainViews())
        self.visit: Visit | None = None

    def post(self, messages: tuple[OutboxMessage, ...], /) -> None:
        self.mail(messages)
        self.sms(messages)

    def run(self, story: Callable[[Call], Awaitable[Any]]) -> Any:
        """A story with a call of nobody's."""

        async def unit() -> Any:
            async with self.stores.unit("sync") as store:
                return await story(self.doorward.call(store, self.hash))

        return finish(unit())

    def send(self, method: str, target: str, headers: Pairs, body: bytes = b"", peer: str = "192.0.2.1") -> Answer:
        path, _, query = target.partition("?")
        request = Request(method, path, query, Headers(headers), body[: MAX_BODY + 1], peer)
        response = self.answer(request)
        return Answer(response.status, response.headers, response.body)

    def answer(self, request: Request) -> Response:
        visit = self.site.receive(request)
        if isinstance(visit, Response):
            return visit
        self.visit = visit
        return finish(self._answer(visit))

    async def _answer(self, visit: Visit) -> Response:
        async with self.stores.unit("sync") as store:
            call = self.doorward.call(store, self.hash, visit.client)
            response = await self.site.answer(visit, call)
        self.post(tuple(call.effects.posted))
        return response
