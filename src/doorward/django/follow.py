"""What a story did, told to Django by `login()` and `logout()`: so signals, session key and CSRF token follow it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.middleware.csrf import rotate_token

from doorward.core.call import Call
from doorward.django.conf import BACKEND
from doorward.django.store import DjangoStore

PERSON = "_doorward_person"  # of a request: its user, once that was asked for


def follow(request: Any, call: Call) -> None:
    """Bring Django's own session in line with ours, after the commit."""
    if is_following(request) or not isinstance(call.store, DjangoStore):
        return
    effects, identity = call.effects, call.identity
    has_started = bool(effects.known_device) and identity is not None and identity.session.created_at == call.now
    with following(request):
        if has_started and identity is not None:
            _signed_in(request, call.store.person(identity.user.id), by_cookie=effects.session is not None)
        elif effects.session is not None:  # the same person, who has proved more
            request.session.cycle_key()
            rotate_token(request)
        elif effects.session_ended:
            _signed_out(request, call.store)


def _signed_in(request: Any, person: Any, *, by_cookie: bool) -> None:
    setattr(request, PERSON, person)
    if by_cookie:
        login(request, person, backend=BACKEND)
    else:  # a program, which keeps no cookies
        user_logged_in.send(sender=type(person), request=request, user=person)


def _signed_out(request: Any, store: DjangoStore) -> None:
    # The signal names who left. Of all users in a story the one who makes the request is read first.
    person = getattr(request, PERSON, None) or next(iter(store.people.values()), None)
    if person is not None:
        request.user = person
    setattr(request, PERSON, AnonymousUser())
    logout(request)


@contextmanager
def following(request: Any) -> Iterator[None]:
    """While Django is told, its signals are no news to us."""
    request._doorward_follows = True
    try:
        yield
    finally:
        request._doorward_follows = False


def is_following(request: Any) -> bool:
    return getattr(request, "_doorward_follows", False)
