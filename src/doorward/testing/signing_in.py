"""Sign a test's client in, without walking through a sign-in: `sign_in_as(client, user)`."""

from __future__ import annotations

from typing import Any

from doorward.core.call import Call, Client
from doorward.core.records import User
from doorward.core.sign_in import advance, begin
from doorward.core.steps import Factor, Proof
from doorward.core.users import find_user
from doorward.http.cookies import Jar

BROWSER = Client(ip="127.0.0.1", network="127.0.0.1", user_agent="Mozilla/5.0", browser=True)


def sign_in_as(client: Any, user: Any, *, aal: int = 2, auth: Any = None) -> None:
    """Sign a Flask or Starlette test client, or one of httpx, in as `user`: a user of ours or the host's, an id, an
    address or a user name. `aal`: 2 as somebody who has proved everything, 1 as with a password alone.

    Requests must be to ORIGIN (`base_url`). The application's `Auth` is found by itself in Flask and FastAPI; in others
    it is given as `auth`. Raises `LookupError` for nobody, and for who is held back.
    """
    auth = auth or _auth_of(client)
    secret = auth.run(lambda call: session_for(call, user, aal=aal), BROWSER)
    _keep(client, auth, secret)


async def asign_in_as(client: Any, user: Any, *, aal: int = 2, auth: Any = None) -> None:
    """The same, awaited, over a store that can only be awaited."""
    auth = auth or _auth_of(client)
    secret = await auth.arun(lambda call: session_for(call, user, aal=aal), BROWSER)
    _keep(client, auth, secret)


async def session_for(call: Call, who: Any, *, aal: int) -> str:
    """The secret of a session that went through all gates, on the strength of a proof that nobody gave."""
    named = str(getattr(who, "pk", None) or getattr(who, "id", None) or who)
    user = await call.store.get(User, id=named) or await find_user(call, named)
    if user is None:
        raise LookupError(f"there is no user {named!r}")
    method = next(method for method in call.world.methods.values() if method.primary and method.factors)
    factors = frozenset(Factor) if aal >= 2 else frozenset({Factor.KNOWS})
    proof = Proof(method.name, method.amr, factors, call.now)
    stepped = await advance(call, await begin(call), user, proof)
    if call.effects.session is None:
        raise LookupError(f"this user is held back: {stepped.hold}")
    return call.effects.session[0]


def _auth_of(client: Any) -> Any:
    app = getattr(client, "application", None)  # Flask's
    if app is not None:
        return app.extensions["doorward"]
    app = getattr(client, "app", None) or getattr(getattr(client, "_transport", None), "app", None)
    found = getattr(getattr(app, "state", None), "doorward", None)
    if found is None:
        raise LookupError("no Auth is found behind this client: give it, sign_in_as(client, user, auth=auth)")
    return found


def _keep(client: Any, auth: Any, secret: str) -> None:
    origin = auth.settings.origin
    name = Jar(origin).name("session")
    if hasattr(client, "set_cookie"):
        client.set_cookie(name, secret, domain=origin.host)
    else:
        # Where our own answers put it: two of one name would be refused. `.local` is http.cookiejar's.
        host = origin.host if "." in origin.host else f"{origin.host}.local"
        client.cookies.set(name, secret, domain=host, path="/")
