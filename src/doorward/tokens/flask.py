"""Flask routes that want an access token: `@required(verifier)`, then `g.token`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, current_app, g, request

from doorward.tokens.answers import Answer, Demand, answer_to, bearer_of
from doorward.tokens.fetching import IssuerUnavailable
from doorward.tokens.verifier import TokenRefused, Verifier

R = TypeVar("R", bound=Callable[..., Any])


def required(verifier: Verifier, *, scope: str = "", role: str = "", aal: int = 0) -> Callable[[R], R]:
    """A route that only runs for who brings a good token; what it says is `flask.g.token`."""
    demand = Demand(scope=scope, role=role, aal=aal)

    def wrap(route: R) -> R:
        @wraps(route)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                token = verifier.verify(bearer_of(request.headers.get("Authorization")))
                demand.check(token)
            except (TokenRefused, IssuerUnavailable) as problem:
                return _response(answer_to(problem))
            except Answer as answer:
                return _response(answer)
            g.token = token
            return current_app.ensure_sync(route)(*args, **kwargs)

        return cast("R", guarded)

    return wrap


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, list(answer.headers))
