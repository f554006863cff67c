"""For a project's views: who may see them. Django's own `login_required` works as well."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, Unpack, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.decorators import login_not_required

from doorward.core.action import Needs, Wants, demanded
from doorward.django.runtime import auth

View = TypeVar("View", bound=Callable[..., Any])

__all__ = ["login_required", "needs", "public"]

PUBLIC = "__doorward_public__"


def public(view: View) -> View:
    """`@public`: open to everybody in a project that is closed by `doorward.django.middleware.ClosedMiddleware`.

    Django's own `login_not_required` opens nothing that is closed with `wants`: packages put it on views of theirs.
    """
    setattr(view, PUBLIC, True)
    return login_not_required(view)


def login_required(view: View) -> View:
    """The view, `def` or `async def`, runs for who is signed in. Browsers are sent to sign in and back, programs get
    401."""
    return needs()(view)


def needs(needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]) -> Callable[[View], View]:
    """`@needs(permission="shop.change_order", fresh=True)`: the view runs for who has the permission, and has proved
    lately who they are. `Wants` names all that may be asked."""
    demand = demanded(needs, **wants)

    def wrap(view: View) -> View:
        @wraps(view)
        def wrapper(request: Any, *args: Any, **kwargs: Any) -> Any:
            return auth().unmet(request, demand) or view(request, *args, **kwargs)

        @wraps(view)
        async def awrapper(request: Any, *args: Any, **kwargs: Any) -> Any:
            ask = sync_to_async(auth().unmet, thread_sensitive=True)
            return await ask(request, demand) or await view(request, *args, **kwargs)

        return cast("View", awrapper if iscoroutinefunction(view) else wrapper)

    return wrap
