"""The one Doorward of this process: put together at first use, from the project's settings."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.core.signals import setting_changed
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, get_script_prefix, reverse

from doorward.assembly import Runtime
from doorward.core.action import Demand, Needs, Wants, demanded
from doorward.core.call import Call, Client
from doorward.core.doorward import records_of, require
from doorward.core.events import Event
from doorward.core.feature import Feature
from doorward.core.ports import Limits, Stores
from doorward.core.records import User
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.settings import Settings
from doorward.core.sign_in import UnderWay, advance
from doorward.core.steps import Proof
from doorward.django import conf
from doorward.django.follow import PERSON, follow
from doorward.django.hashers import HostPasswords
from doorward.django.mail import DjangoMail
from doorward.django.requests import body_of, djangos, ours
from doorward.django.roles import DjangoRoles
from doorward.django.store import DjangoStores
from doorward.http import bodies, messages
from doorward.http.visit import Visit
from doorward.limits import LimitWindow, open_limits

T = TypeVar("T")
Story = Callable[[Call], Awaitable[T]]

VISIT = "_doorward_visit"  # of a request: the visitor, once that was asked for

NOT_FINISHED = (
    "login() lets nobody in who has not finished a sign-in: call authenticate() before it, or send people to "
    "doorward:sign_in; for force_login in tests, import doorward.testing.django there"
)

_request: ContextVar[HttpRequest | None] = ContextVar("doorward_request", default=None)


@dataclass(frozen=True, slots=True)
class Finished:
    """What `authenticate()` proved, for `login()` to make a session of: good once, and as long as an attempt is."""

    under_way: UnderWay
    user: User
    proof: Proof


class Auth(Runtime):
    """Sign-in for a Django project. `auth()` makes it of the settings; tests make their own, and `use` it.

    `database` is an alias of DATABASES. Options are settings (`origin="https://app.example.com"`, …) and parts
    (`assembly.Parts`).
    """

    def __init__(self, *features: Feature, database: str | None = None, **options: Any) -> None:
        alias = database or conf.alias()
        if alias not in connections:
            raise Misconfigured("django.E8", f'there is no database {alias!r}; mend DOORWARD["DATABASE"]')
        features = features or tuple(conf.features())
        records = (*records_of(features), LimitWindow)
        self._lent = DjangoStores(records, alias)
        usual = {
            "passwords": HostPasswords(),
            "roles": DjangoRoles(alias),
            "prefix": mount(),
            # Threads of our own, such as the one that sends letters, close what they have opened.
            "stores": DjangoStores(records, alias, closing=True),
            "session": self._lent,
            "mail": None if _has_smtp_url(options) else DjangoMail(options.get("mail_from", "")),
        }
        super().__init__({**usual, **options})
        self.assemble(features, conf.surroundings())

    def lent(self, lender: Any) -> Stores:
        """In requests, Django's own connection."""
        return self._lent

    def _open_limits(self, settings: Settings) -> Limits:
        is_shared = connections[self._lent.alias].vendor == "postgresql"
        return open_limits(settings.redis_url, clock=self.parts.clock, shared=self.stores if is_shared else None)

    def run(self, story: Callable[[Call], Awaitable[T]], client: Client | None = None) -> T:
        """Complete a story on this thread; then Django hears what came of it."""
        calls: list[Call] = []

        async def told(call: Call) -> T:
            calls.append(call)
            return await story(call)

        try:
            result = super().run(told, client)
        except Refused:
            self._follow(calls)
            raise
        self._follow(calls)
        return result

    def _follow(self, calls: list[Call]) -> None:
        request = _request.get()
        if request is not None and calls:
            follow(request, calls[0])

    async def arun(
        self, story: Callable[[Call], Awaitable[T]], client: Client | None = None, *, quick: bool = False
    ) -> T:
        """`run` in the one thread that Django gives to a request: any other would keep its connection open."""
        return await sync_to_async(self.run, thread_sensitive=True)(story, client)

    def json(self) -> dict[str, Any]:
        """The JSON object of the present request, bounded and strict like the bodies that our own paths take.

        Use it in the place of `json.loads(request.body)`. Raises `Refused`, which answers 400, 413 or 415 by itself.
        """
        request = _request.get()
        if request is None:
            raise Misconfigured("django.E7", "json() is for views, behind Doorward's AuthenticationMiddleware")
        return bodies.json_of(self.request_of(request, body_of(request)))

    def visit(self) -> Visit | None:
        request = _request.get()
        return None if request is None else self.visit_of(request)

    def visit_of(self, request: Any) -> Visit:
        """The visitor behind a request to one of the project's own routes."""
        found: Visit | None = getattr(request, VISIT, None)
        if found is None:
            found = self.site.visitor(self.request_of(request))
            setattr(request, VISIT, found)
        return found

    def request_of(self, request: HttpRequest, body: bytes = b"") -> messages.Request:
        """A request of Django's as the HTTP layer takes it."""
        return ours(request, mount=self.parts.prefix, body=body)

    def enter(self, request: Any, finished: Finished) -> str:
        """Start the session of a sign-in that `authenticate()` finished. Its secret, which goes out as a cookie."""
        visit = self.visit_of(request)

        async def entered(call: Call) -> str:
            await self.site.recognise(visit, call)
            if finished.under_way.attempt.expires_at <= call.now:
                raise Refused("attempt_expired")
            await advance(call, finished.under_way, finished.user, finished.proof)
            if call.effects.session is None:
                raise Refused("wrong_credentials")
            self.site.settle(visit, call)
            return call.effects.session[0]

        return self.run(entered, visit.client)

    def unfinished(self, request: Any, user: Any) -> None:
        """`login()` of somebody who has not finished a sign-in."""
        request.session.flush()
        request.user = AnonymousUser()
        raise Misconfigured("django.E6", NOT_FINISHED)

    def user_of(self, request: Any) -> Any:
        """`request.user`: by our session cookie or an access token, and by nothing that Django's session says."""
        if not hasattr(request, PERSON):
            setattr(request, PERSON, self._person(self.visit_of(request)))
        return getattr(request, PERSON)

    def _person(self, visit: Visit) -> Any:
        if visit.claims_nobody:
            return AnonymousUser()

        async def recognised(call: Call) -> Any:
            identity = await self.site.recognise(visit, call)
            store: Any = call.store
            return AnonymousUser() if identity is None else store.person(identity.user.id)

        return self.run(recognised, visit.client)

    def refusal(
        self, request: HttpRequest, needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]
    ) -> HttpResponse | None:
        """The answer to a request that may not go on, or None: `auth().refusal(request, fresh=True)` in a view."""
        return self.unmet(request, demanded(needs, **wants))

    def unmet(self, request: HttpRequest, demand: Demand) -> HttpResponse | None:
        """What `login_required` and `needs` ask."""
        visit = self.visit_of(request)

        async def ask(call: Call) -> None:
            await self.site.recognise(visit, call)
            if visit.refused is not None:
                raise visit.refused
            await require(call, demand)

        try:
            self.run(ask, visit.client)
        except Refused as refused:
            return djangos(self.site.turned_away(visit, refused))
        return None

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request for one of our own paths."""
        return djangos(self.respond(self.request_of(request, body_of(request))))


def _has_smtp_url(options: Mapping[str, Any]) -> bool:
    return "smtp_url" in options or "DOORWARD_SMTP_URL" in os.environ


_lock = threading.RLock()
_auth: Auth | None = None
_kind: type[Auth] = Auth
_listeners: list[tuple[type[Event], Callable[[Any], Any]]] = []


def auth() -> Auth:
    """The Doorward of this process; made when it is first asked for. Raises `Misconfigured`."""
    global _auth
    if _auth is None:
        with _lock:
            if _auth is None:
                made = _kind(**conf.options())
                for event, listener in _listeners:
                    made.on(event)(listener)
                _auth = made
    return _auth


def use(given: Auth | None) -> None:
    """Put another one in its place, or None to have it made anew: for tests."""
    global _auth
    with _lock:
        _auth = given


def make_with(kind: type[Auth]) -> None:
    """Make the one of this process with another class: `doorward.testing.django` does."""
    global _kind
    _kind = kind
    use(None)


def on(event: type[Event]) -> Callable[[Callable[[Any], T]], Callable[[Any], T]]:
    """`@on(SignedIn)` in an application's `ready()`: call the function with each such event, in its transaction."""

    def register(listener: Callable[[Any], T]) -> Callable[[Any], T]:
        _listeners.append((event, listener))
        return listener if _auth is None else _auth.on(event)(listener)

    return register


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """While the project answers this request, `auth().do(…)` acts for who makes it."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def mount() -> str:
    """The path under which the project has included our URLs."""
    try:
        home = reverse("doorward:home")
    except NoReverseMatch:
        return "/auth"
    return "/" + home.removeprefix(get_script_prefix()).strip("/")


def _settings_have_changed(*, setting: str, **_: Any) -> None:
    """`override_settings` in a project's tests."""
    if setting in ("DOORWARD", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "ROOT_URLCONF", "DEBUG"):
        use(None)


setting_changed.connect(_settings_have_changed)
