"""Flask-Login's `current_user` and `login_required` on Doorward: a `LoginManager` in the place of Flask-Login's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import flask_login  # type: ignore[import-untyped]
from flask import Flask, abort, current_app, g, session

from doorward.core.refusals import Misconfigured
from doorward.flask import EXTENSION, Auth, Somebody

# What Flask-Login keeps in Flask's session; with `_fresh` its `fresh_login_required` would let one in.
_LEFT_BEHIND = ("_user_id", "_id", "_fresh")


class LoginManager(flask_login.LoginManager):  # type: ignore[misc]
    """Who makes a request is what `Auth` says: by its session cookie or access token, and by nothing else.

    What Flask-Login left in the session or in its «remember me» cookie opens nothing (rule 20). A `user_loader` is
    called with the id of who is signed in; without one, `current_user` is the host's own row where `Auth` is lent a
    session, else our user. `logout_user()` ends our session.
    """

    def init_app(self, app: Flask, add_context_processor: bool = True) -> None:
        super().init_app(app, add_context_processor)
        app.before_request(_forget)

    def request_loader(self, callback: Callable[..., Any]) -> NoReturn:
        """There is one way in, and it is ours."""
        raise Misconfigured("flask_login.E1", "leave the request_loader out; Auth reads cookies and bearer tokens")

    header_loader = request_loader

    def _load_user(self) -> None:
        for name in _LEFT_BEHIND:
            if name in session:
                del session[name]
        g._login_user = self._signed_in() or self.anonymous_user()

    def _signed_in(self) -> Any:
        auth = _auth()
        identity = auth.identity
        if identity is None:
            return None
        if self._user_callback is not None:
            return self._user_callback(identity.user.id)
        user = auth.user
        return user if user is None or hasattr(user, "is_authenticated") else Person(user, identity)

    def _update_request_context_with_user(self, user: Any = None) -> None:
        """Flask-Login calls it last, with the user in `login_user()` and without one in `logout_user()`."""
        if user is not None:
            raise Misconfigured(
                "flask_login.E2",
                "login_user() signs nobody in; call auth.do(actions.password.sign_in, …), which counts tries and asks "
                "for a second factor, or send people to the sign-in page",
            )
        auth = _auth()
        sign_out = auth.doorward.actions.get("sign_out")
        if sign_out is None:
            raise Misconfigured("flask_login.E3", "logout_user() needs the feature SignOut(); add it to Auth(…)")
        auth.do(sign_out)
        g._login_user = self.anonymous_user()

    def unauthorized(self) -> Any:
        """As in Flask-Login where a handler or `login_view` is set; else 401, and browsers go and sign in."""
        if self.unauthorized_callback or self.login_view or self.blueprint_login_views:
            return super().unauthorized()
        app: Any = current_app
        flask_login.user_unauthorized.send(app._get_current_object())
        return _auth().refusal() or abort(401)

    def needs_refresh(self) -> NoReturn:
        raise Misconfigured("flask_login.E4", "use @auth.needs(Needs.FRESH) in the place of @fresh_login_required")


class Person(flask_login.UserMixin, Somebody):  # type: ignore[misc]
    """Who is signed in, with what Flask-Login asks of a user, for classes that do not have it."""


def _auth() -> Auth:
    auth: Auth | None = current_app.extensions.get(EXTENSION)
    if auth is None:
        raise Misconfigured("flask.E2", "LoginManager needs an Auth: auth = Auth(app, …)")
    return auth


def _forget() -> None:
    """A request that runs inside an application context pushed before it must not inherit another one's user."""
    g.pop("_login_user", None)
