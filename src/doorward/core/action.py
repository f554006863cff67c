"""A named thing one can do. Its typed signature is its schema: for JSON, forms, OpenAPI and Python."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cached_property
from typing import (
    Annotated,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypedDict,
    TypeVar,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
)

from doorward.core.call import Call
from doorward.core.refusals import FieldError, Misconfigured, Refused
from doorward.primitives import strict_json, text

P = ParamSpec("P")
T = TypeVar("T")

MOST_ITEMS = 32  # of a list


class Needs(Enum):
    """What must hold before an action runs. `FRESH`: a proof of the last ten minutes at the highest AAL the user
    can reach. `FRESH_WITH_SECOND`: the same, but only for who has a second factor (rule 43)."""

    NOTHING = "nothing"
    SIGNED_IN = "signed_in"
    FRESH = "fresh"
    FRESH_WITH_SECOND = "fresh_with_second"


class Wants(TypedDict, total=False):
    """What may be asked for beside `Needs`: a role, a permission, a scope (of an API key, which is held to its scopes),
    a fresh proof (`True`, or how old it may be), an AAL, a proof that resists phishing."""

    role: str
    permission: str
    scope: str
    fresh: bool | timedelta
    aal: Literal[1, 2]
    phishing_resistant: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """All that must hold before something goes on: of an action, or of a host's own route."""

    needs: Needs = Needs.SIGNED_IN
    role: str = ""
    permission: str = ""
    scope: str = ""
    fresh_within: timedelta | None = None
    aal: int = 0
    phishing_resistant: bool = False


def demanded(needs: Needs = Needs.SIGNED_IN, **wants: Unpack[Wants]) -> Demand:
    """`needs(role="editor", fresh=True)` of every host, as a value. Raises `Misconfigured` for what can't be asked."""
    fresh = wants.get("fresh", False)
    within = fresh if isinstance(fresh, timedelta) else None
    if fresh is not False and needs is Needs.SIGNED_IN:
        needs = Needs.FRESH
    named = {name: wants.get(name, "x") for name in ("role", "permission", "scope")}
    unknown = wants.keys() - Wants.__annotations__.keys()
    never = within is not None and within <= timedelta(0)
    if unknown or never or needs is Needs.NOTHING or not all(named.values()) or wants.get("aal", 1) not in (1, 2):
        raise Misconfigured("needs.E1", f"needs({needs}, {wants}) asks for nothing, or for what there is not")
    return Demand(
        needs,
        role=wants.get("role", ""),
        permission=wants.get("permission", ""),
        scope=wants.get("scope", ""),
        fresh_within=within,
        aal=wants.get("aal", 0),
        phishing_resistant=wants.get("phishing_resistant", False),
    )


@dataclass(frozen=True, slots=True)
class Onward:
    """Where a browser is sent on to."""

    url: str


@dataclass(frozen=True, slots=True)
class Text:
    """Bounds of a text argument in code points. `secret` ones are never shown again; `token` ones are plain ASCII."""

    most: int
    least: int = 1
    secret: bool = False
    token: bool = False
    format: str = ""


Identifier = Annotated[str, Text(254)]
EmailText = Annotated[str, Text(254, format="email")]
# Bounded before any work (design 6.6): 1,024 code points, then NFC, then the hash.
PasswordText = Annotated[str, Text(1024, secret=True, format="password")]
CodeText = Annotated[str, Text(64, secret=True)]
TokenText = Annotated[str, Text(512, secret=True, token=True)]
# Access tokens are longer than what we make up ourselves.
AnyTokenText = Annotated[str, Text(8192, secret=True, token=True)]
AttemptText = Annotated[str, Text(128, token=True)]
NameText = Annotated[str, Text(150, least=0)]
ShortName = Annotated[str, Text(60)]
IdText = Annotated[str, Text(64, token=True)]
CursorText = Annotated[str, Text(512, token=True)]
RoleText = Annotated[str, Text(150)]  # as long as the longest name of one of Django's groups
# OAuth scopes (RFC 6749 §3.3), space-separated in forms.
ScopeList = Annotated[tuple[str, ...], Text(64, token=True)]
UrlText = Annotated[str, Text(2048, least=0)]
Issue = Literal["session", "tokens"]
# A JSON object of a form that others have set, such as `credential.toJSON()`; what reads it closes it.
JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its plain type (`str`, `bool`, `int`, `dict`, or `tuple` of texts), bounds, choices and default."""

    name: str
    kind: type
    text: Text | None
    choices: tuple[str, ...]
    required: bool
    nullable: bool
    default: Any = None


@dataclass(frozen=True)
class Action(Generic[P, T]):
    """`name` is the URL: `password.change` is `POST …/password/change`. Call it with `auth.do(action, …)`."""

    name: str
    run: Callable[Concatenate[Call, P], Awaitable[T]]
    method: str
    needs: Needs
    permission: str
    status: int
    bearer: bool
    proving: bool
    cacheable: bool
    lenient: bool
    keys: bool
    proxied: bool
    hosts: bool
    url: str

    @property
    def path(self) -> str:
        return self.url or "/" + self.name.replace("_", "-").replace(".", "/")

    @property
    def onward(self) -> bool:
        """A browser on its way asks, and is sent on: it returns an `Onward`."""
        return self.status == 303

    @cached_property
    def demand(self) -> Demand:
        return Demand(self.needs, permission=self.permission)

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        hints = get_type_hints(self.run, include_extras=True)
        parameters = list(inspect.signature(self.run).parameters.values())[1:]
        return tuple(_argument(p, hints[p.name]) for p in parameters)

    @cached_property
    def returns(self) -> Any:
        return get_type_hints(self.run)["return"]

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.run) or self.name).split("\n")[0]

    def read(self, given: Mapping[str, object], *, form: bool = False) -> dict[str, Any]:
        """Arguments out of a parsed body or query. Closed: unknown names are refused, all errors come at once.

        `form`: values are text, an empty one counts as absent where the argument may be absent and not empty, a box
        sends `on`.
        """
        errors = [
            FieldError(_shown(name), "unknown", "this field is not known here")
            for name in given
            if not self.lenient and name not in {argument.name for argument in self.arguments}
        ]
        values: dict[str, Any] = {}
        for argument in self.arguments:
            try:
                values[argument.name] = _value(argument, given, form)
            except _Wrong as wrong:
                errors.append(FieldError(argument.name, wrong.reason, wrong.detail))
        if errors:
            raise Refused("invalid_input", errors=tuple(errors))
        return values


def action(
    name: str,
    *,
    method: Literal["GET", "POST"] = "POST",
    needs: Needs = Needs.NOTHING,
    permission: str = "",
    status: int = 200,
    bearer: bool = True,
    proving: bool = False,
    cacheable: bool = False,
    lenient: bool = False,
    keys: bool = False,
    proxied: bool = False,
    hosts: bool = False,
    url: str = "",
) -> Callable[[Callable[Concatenate[Call, P], Awaitable[T]]], Action[P, T]]:
    """Make an action of an `async def` whose first argument is the `Call` and whose others are keyword-only.

    `permission`: what who asks must be permitted, beside `needs`. `proving`: spends tries, and so may not run inside a
    transaction that a host opened (rule 11). `lenient`: unknown arguments are ignored, as RFC 7009 and 7662 ask.
    `keys`: API keys may do it, too (rule 28). `proxied`: a proxy asks, about a request that was made to it (rule 37).
    `hosts`: may be done at a protected host, too. `url`: a path other than the name's.
    """

    def wrap(run: Callable[Concatenate[Call, P], Awaitable[T]]) -> Action[P, T]:
        return Action(
            name, run, method, needs, permission, status, bearer, proving, cacheable, lenient, keys, proxied, hosts, url
        )

    return wrap


class _Wrong(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail


def _shown(name: str) -> str:
    """A field name that we did not choose, fit to be shown."""
    return ascii(name[:64])[1:-1]


def _argument(parameter: inspect.Parameter, hint: Any) -> Argument:
    required = parameter.default is inspect.Parameter.empty
    nullable = False
    if type(None) in get_args(hint):
        nullable = True
        (hint,) = [option for option in get_args(hint) if option is not type(None)]
    bounds, choices = None, ()
    if get_origin(hint) is Annotated:
        hint, bounds = get_args(hint)
    if get_origin(hint) is Literal:
        hint, choices = str, get_args(hint)
    hint = get_origin(hint) or hint
    return Argument(parameter.name, hint, bounds, choices, required, nullable, None if required else parameter.default)


def _value(argument: Argument, given: Mapping[str, object], form: bool) -> Any:
    value = given.get(argument.name)
    if form:
        value = _from_form(argument, value)
    if value is None:
        # An explicit null is as good as absence only where None is a value of the argument.
        if argument.name in given and not argument.nullable and not form:
            raise _Wrong("wrong_type", _expected(argument))
        if argument.required:
            raise _Wrong("required", "this field is required")
        return argument.default
    if argument.kind is tuple:
        return _texts(argument, value)
    if type(value) is not argument.kind:
        raise _Wrong("wrong_type", _expected(argument))
    if isinstance(value, str):
        _check_text(argument, value)
    return value


def _texts(argument: Argument, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Wrong("wrong_type", _expected(argument))
    if len(value) > MOST_ITEMS:
        raise _Wrong("too_many", f"at most {MOST_ITEMS}")
    for item in value:
        _check_text(argument, item)
    return tuple(value)


def _from_form(argument: Argument, value: object) -> object:
    if argument.kind is bool:
        known = {None: None, "on": True, "true": True, "1": True, "false": False, "": False}
        return known.get(value, value) if value is None or isinstance(value, str) else value
    if value == "" and not argument.required and (argument.text is None or argument.text.least):
        return None
    if argument.kind is tuple and isinstance(value, str):
        return value.split()
    if argument.kind is dict and isinstance(value, str):
        return _parsed_object(value)
    if argument.kind is int and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value


def _parsed_object(value: str) -> object:
    """JSON that a script of ours put into a form, read as strictly as a body of JSON is."""
    try:
        return strict_json.parse(value.encode())
    except ValueError:  # UnicodeEncodeError and JSONDecodeError are such
        raise _Wrong("not_valid", "this is not well-formed JSON") from None


def _check_text(argument: Argument, value: str) -> None:
    if argument.choices:
        if value not in argument.choices:
            raise _Wrong("not_offered", f"expected one of {', '.join(argument.choices)}")
        return
    bounds = argument.text or Text(254)
    if len(value) > bounds.most:
        raise _Wrong("too_long", f"at most {bounds.most} characters")
    if len(value) < bounds.least:
        raise _Wrong("required" if not value else "too_short", f"at least {bounds.least} characters")
    if bounds.token and not (value.isascii() and value.isprintable() and " " not in value):
        raise _Wrong("not_valid", "this is not of the form that this service gives out")
    # Passwords may hold anything that can be encoded, other text no control characters.
    if bounds.secret and not bounds.token:
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise _Wrong("not_valid", "a lone surrogate can't be stored")
    elif not text.is_clean(value):
        raise _Wrong("not_valid", "control characters are not allowed")


def _expected(argument: Argument) -> str:
    names: dict[type, str] = {str: "text", bool: "true or false", int: "a whole number", tuple: "a list of texts"}
    names[dict] = "an object"
    return f"expected {names[argument.kind]}"
