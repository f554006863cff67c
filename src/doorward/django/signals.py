"""What Django does by itself, and what that means here: `login()`, `logout()`, and users who are deleted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete

from doorward.core.call import Call
from doorward.core.events import SignedOut
from doorward.core.finish import finish
from doorward.core.identify import end_session
from doorward.core.ports import Store
from doorward.core.records import about_users
from doorward.django.backend import FINISHED
from doorward.django.follow import PERSON, following, is_following
from doorward.django.runtime import auth


def connect() -> None:
    """Listen to Django; called once, when all applications are there."""
    user_logged_in.connect(_logged_in, dispatch_uid="doorward")
    user_logged_out.connect(_logged_out, dispatch_uid="doorward")
    post_delete.connect(_deleted, sender=get_user_model(), dispatch_uid="doorward")


def _logged_in(request: Any, user: Any, **_: Any) -> None:
    """`login()` of somebody else's: it starts a session of what `authenticate()` has finished, or it raises."""
    if is_following(request):
        return
    finished = user.__dict__.pop(FINISHED, None)
    with following(request):
        if finished is None:
            auth().unfinished(request, user)
        else:
            auth().enter(request, finished)
            setattr(request, PERSON, user)


def _logged_out(request: Any, **_: Any) -> None:
    """`logout()` of somebody else's ends our session."""
    if request is None or is_following(request):
        return
    host = auth()
    visit = host.visit_of(request)

    async def leave(call: Call) -> None:
        await host.site.recognise(visit, call)
        identity = call.identity
        if identity is not None:
            await end_session(call, identity.user.id, identity.session.id)
            await call.emit(SignedOut(at=call.now, user_id=identity.user.id, session_id=identity.session.id))
            call.identity = None
        host.site.settle(visit, call)

    with following(request):
        host.run(leave, visit.client)
    setattr(request, PERSON, AnonymousUser())


def _deleted(instance: Any, using: str, **_: Any) -> None:
    """With a user goes what Doorward knows of them: the key may be given to somebody else."""
    host = auth()
    if using != getattr(host.own_stores, "alias", None):
        return

    async def forget(store: Store) -> None:
        for kind in about_users(host.doorward.records):
            await store.remove(kind, user_id=str(instance.pk))

    async def forgotten() -> None:
        async with host.stores.unit("sync") as store, store.transaction():
            await forget(store)

    finish(forgotten())
