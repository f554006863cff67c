"""One request, read and bounded, before any store is opened: route, origin, cookies, input, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from doorward.core.action import Action
from doorward.core.call import Client
from doorward.core.feature import Page
from doorward.core.refusals import Refused, invalid
from doorward.core.session import Caller
from doorward.core.settings import Settings
from doorward.http import bodies, csrf
from doorward.http.client import client_of, wants_html
from doorward.http.cookies import Cookie, Jar
from doorward.http.messages import Request
from doorward.http.routes import Route
from doorward.primitives.keyring import Keyring
from doorward.primitives.urls import Origin, return_target

# A form that stands on several pages says in this field which one shows it again.
PAGE_FIELD = "page"
# Where one wanted to go: pages are asked for with it, and forms take it along whose action knows nothing of it.
BACK_FIELD = "return_to"


@dataclass(slots=True)
class Visit:
    """`action` with its `arguments`, or a `page` with its `query`. `refused` is what is wrong with a form: its page is
    shown again, which takes a store. `fields` are what was typed into it. `back` is where one wanted to go, checked."""

    request: Request
    origin: Origin
    client: Client
    cookies: Mapping[Cookie, str] = field(default_factory=dict)
    html: bool = False
    action: Action[..., Any] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    page: Page | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    form_page: str = ""
    back: str = ""
    attempt_life: timedelta | None = None
    refused: Refused | None = None
    # On a host's own routes: who it is, once that was asked, and cookies that calls from there want set.
    known: bool = False
    identity: Caller | None = None
    outgoing: list[tuple[str, str]] = field(default_factory=list)

    @property
    def quick(self) -> bool:
        """Reads only, so that it may run where nothing should wait long."""
        writes = self.client.proof is not None or (self.action is not None and self.action.onward)
        return self.request.method == "GET" and not writes  # a proof is written down as spent

    @property
    def claims_nobody(self) -> bool:
        """Whether the request brings nothing by which anybody could be known: no store need be asked."""
        return "session" not in self.cookies and "authorization" not in self.request.headers

    @property
    def jar(self) -> Jar:
        return Jar(self.origin)


def own_origin(request: Request, settings: Settings) -> Origin:
    """The origin a request is for. Raises `invalid_input` for a Host that is not ours (DNS rebinding: rule 36).

    Under `debug` any loopback Host is taken, with the origin that it makes.
    """
    host = (request.headers.one("host") or "").lower()
    if host == settings.origin.netloc:
        return settings.origin
    if settings.debug and settings.origin.is_loopback:
        try:
            sent = Origin.parse(f"{settings.origin.scheme}://{host}")
        except ValueError:
            sent = None
        if sent is not None and sent.is_loopback:
            return sent
    raise invalid("", "wrong_host", "the Host of this request is not one that this service answers to")


def cookies_of(request: Request, origin: Origin) -> Mapping[Cookie, str]:
    """Our cookies; none of them where `Authorization` came along (rule 30)."""
    return {} if "authorization" in request.headers else Jar(origin).read(request)


def read_get(request: Request, route: Route, origin: Origin, settings: Settings) -> Visit:
    """A GET: the page at a path for who asks for HTML, else the action that reads."""
    cookies = cookies_of(request, origin)
    visit = Visit(request, origin, client_of(request, settings, cookies), cookies, wants_html(request))
    query = bodies.read_query(request)
    if route.page is not None and (visit.html or route.read is None):
        visit.page, visit.query, visit.html = route.page, query, True
        visit.back = _checked(query.get(BACK_FIELD), settings)
    elif route.read is not None:
        # JSON is what an action has to say where there is no page for it.
        visit.action, visit.html = route.read, visit.html and route.read.onward
        visit.arguments = _arguments(route.read, query)
    return visit


def _arguments(action: Action[..., Any], query: Mapping[str, str]) -> Mapping[str, Any]:
    """What a proxy's configuration demands is never taken for absent because a variable in it is empty."""
    return action.read(query, form=not action.proxied)


def read_post(
    request: Request, action: Action[..., Any], origin: Origin, settings: Settings, keyring: Keyring, now: datetime
) -> Visit:
    """A POST: where it comes from is settled before its body is read."""
    cookies = cookies_of(request, origin)
    kind = bodies.content_type(request)
    if not csrf.is_from_us(request, kind, origin, has_cookie=bool(cookies), plain_form=action.lenient):
        raise Refused("csrf_failed")
    if request.query:
        raise invalid("", "unknown", "arguments travel in the body, not in the URL")
    visit = Visit(request, origin, client_of(request, settings, cookies), cookies, action=action)
    if kind != bodies.FORM:
        visit.arguments = action.read(bodies.read_json(request.body))
        return visit
    visit.html = wants_html(request)
    _read_form(visit, action, settings, keyring, now)
    return visit


def _read_form(visit: Visit, action: Action[..., Any], settings: Settings, keyring: Keyring, now: datetime) -> None:
    fields = bodies.read_form(visit.request.body)
    token = fields.pop(csrf.FIELD, None)
    visit.form_page = fields.pop(PAGE_FIELD, "")
    if all(argument.name != BACK_FIELD for argument in action.arguments):
        visit.back = _checked(fields.pop(BACK_FIELD, None), settings)
    visit.fields = fields
    try:
        # A program's form needs no token: no browser sends `Authorization` by itself, and what is lenient (RFC 7009)
        # acts on nothing but the secret inside it.
        exempt = action.lenient or "authorization" in visit.request.headers
        if not exempt and not csrf.is_form_token(keyring, token, visit.cookies, now=now):
            raise Refused("csrf_failed", "This page was open for too long. Send it once more.")
        visit.arguments = action.read(fields, form=True)
    except Refused as refused:
        if not visit.html:
            raise
        visit.refused = refused


def _checked(return_to: str | None, settings: Settings) -> str:
    """What is no target is dropped: one goes on to where everybody goes."""
    return return_target(return_to, origin=settings.origin, return_origins=settings.other_origins) or ""
