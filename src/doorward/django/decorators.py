"""For a project's views: who may see them. Django's own `login_required` works as well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.decorators import login_not_required

from doorward.core.action import Needs
from doorward.django.runtime import auth

View = TypeVar("View", bound=Callable[..., Any])

__all__ = ["login_required", "needs", "public"]

# `@public`: open to everybody in a project that is closed by `doorward.django.middleware.ClosedMiddleware`.
public = login_not_required


def login_required(view: View) -> View:
    """The view, `def` or `async def`, runs for who is signed in. Browsers are sent to sign in and back, programs get
    401."""
    return needs(Needs.SIGNED_IN)(view)


def needs(what: Needs, *, fresh_within: timedelta | None = None) -> Callable[[View], View]:
    """`@needs(Needs.FRESH)`: the view runs for who has proved lately who they are."""

    def wrap(view: View) -> View:
        @wraps(view)
        def wrapper(request: Any, *args: Any, **kwargs: Any) -> Any:
            return auth().refusal(request, what, fresh_within=fresh_within) or view(request, *args, **kwargs)

        @wraps(view)
        async def awrapper(request: Any, *args: Any, **kwargs: Any) -> Any:
            ask = sync_to_async(auth().refusal, thread_sensitive=True)
            return await ask(request, what, fresh_within=fresh_within) or await view(request, *args, **kwargs)

        return cast("View", awrapper if iscoroutinefunction(view) else wrapper)

    return wrap
