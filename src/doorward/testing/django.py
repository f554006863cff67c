"""Django's test client on Doorward: import this in a project's tests, and `client.force_login(user)` works as ever.

    # conftest.py, or the module of your TEST_RUNNER
    import doorward.testing.django

Production code never imports this module, and nothing else makes a session without a finished sign-in: that is why it
is a module to import, and no setting. It puts another `Auth` into the place of the usual one, which lets in who
`force_login` names, takes the test client's requests for those of a browser on ORIGIN, and sends letters at once, so
that they are in `django.core.mail.outbox` when the request has been answered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.test.client import ClientMixin

from doorward.core.call import Call
from doorward.core.records import OutboxMessage, User
from doorward.delivery import Outbox
from doorward.django import conf, runtime
from doorward.django.mail import DjangoMail
from doorward.http import messages
from doorward.http.cookies import Jar
from doorward.testing.signing_in import BROWSER, session_for

SECRET = "_doorward_test"


def force_login(client: ClientMixin, user: Any) -> None:
    """Sign a user in, as somebody who has proved everything. The same as `client.force_login(user)`."""
    client.force_login(user, conf.BACKEND)


def sign_in_as(client: ClientMixin, user: Any, *, aal: int = 2) -> None:
    """Sign a test client in as `doorward.testing.sign_in_as` does. `aal=1`: as with a password alone."""
    host: Any = client
    secret = runtime.auth().run(lambda call: session_for(call, user, aal=aal), BROWSER)
    host.cookies[Jar(runtime.auth().settings.origin).name("session")] = secret


class TestAuth(runtime.Auth):
    """The `Auth` of a test run. Options as ever: `use(TestAuth(clock=clock))`."""

    __test__ = False  # for pytest, which would look for tests in it

    def __init__(self, *features: Any, **options: Any) -> None:
        super().__init__(*features, **{"mail": self._send_at_once, **options})

    def _send_at_once(self, waiting: tuple[OutboxMessage, ...]) -> None:
        sender = DjangoMail(self.settings.mail_from)
        Outbox(self.stores, self.doorward.world.keyring, sender, self.parts.clock).deliver_once(len(waiting))

    def enter(self, request: Any, finished: runtime.Finished) -> str:
        """`client.login` calls `authenticate()` and `login()`: the session's secret travels in Django's own session."""
        request.session[SECRET] = secret = super().enter(request, finished)
        return secret

    def unfinished(self, request: Any, user: Any) -> None:
        """`client.force_login` calls `login()` alone."""
        secret = self.run(lambda call: _forced(call, str(user.pk)))
        if secret:
            request.session[SECRET] = secret

    def request_of(self, request: Any, body: bytes = b"") -> messages.Request:
        given = super().request_of(request, body)
        fields = {name.lower(): value for name, value in request.headers.items()}
        if fields.get("host", "testserver") == "testserver":
            fields["host"] = self.settings.origin.netloc
        if getattr(request, "_dont_enforce_csrf_checks", False) and not {"origin", "sec-fetch-site"} & fields.keys():
            fields["sec-fetch-site"] = "same-origin"
        secret = getattr(request, "session", {}).get(SECRET)
        cookie = Jar(self.settings.origin).name("session")
        if secret and f"{cookie}=" not in fields.get("cookie", ""):
            fields["cookie"] = "; ".join(filter(None, (fields.get("cookie"), f"{cookie}={secret}")))
        return replace(given, headers=messages.Headers(fields.items()))


async def _forced(call: Call, user_id: str) -> str:
    """The secret of a session; empty for who has been disabled, who is nobody in Django's test client too."""
    user = await call.store.get(User, id=user_id)
    return "" if user is None or not user.active else await session_for(call, user_id, aal=2)


runtime.make_with(TestAuth)
