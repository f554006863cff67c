"""OpenAPI 3.1 of exactly the actions that are switched on, made from their signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from doorward import __version__
from doorward.core.action import MOST_ITEMS, Action, Argument, Needs
from doorward.core.doorward import Doorward
from doorward.core.records import User
from doorward.core.refusals import REASONS
from doorward.core.session import Identity, Session
from doorward.core.sign_in import Stepped
from doorward.http import bodies, problems
from doorward.http.routes import WELL_KNOWN, Route

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_PLAIN: Mapping[Any, Schema] = {
    str: _TEXT,
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: _TIME,
    dict: {"type": "object"},
    NoneType: {"type": "null"},
}


def document(doorward: Doorward, routes: Mapping[str, Route]) -> Schema:
    """The whole document. Paths are absolute, below the configured origin."""
    settings, prefix = doorward.world.settings, doorward.world.prefix
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{settings.rp_name}: sign-in", "version": __version__},
        "servers": [{"url": str(settings.origin)}],
        "paths": {
            path if path.startswith(WELL_KNOWN) else prefix + path: _path(route)
            for path, route in sorted(routes.items())
            if route.read or route.write
        },
        "components": {
            "schemas": {"Problem": _PROBLEM, "User": _USER, "Session": _SESSION, "Tokens": _TOKENS, "Step": _STEP},
            "securitySchemes": _SCHEMES,
        },
    }


def _path(route: Route) -> Schema:
    found: Schema = {}
    if route.read is not None:
        found["get"] = _operation(route.read)
        found["get"]["parameters"] = [
            {"name": a.name, "in": "query", "required": a.required, "schema": _argument(a)}
            for a in route.read.arguments
        ]
    if route.write is not None:
        found["post"] = _operation(route.write)
        found["post"]["requestBody"] = _body(route.write)
    return found


def _operation(action: Action[..., Any]) -> Schema:
    operation: Schema = {
        "operationId": action.name,
        "summary": action.summary,
        "tags": [action.name.split(".")[0]],
        "responses": {**_success(action), "default": {"description": "Refused", "content": _problem_content()}},
    }
    statuses = sorted({reason.status for reason in REASONS.values()} - {404, 405})
    operation["responses"] |= {
        str(status): {"description": _described(status), "content": _problem_content()} for status in statuses
    }
    if action.needs is not Needs.NOTHING:
        operation["security"] = [{name: []} for name in _SCHEMES if name != "apiKey" or action.keys]
    return operation


def _described(status: int) -> str:
    return ", ".join(word for word, reason in REASONS.items() if reason.status == status)


def _problem_content() -> Schema:
    return {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _success(action: Action[..., Any]) -> Schema:
    if action.onward:
        return {"303": {"description": "On, to the page in Location"}}
    if action.returns is NoneType or action.proxied:
        return {str(action.status): {"description": "Done"}}
    if action.returns is Stepped:
        step = _json({"$ref": "#/components/schemas/Step"})
        return {
            "200": {"description": "Done", "content": step},
            "202": {"description": "Something is still missing", "content": step},
        }
    return {str(action.status): {"description": "Done", "content": _json(schema_of(action.returns))}}


def _json(schema: Schema) -> Schema:
    return {bodies.JSON: {"schema": schema}}


def _body(action: Action[..., Any]) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {argument.name: _argument(argument) for argument in action.arguments},
        "additionalProperties": False,
    }
    if required := [argument.name for argument in action.arguments if argument.required]:
        schema["required"] = required
    return {"required": True, "content": _json(schema)}


def _argument(argument: Argument) -> Schema:
    if argument.kind is tuple:
        return {"type": "array", "items": _argument(replace(argument, kind=str, required=True)), "maxItems": MOST_ITEMS}
    schema = dict(_PLAIN[argument.kind])
    if argument.choices:
        schema["enum"] = [*argument.choices, *([None] if argument.nullable else [])]
    elif argument.text is not None:
        schema |= {"minLength": argument.text.least, "maxLength": argument.text.most}
        if argument.text.format:
            schema["format"] = argument.text.format
        if argument.text.token:
            schema["pattern"] = "^[!-~]*$"
    elif argument.kind is str:
        schema |= {"minLength": 1, "maxLength": 254}
    if argument.nullable:
        schema["type"] = [schema["type"], "null"]
    if not argument.required and argument.default is not None:
        schema["default"] = argument.default
    return schema


def schema_of(hint: Any) -> Schema:
    """The JSON schema of what an action returns, by its type."""
    if hint is Identity or hint is Session:
        return {"$ref": "#/components/schemas/Session"}
    if hint is User:
        return {"$ref": "#/components/schemas/User"}
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(option) for option in inner]}
    if origin is Literal:
        return {"enum": list(inner)}
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        names = [f.name for f in fields(hint)]
        return {"type": "object", "properties": {n: schema_of(hints[n]) for n in names}, "required": names}
    if origin is not None and issubclass(origin, Sequence | frozenset | set):
        return {"type": "array", "items": schema_of(inner[0])}
    return {"type": "object"} if hint is dict or (origin and issubclass(origin, Mapping)) else {}


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


_SCHEMES: Mapping[str, Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "dpop": {"type": "http", "scheme": "DPoP", "description": "A bound access token, with a proof in DPoP (RFC 9449)"},
    "apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "API key", "description": "dwk_…"},
}
_PROBLEM = _object(
    {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "reason": {"type": "string", "enum": sorted([*REASONS, "server_error"])},
    },
    {
        "errors": {"type": "array", "items": _object({"field": _TEXT, "reason": _TEXT, "detail": _TEXT})},
        "methods": _TEXTS,
        "retry_after": {"type": "integer", "description": "seconds"},
    },
)
_USER = _object(
    {
        "id": _TEXT,
        "name": _TEXT,
        "email": _MAYBE_TEXT,
        "email_verified": {"type": "boolean"},
        "username": _MAYBE_TEXT,
        "phone": _MAYBE_TEXT,
        "roles": _TEXTS,
        "created_at": _TIME,
    }
)
_SESSION = _object(
    {
        "id": _TEXT,
        "created_at": _TIME,
        "last_seen_at": _TIME,
        "expires_at": _TIME,
        "amr": _TEXTS,
        "aal": {"type": "integer", "minimum": 0, "maximum": 3},
        "current": {"type": "boolean"},
        "user_agent": _TEXT,
        "ip": _TEXT,
    }
)
_TOKENS = _object(
    {"access_token": _TEXT, "token_type": _TEXT, "expires_in": {"type": "integer"}}, {"refresh_token": _TEXT}
)
_STEP = _object(
    {"step": {"enum": ["done", "prove", "enroll", "verify", "confirm"]}},
    {
        "user": {"$ref": "#/components/schemas/User"},
        "session": {"$ref": "#/components/schemas/Session"},
        "tokens": {"$ref": "#/components/schemas/Tokens"},
        "return_to": _TEXT,
        "methods": _TEXTS,
        "what": _TEXT,
        "to": _TEXT,
        "attempt": _TEXT,
        "expires_in": {"type": "integer"},
    },
)
