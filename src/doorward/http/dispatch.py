"""The HTTP contract without a framework: a request in, a response out, and one `Call` to the core in between.

A host calls `receive` with the request, which needs no store; where that gives a `Visit` and not yet a `Response`, it
opens a unit of work, makes a `Call` for `visit.client`, and awaits (or finishes) `answer`.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from http import HTTPStatus

from doorward.core.action import Onward
from doorward.core.call import Call, Client
from doorward.core.devices import KNOWN_DEVICE_LIFE, known_device_cookie
from doorward.core.doorward import Doorward
from doorward.core.identify import by_bearer, by_cookie
from doorward.core.ports import Unavailable
from doorward.core.refusals import Refused
from doorward.core.rights import Verified
from doorward.core.session import Caller
from doorward.core.sign_in import Stepped
from doorward.http import bodies, forwarded, headers, openapi
from doorward.http.answers import body_of, encoded
from doorward.http.client import client_of, protected_origin, wants_html
from doorward.http.csrf import is_foreign
from doorward.http.html import Html
from doorward.http.messages import Request, Response
from doorward.http.problems import problem, server_error
from doorward.http.routes import JWKS, OPENAPI, WELL_KNOWN, Route, routes_of
from doorward.http.views import Static, Views
from doorward.http.visit import Visit, cookies_of, own_origin, read_get, read_post
from doorward.primitives import tokens


class Site:
    """One Doorward as it answers HTTP. Shared by all requests of a process; holds nothing of any of them."""

    def __init__(self, doorward: Doorward, views: Views) -> None:
        self.doorward = doorward
        self.views = views
        self.world = doorward.world
        self.settings = doorward.world.settings
        self.html = Html(doorward, views)
        self.routes = dict(routes_of(doorward, views))
        self.well_known = frozenset({JWKS, *(path for path in self.routes if path.startswith(WELL_KNOWN))})
        document = encoded(openapi.document(doorward, self.routes))
        self.routes[OPENAPI] = Route(static=Static(headers.JSON, document, etag_of(document)))

    def owns(self, path: str, *, prefix: str = "") -> bool:
        """Whether a path is ours to answer, be it with 404."""
        prefix = prefix or self.world.prefix
        return path.startswith(prefix + "/") or path == prefix or path in self.well_known

    def receive(self, request: Request) -> Visit | Response:
        """What can be said without a store: who is refused at once, what never changes, or the visit to answer."""
        try:
            protected = protected_origin(request, self.settings)
            origin = protected or own_origin(request, self.settings)
            route = self._route(request)
            if protected is not None and not route.at_hosts(request.method):
                raise Refused("not_found")
            if route.static is not None:
                return self._finished(self._static(request, route.static))
            bodies.check_size(request)
            if request.method == "GET":
                return read_get(request, route, origin, self.settings)
            assert route.write is not None  # noqa: S101  # `_route` has looked
            keyring, now = self.world.keyring, self.world.clock()
            return read_post(request, route.write, origin, self.settings, keyring, now)
        except Refused as refused:
            return self.refusal(request, refused)

    async def answer(self, visit: Visit, call: Call) -> Response:
        """Run the action, or load the page, and say what came of it. Raises `Unavailable`, and mistakes of ours."""
        try:
            call.caller = await identify(visit, call)
            response = await self._answer(visit, call)
        except Refused as refused:
            response = await self._refused(visit, call, refused)
        cookies = self.cookies(visit, call)
        if cookies:
            response.read_at = None
        response.headers += cookies
        return self._finished(response)

    async def _answer(self, visit: Visit, call: Call) -> Response:
        if visit.page is not None:
            if call.key is not None:
                raise Refused("not_permitted", "Pages are for people; an API key opens none.")
            return await self.html.page(visit, call, visit.page)
        if visit.refused is not None:
            raise visit.refused
        action = visit.action
        assert action is not None  # noqa: S101  # a visit has a page or an action
        if not action.bearer and "authorization" in visit.request.headers:
            call.caller = None
        result = await self.doorward.perform(call, action, visit.arguments)
        if isinstance(result, Stepped):
            visit.attempt_life = timedelta(seconds=result.expires_in)
        if isinstance(result, Onward):
            return headers.redirect(result.url)
        if visit.html:
            return await self.html.after(visit, call, result)
        if isinstance(result, Verified):
            response = forwarded.let_through(result)
            response.read_at = call.caller.shapes.get("read_at") if call.caller is not None else None
            return response
        status, body = await body_of(call, result, action.status)
        if body is None:
            return Response(status)
        if action.cacheable:
            return self._static(visit.request, Static(headers.JSON, body, etag_of(body)))
        says_who = isinstance(result, Stepped) and result.only_says_who and result.identity is call.caller
        read_at = call.caller.shapes.get("read_at") if says_who and call.caller is not None else None
        if call.client.proof is not None:  # good once, so nothing of it may be told again
            read_at = None
        return Response(status, [("Content-Type", headers.JSON)], body, read_at)

    async def _refused(self, visit: Visit, call: Call, refused: Refused) -> Response:
        if refused.reason == "attempt_expired":
            call.effects.attempt_ended = True
        if visit.action is not None and visit.action.onward:
            return self._sent_back(visit, refused)
        if visit.html:
            return await self.html.refused(visit, call, refused)
        if visit.action is not None and visit.action.proxied:
            location = self._way_in(visit, refused)
            return forwarded.turned_away(visit.request, self.settings, self._problem(refused), location)
        return self._problem(refused)

    def _way_in(self, visit: Visit, refused: Refused) -> str | None:
        """Where a browser that a proxy asks about can do something about a refusal. Who is not signed in at a
        protected host gets that host's cookie first."""
        here = forwarded.asked_url(visit.request, visit.origin, self.settings)
        if visit.client.host and refused.reason == "not_signed_in":
            return f"{visit.origin}{forwarded.departure(self.world.prefix, here)}"
        cure = self.html.cure(refused, visit.request.prefix, here)
        return None if cure is None else f"{self.settings.origin}{cure}"

    def visitor(self, request: Request) -> Visit:
        """Who comes to a route of the host's own. Never refuses: what is wrong makes nobody of them, and is kept in
        `refused` for routes that want somebody."""
        try:
            origin = own_origin(request, self.settings)
            visit = Visit(request, origin, Client(), cookies_of(request, origin), wants_html(request))
        except Refused as refused:
            return Visit(request, self.settings.origin, client_of(request, self.settings, {}), refused=refused)
        if is_foreign(request, origin) and visit.cookies:
            visit.cookies, visit.refused = {}, Refused("csrf_failed")
        visit.client = client_of(request, self.settings, visit.cookies)
        return visit

    async def recognise(self, visit: Visit, call: Call) -> Caller | None:
        """The identity of a visitor, looked up once; an invalid bearer token is nobody's, and kept in `refused`."""
        if not visit.known:
            try:
                visit.identity = None if visit.refused is not None else await identify(visit, call)
            except Refused as refused:
                visit.refused = refused
            visit.known = True
        call.caller = visit.identity
        return visit.identity

    def settle(self, visit: Visit, call: Call) -> None:
        """After a call that a host's route made for a visitor: who it is now, and the cookies that say so."""
        visit.outgoing += self.cookies(visit, call)
        visit.identity = call.caller

    def turned_away(self, visit: Visit, refused: Refused) -> Response:
        """The answer of a host's own route that wants somebody, or a fresher proof: browsers go and sign in."""
        return self._finished(self._sent_back(visit, refused))

    def _sent_back(self, visit: Visit, refused: Refused) -> Response:
        request = visit.request
        if not (visit.html and request.method == "GET"):
            return self._problem(refused)
        here = request.path + (f"?{request.query}" if request.query else "")
        location = self.html.cure(refused, request.prefix, here)
        if location is None:
            return self.html.problem_page(request, refused)
        return headers.redirect(location)

    def refusal(self, request: Request, refused: Refused) -> Response:
        """The answer to what is refused before, or without, a call."""
        if refused.reason in ("not_found", "csrf_failed", "method_not_allowed") and wants_html(request):
            response = self.html.problem_page(request, refused)
        else:
            response = self._problem(refused)
        if refused.reason == "method_not_allowed":
            response.headers.append(("Allow", self.routes[self._path(request)].allow))
        return self._finished(response)

    def failed(self, request: Request, error: Exception) -> Response:
        """The answer when the world or we ourselves fail. No cookie changes: who was signed in still is (rule 19)."""
        if isinstance(error, Unavailable):
            return self.refusal(request, Refused("unavailable"))
        return self._finished(server_error())

    def _problem(self, refused: Refused) -> Response:
        within = int(self.world.policy.fresh_within.total_seconds())
        return problem(refused, fresh_within=within)

    def _finished(self, response: Response) -> Response:
        settings = self.settings
        return headers.finished(response, origin=settings.origin, return_origins=settings.other_origins)

    def _path(self, request: Request) -> str:
        if request.path == JWKS:
            return JWKS.removeprefix("/.well-known")
        if request.path in self.well_known:
            return request.path
        return request.path.removeprefix(request.prefix) if request.path.startswith(request.prefix + "/") else ""

    def _route(self, request: Request) -> Route:
        route = self.routes.get(self._path(request))
        if route is None:
            raise Refused("not_found")
        if not route.allows(request.method):
            raise Refused("method_not_allowed")
        return route

    def _static(self, request: Request, file: Static) -> Response:
        known = [tag.strip() for value in request.headers.all("if-none-match") for tag in value.split(",")]
        status = HTTPStatus.NOT_MODIFIED if file.etag in known else HTTPStatus.OK
        return headers.cached(status, file.content_type, file.body, file.etag)

    def cookies(self, visit: Visit, call: Call) -> list[tuple[str, str]]:
        """What the story's effects mean for the browser's cookies."""
        jar, effects, changes = visit.jar, call.effects, []
        if effects.session is not None:
            secret, session = effects.session
            life = session.expires_at - call.now if session.remember else None
            changes.append(jar.set("session", secret, life=life))
        elif "session" in visit.cookies and (effects.session_ended or self._is_stale(visit, call)):
            changes.append(jar.clear("session"))
        if effects.nonce and effects.nonce != visit.client.nonce:
            changes.append(jar.set("nonce", effects.nonce))
        if effects.attempt and visit.client.browser:
            if effects.attempt != visit.client.attempt:
                life = visit.attempt_life or self.world.policy.attempt_life
                changes.append(jar.set("attempt", effects.attempt, life=life))
        elif effects.attempt_ended and "attempt" in visit.cookies:
            changes.append(jar.clear("attempt"))
        if effects.known_device and visit.client.browser:
            changes.append(jar.set("device", known_device_cookie(call, effects.known_device), life=KNOWN_DEVICE_LIFE))
        if effects.trusted_device and visit.client.browser:
            changes.append(jar.set("trusted", effects.trusted_device, life=self.world.policy.trusted_device_life))
        elif effects.trusted_device_ended and "trusted" in visit.cookies:
            changes.append(jar.clear("trusted"))
        return changes

    def _is_stale(self, visit: Visit, call: Call) -> bool:
        """A session cookie that opens nothing is taken away where one signs in, and only there: elsewhere a parallel
        request may just have been given a newer one."""
        return visit.page is not None and visit.page.path == self.views.sign_in and call.identity is None


async def identify(visit: Visit, call: Call) -> Caller | None:
    """Who makes the request: by `Authorization` alone where it is sent, else by the session cookie."""
    return await identity_of(visit.request, visit.cookies.get("session", ""), call)


async def identity_of(request: Request, session_cookie: str, call: Call) -> Caller | None:
    """Raises `invalid_bearer` for any `Authorization` that is not one live bearer token (rules 30 and 34)."""
    if "authorization" in request.headers:
        scheme, _, token = (request.headers.one("authorization") or "").partition(" ")
        if scheme.lower() not in ("bearer", "dpop") or not token or len(token) > 8192 or not _is_token(token):
            raise Refused("invalid_bearer")
        return await by_bearer(call, token, bound=scheme.lower() == "dpop")
    return await by_cookie(call, session_cookie) if session_cookie else None


def _is_token(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(' ,"')


def etag_of(body: bytes) -> str:
    """A strong entity tag (RFC 9110 §8.8.3)."""
    return f'"{tokens.encode(hashlib.sha256(body).digest()[:12])}"'
