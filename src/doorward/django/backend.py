"""`authenticate()` for the code of others: it answers only for who would be let in with a password alone."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from doorward import actions
from doorward.core.accounts import account_of
from doorward.core.action import Identifier, PasswordText, action
from doorward.core.call import Call
from doorward.core.facts import facts_of
from doorward.core.refusals import Refused
from doorward.core.sign_in import begin, proof_by
from doorward.core.steps import Done, next_step
from doorward.django.runtime import Auth, Finished, auth

FINISHED = "_doorward_finished"


@action("backend.authenticate", proving=True)
async def prove(call: Call, *, identifier: Identifier, password: PasswordText) -> Finished:
    """Prove a password as sign-in does: bounded, counted, at one speed. Refuses who is not done by it."""
    user, authenticator, epoch = await actions.password.prove(call, identifier, password)
    proof = proof_by(call, actions.password.METHOD, authenticator=authenticator.id)
    facts = await facts_of(call, user, await account_of(call, user), (proof,))
    if not isinstance(next_step(facts, call.world.gates), Done):
        raise Refused("wrong_credentials")
    return Finished(actions.password.begun_under(await begin(call), epoch), user, proof)


class Backend(ModelBackend):
    """In AUTHENTICATION_BACKENDS, alone. Permissions and `get_user` are Django's own.

    Tries are counted, so `authenticate()` raises `Misconfigured` inside a transaction (ATOMIC_REQUESTS): mark the view
    with `transaction.non_atomic_requests`, or better, send people to `doorward:sign_in`.
    """

    @sensitive_variables("password")
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """The user, or None: for a wrong password, for who has a second factor, for who has been disabled."""
        named: Any = get_user_model().USERNAME_FIELD
        identifier = kwargs.get(named) if username is None else username
        host = auth()
        if not identifier or password is None or actions.password.sign_in.name not in host.doorward.actions:
            return None
        try:
            given = prove.read({"identifier": str(identifier), "password": password})
            return _proved(host, request, given)
        except Refused:
            return None

    async def aauthenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """The same, awaited."""
        return await sync_to_async(self.authenticate, thread_sensitive=True)(request, username, password, **kwargs)


def _proved(host: Auth, request: HttpRequest | None, given: dict[str, Any]) -> Any:
    async def proved(call: Call) -> Any:
        finished = await host.doorward.perform(call, prove, given)
        store: Any = call.store
        person = store.person(finished.user.id)
        setattr(person, FINISHED, finished)
        return person

    return host.run(proved, None if request is None else host.visit_of(request).client)
