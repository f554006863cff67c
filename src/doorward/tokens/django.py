"""Django views that want an access token: `@required(verifier)`, then `request.token`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from doorward.tokens.answers import Answer, Demand, answer_to, bearer_of
from doorward.tokens.fetching import IssuerUnavailable
from doorward.tokens.verifier import Token, TokenRefused, Verifier

V = TypeVar("V", bound=Callable[..., Any])


def required(verifier: Verifier, *, scope: str = "", role: str = "", aal: int = 0) -> Callable[[V], V]:
    """A view, plain or `async`, that only runs for who brings a good token; what it says is `request.token`.

    No cookie signs anybody in here, so no other site can send a browser: the view is exempt from Django's CSRF check.
    """
    demand = Demand(scope=scope, role=role, aal=aal)

    def wrap(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                _admit(request, verifier.verify(_bearer(request)), demand)
            except (Answer, TokenRefused, IssuerUnavailable) as problem:
                return _response(problem)
            return view(request, *args, **kwargs)

        @wraps(view)
        async def awaited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                _admit(request, await verifier.averify(_bearer(request)), demand)
            except (Answer, TokenRefused, IssuerUnavailable) as problem:
                return _response(problem)
            return await view(request, *args, **kwargs)

        return cast("V", csrf_exempt(awaited if inspect.iscoroutinefunction(view) else guarded))

    return wrap


def _bearer(request: HttpRequest) -> str:
    return bearer_of(request.headers.get("Authorization"))


def _admit(request: HttpRequest, token: Token, demand: Demand) -> None:
    demand.check(token)
    request.token = token  # type: ignore[attr-defined]


def _response(problem: Answer | TokenRefused | IssuerUnavailable) -> HttpResponse:
    answer = problem if isinstance(problem, Answer) else answer_to(problem)
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
