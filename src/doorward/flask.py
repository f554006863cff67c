"""Doorward in Flask: `Auth(app, …)` answers under /auth, and `current_user` says who makes a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar, Unpack
from urllib.parse import quote, urlsplit

from flask import Flask, Response, current_app, has_request_context, request
from sqlalchemy import inspect
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.local import LocalProxy

from doorward.assembly import Runtime, split_database
from doorward.core.action import Demand, Needs, Wants, demanded
from doorward.core.call import Call
from doorward.core.doorward import require
from doorward.core.feature import Feature
from doorward.core.ports import Stores, Unavailable
from doorward.core.records import User
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.session import Caller
from doorward.http import bodies, messages
from doorward.http.visit import Visit
from doorward.stores.lent import session_store
from doorward.surroundings import Surroundings

P = ParamSpec("P")
T = TypeVar("T")
View = TypeVar("View", bound=Callable[..., Any])

EXTENSION = "doorward"
_PUBLIC = "__doorward_public__"


class Nobody:
    """`current_user` where nobody is signed in: false, and without an address."""

    is_authenticated = False

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "Nobody()"


class Somebody:
    """`current_user` where somebody is: all attributes of the user, which is a row of the host's where it lends one."""

    is_authenticated = True

    user: Any
    identity: Caller

    def __init__(self, user: Any, identity: Caller) -> None:
        object.__setattr__(self, "user", user)
        object.__setattr__(self, "identity", identity)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.user, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.user, name, value)

    def __repr__(self) -> str:
        return f"Somebody({self.identity.user.id!r})"


NOBODY = Nobody()


class Auth(Runtime):
    """Sign-in for a Flask application. `database` is a URL; without features it is `presets.standard()`.

    Options are settings (`origin="https://app.example.com"`, …) and parts (`assembly.Parts`). Without `secret`, keys
    are derived from `app.secret_key` and `SECRET_KEY_FALLBACKS`. `Auth(…)` without an app takes `init_app` later.
    """

    def __init__(
        self, app: Flask | None = None, database: str | Feature | None = None, *features: Feature, **options: Any
    ) -> None:
        url, self.features = split_database(database, features)
        super().__init__(options if url is None else {**options, "database_url": url})
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Put everything together for `app`, once its configuration is complete."""
        if EXTENSION in app.extensions:
            raise Misconfigured("flask.E1", "this application has an Auth already; one is enough")
        self.assemble(self.features, _surroundings(app))
        app.extensions[EXTENSION] = self
        app.before_request(self._answer_ours)
        app.after_request(self._set_cookies)
        app.register_error_handler(Refused, self._refused)
        app.register_error_handler(Unavailable, self._unavailable)

    def lent(self, lender: Callable[[], Any]) -> Stores:
        return session_store(self.own_stores, lender)

    # Our own paths

    def _answer_ours(self) -> Response | None:
        """Flask calls it before it looks at its own routes' outcome, so that no slash of ours is ever merged."""
        path = _raw_path()
        if not self.site.owns(path, prefix=self._prefix):
            return None
        return _to_flask(self.respond(self._request(path, body=_body())))

    @property
    def _prefix(self) -> str:
        return f"{request.environ.get('SCRIPT_NAME', '')}{self.parts.prefix}"

    def _request(self, path: str, body: bytes = b"") -> messages.Request:
        environ = request.environ
        return messages.Request(
            method=environ["REQUEST_METHOD"],  # as sent: Flask writes it large
            path=path,
            query=environ.get("QUERY_STRING", ""),
            headers=messages.Headers(request.headers.items()),
            body=body,
            peer=environ.get("REMOTE_ADDR", ""),
            secure=environ.get("wsgi.url_scheme") == "https",
            prefix=self._prefix,
        )

    # The host's own routes

    def json(self) -> dict[str, Any]:
        """The JSON object of the present request, bounded and strict like the bodies that our own paths take.

        Use it in the place of `request.json`. Raises `Refused`, which answers 400, 413 or 415 by itself.
        """
        return bodies.json_of(self._request(_raw_path(), body=_body()))

    def visit(self) -> Visit | None:
        if not has_request_context():
            return None
        known = _known()
        if "visit" not in known:
            known["visit"] = self.site.visitor(self._request(_raw_path()))
        visit: Visit = known["visit"]
        return visit

    @property
    def identity(self) -> Caller | None:
        """Who makes the present request; looked up at first use."""
        visit = self.visit()
        if visit is None:
            return None
        if not visit.known and not visit.claims_nobody:
            self.run(lambda call: self.site.recognise(visit, call), visit.client)
        return visit.identity

    @property
    def user(self) -> User | Any | None:
        """The user who makes the present request: the host's own object where it lends its session, else ours."""
        identity, model, lender = self.identity, getattr(self.parts.users, "model", None), self.parts.session
        if identity is None or not isinstance(model, type) or lender is None:
            return None if identity is None else identity.user
        known = _known()
        if known.get("user_of") is not identity:
            key: Any = inspect(model).primary_key[0].type.python_type(identity.user.id)
            known |= {"user": lender().get(model, key), "user_of": identity}
        return known["user"]

    def refusal(self, needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]) -> Response | None:
        """The answer to a request that may not go on, or None: `auth.refusal(permission="orders.read")` in a view."""
        return self._refusal(demanded(needs, **wants))

    def _refusal(self, demand: Demand) -> Response | None:
        """What `login_required` and `needs` ask."""
        identity, visit = self.identity, self.visit()
        if visit is None:
            return None
        refused = visit.refused
        if refused is None and identity is None:
            refused = Refused("not_signed_in")
        if refused is None and demand != Demand():
            refused = self._lacking(visit, demand)
        return None if refused is None else _to_flask(self.site.turned_away(visit, refused))

    def _lacking(self, visit: Visit, demand: Demand) -> Refused | None:
        async def ask(call: Call) -> None:
            await self.site.recognise(visit, call)
            await require(call, demand)

        try:
            self.run(ask, visit.client)
        except Refused as refused:
            return refused
        return None

    def _refused(self, refused: Refused) -> Response:
        """A refusal that left a view: of `auth.do(…)`, or raised there."""
        visit = self.visit()
        assert visit is not None  # noqa: S101  # error handlers run in requests
        return _to_flask(self.site.turned_away(visit, refused))

    def _unavailable(self, error: Unavailable) -> Response:
        return _to_flask(self.failed(self._request(_raw_path()), error))

    def login_required(self, view: Callable[P, T]) -> Callable[P, T | Response]:
        """`@auth.login_required`: the view runs for who is signed in. Browsers are sent to sign in and back."""
        return self.needs()(view)

    def needs(
        self, needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]
    ) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
        """`@auth.needs(role="editor", fresh=True)`: the view runs for who has the role, and has proved lately who they
        are. `Wants` names all that may be asked."""
        demand = demanded(needs, **wants)

        def wrap(view: Callable[P, T]) -> Callable[P, T | Response]:
            @wraps(view)
            def wrapper(*args: P.args, **kwargs: P.kwargs) -> T | Response:
                refusal = self._refusal(demand)
                if refusal is not None:
                    return refusal
                answer: T = current_app.ensure_sync(view)(*args, **kwargs)
                return answer

            return wrapper

        return wrap

    def protect(self, app: Flask, *, public: Sequence[str] = ("static",), **wants: Unpack[Wants]) -> None:
        """Closed by default: every view wants somebody signed in, but those marked `@public` and these endpoints. More
        may be asked of all of them, as by `needs`: `auth.protect(app, aal=2)`."""
        if isinstance(public, str):
            raise Misconfigured("flask.E3", f"public={public!r}: write a list, public=[{public!r}]")
        demand = demanded(**wants)
        app.before_request(lambda: self._refusal_unless_public(app, public, demand))

    def _refusal_unless_public(self, app: Flask, public: Sequence[str], demand: Demand) -> Response | None:
        rule = request.url_rule
        if rule is None or rule.endpoint in public:  # no route: Flask's own 404 tells nobody anything
            return None
        if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
            return None
        view = app.view_functions.get(rule.endpoint)
        return None if getattr(view, _PUBLIC, False) else self._refusal(demand)

    def _set_cookies(self, response: Response) -> Response:
        visit: Visit | None = _known().get("visit")
        if visit is not None:
            for name, value in visit.outgoing:
                response.headers.add(name, value)
            if visit.known or visit.claims_nobody:
                response.vary.update(("Cookie", "Authorization"))
        return response


def public(view: View) -> View:
    """`@public`: open to everybody in an application that is closed by `auth.protect(app)`."""
    setattr(view, _PUBLIC, True)
    return view


def _current_user() -> Somebody | Nobody:
    auth: Auth | None = current_app.extensions.get(EXTENSION)
    if auth is None:
        raise Misconfigured("flask.E2", "current_user needs an Auth: auth = Auth(app, …)")
    identity = auth.identity
    return NOBODY if identity is None else Somebody(auth.user, identity)


current_user: Any = LocalProxy(_current_user)


def _surroundings(app: Flask) -> Surroundings:
    secrets = [app.secret_key, *(app.config.get("SECRET_KEY_FALLBACKS") or ())]
    return Surroundings(
        secrets=[secret.decode("latin-1") if isinstance(secret, bytes) else secret for secret in secrets if secret],
        secret_name="app.secret_key",
        debug=app.debug,
        debug_origin="http://localhost:5000",
    )


def _known() -> dict[str, Any]:
    """What has been found out about the present request. Flask's `g` outlives one inside a pushed app context."""
    here: Any = request
    known: dict[str, Any] = here.__dict__.setdefault("doorward", {})
    return known


def _raw_path() -> str:
    """The path as it was sent, where the server tells: WSGI decodes PATH_INFO, and %2F would be a slash."""
    environ = request.environ
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not raw:
        path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
        return quote(path, safe="/:;=@!$&'()*+,~")
    path = str(raw).partition("?")[0].partition("#")[0]
    return path if path.startswith("/") else urlsplit(path).path  # a request line may hold a whole URL


def _body() -> bytes:
    """At most one byte more than we take, so that «too large» can be told without reading it all."""
    if (request.content_length or 0) > messages.MAX_BODY:
        return bytes(messages.MAX_BODY + 1)
    try:
        return request.stream.read(messages.MAX_BODY + 1)
    except RequestEntityTooLarge:
        return bytes(messages.MAX_BODY + 1)


def _to_flask(answer: messages.Response) -> Response:
    response = Response(answer.body, status=answer.status, headers=answer.headers)
    if answer.header("Content-Type") is None:
        del response.headers["Content-Type"]  # Flask's own default
    return response
