"""What a client sent, as plain values: JSON objects, forms and queries, each read in one way only and bounded first."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from doorward.core.refusals import Refused, invalid
from doorward.http.messages import MAX_BODY, Request
from doorward.primitives import strict_json

MAX_FIELDS = 100
MAX_QUERY = 4096

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def content_type(request: Request) -> str:
    """`JSON`, `FORM`, or empty for a request without one. Raises `unsupported_type` for everything else."""
    values = request.headers.all("content-type")
    if not values and not request.body:
        return ""
    kind, _, rest = (values[0] if len(values) == 1 else "").partition(";")
    parameters = [part.strip().lower() for part in rest.split(";")] if rest else []
    kind = kind.strip(" \t").lower()
    # A charset that is not UTF-8 would be read differently by whatever stands in front of us.
    if kind not in (JSON, FORM) or any(part not in ("charset=utf-8", 'charset="utf-8"') for part in parameters):
        raise Refused("unsupported_type")
    return kind


def json_of(request: Request) -> dict[str, object]:
    """The JSON object that a request to a host's own route brings, by the rules of ours."""
    check_size(request)
    if content_type(request) != JSON:
        raise Refused("unsupported_type", "Send application/json.")
    return read_json(request.body)


def read_json(body: bytes) -> dict[str, object]:
    """One JSON object: UTF-8, no duplicate names, no NaN, no lone surrogates, at most eight levels deep."""
    if not body:
        return {}
    try:
        value = strict_json.parse(body)
    except (UnicodeError, json.JSONDecodeError):
        raise invalid("", "malformed", "the body is not well-formed JSON in UTF-8") from None
    except ValueError as error:
        raise invalid("", "malformed", str(error)[:100]) from None
    if not isinstance(value, dict):
        raise invalid("", "wrong_type", "expected a JSON object")
    return value


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form, each at most once."""
    try:
        return _read_pairs(body.decode("ascii"))
    except UnicodeDecodeError:
        raise invalid("", "malformed", "the form is not percent-encoded") from None


def read_query(request: Request) -> dict[str, str]:
    """The query of a request, each name at most once."""
    if len(request.query) > MAX_QUERY or not request.query.isascii():
        raise invalid("", "malformed", "the query is too long or not percent-encoded")
    return _read_pairs(request.query)


def check_size(request: Request) -> None:
    """Refuse what is larger than we read, before any work (design 6.6)."""
    if len(request.body) > MAX_BODY:
        raise Refused("too_large")


def _read_pairs(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise invalid("", "malformed", "the fields are not well-formed") from None
    return _unique_pairs(pairs)


def _unique_pairs(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise invalid(_shown(name), "duplicate", "this field came twice")
        found[name] = value
    return found


def _shown(name: str) -> str:
    """A field's name as a client may be told it: it may hold anything, and be long."""
    return name[:64].encode("ascii", "backslashreplace").decode()
