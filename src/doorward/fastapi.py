"""Doorward in FastAPI: `Auth(app, …)` answers under /auth, and `CurrentUser` is a parameter of your endpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar, Unpack

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from starlette.exceptions import WebSocketException
from starlette.requests import HTTPConnection
from starlette.routing import Match

from doorward import asgi
from doorward.core.action import Demand, Needs, Wants, demanded
from doorward.core.feature import Feature
from doorward.core.ports import Unavailable
from doorward.core.records import User
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.session import Caller
from doorward.http import messages
from doorward.surroundings import Surroundings

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_PUBLIC = "__doorward_public__"


class Auth(asgi.Auth):
    """Sign-in for a FastAPI (or Starlette) application. Options are settings and parts, as in `doorward.asgi.Auth`."""

    def __init__(self, app: FastAPI, database: str | Feature | None = None, *features: Feature, **options: Any) -> None:
        if getattr(app.state, asgi.KEY, None) is not None:
            raise Misconfigured("fastapi.E1", "this application has an Auth already; one is enough")
        self._app = app
        self._open: frozenset[str] | None = None
        self._demand = demanded()
        super().__init__(database, *features, **options)
        setattr(app.state, asgi.KEY, self)
        app.add_middleware(self.middleware)
        app.add_exception_handler(Refused, self._turn_away)
        app.add_exception_handler(Unavailable, self._turn_away)

    def surroundings(self) -> Surroundings:
        return Surroundings(debug=self._app.debug or bool(self._given.get("debug")))

    def protect(self, app: FastAPI, *, public: Sequence[str] = (), **wants: Unpack[Wants]) -> None:
        """Closed by default: every route wants somebody signed in, but those marked `@public` and these paths. More may
        be asked of all of them, as by `needs`: `auth.protect(app, aal=2)`."""
        if app is not self._app:
            raise Misconfigured("fastapi.E2", "protect the application that this Auth was made for")
        if isinstance(public, str):
            raise Misconfigured("fastapi.E4", f"public={public!r}: write a list, public=[{public!r}]")
        if self._open is not None:
            raise Misconfigured("fastapi.E5", "protected already; say all of it in one auth.protect(…)")
        self._open, self._demand = frozenset(public), demanded(**wants)

    def needs(self, needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]) -> Callable[..., Any]:
        """A dependency, which gives the identity: `Depends(auth.needs(role="editor"))`."""
        return _meeting(demanded(needs, **wants))

    async def refusal(self, scope: asgi.Scope, visitor: asgi.Visitor) -> messages.Response | None:
        if self._open is None or scope["path"] in self._open or self._is_public(scope):
            return None
        return await visitor.refusal(self._demand)

    def _is_public(self, scope: asgi.Scope) -> bool:
        """Whether the route that will answer is marked. What is not found here is not public."""
        endpoint = _endpoint(self._app.router.routes, dict(scope))
        return bool(getattr(endpoint, _PUBLIC, False))

    async def _turn_away(self, connection: Any, error: Any) -> Response:
        """A refusal that left an endpoint or a dependency."""
        visitor: asgi.Visitor = connection.scope[asgi.KEY]
        is_refusal = isinstance(error, Refused)
        answer = visitor.turned_away(error) if is_refusal else self.failed(visitor.visit.request, error)
        response = Response(answer.body, answer.status)
        response.raw_headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        return response


def _endpoint(routes: Iterable[Any], scope: asgi.Scope) -> Any:
    """The endpoint that Starlette will choose: the first full match, else the first that lacks the method only."""
    partial = None
    for route in routes:
        match, child = route.matches(scope)
        if match is Match.NONE:
            continue
        endpoint = child.get("endpoint")
        if endpoint is None and hasattr(route, "effective_candidates"):  # a router that FastAPI keeps whole
            endpoint = _endpoint(route.effective_candidates(), scope)
        if match is Match.FULL:
            return endpoint
        partial = partial or endpoint
    return partial


def public(endpoint: Endpoint) -> Endpoint:
    """`@public`: open to everybody in an application that is closed by `auth.protect(app)`."""
    setattr(endpoint, _PUBLIC, True)
    return endpoint


def needs(needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]) -> Any:
    """A dependency that refuses unless what it asks for holds: `Annotated[Identity, needs(Needs.FRESH)]`."""
    return Depends(_meeting(demanded(needs, **wants)))


def _meeting(demand: Demand) -> Callable[[HTTPConnection], Awaitable[Caller]]:
    async def identity(connection: HTTPConnection) -> Caller:
        visitor: asgi.Visitor | None = connection.scope.get(asgi.KEY)
        if visitor is None:
            raise Misconfigured("fastapi.E3", "CurrentUser needs an Auth: auth = Auth(app, …)")
        try:
            return await visitor.meet(demand)
        except Refused as refused:
            if connection.scope["type"] == "websocket":
                raise WebSocketException(1008, refused.reason) from None
            raise

    return identity


CurrentIdentity = Annotated[Caller, needs()]


async def _current_user(identity: CurrentIdentity) -> User:
    return identity.user


async def _maybe_user(connection: HTTPConnection) -> User | None:
    visitor: asgi.Visitor = connection.scope[asgi.KEY]
    identity = await visitor.identity()
    refused = visitor.visit.refused
    if refused is not None and refused.reason == "invalid_bearer":  # a bad token is told, not taken for nobody's
        raise refused
    return None if identity is None else identity.user


CurrentUser = Annotated[User, Depends(_current_user)]
MaybeUser = Annotated[User | None, Depends(_maybe_user)]
