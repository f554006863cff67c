"""A request of Django's as ours, and our answer as one of Django's."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.http import HttpRequest, HttpResponse, UnreadablePostError

from doorward.http import messages


def ours(request: HttpRequest, *, mount: str, body: bytes = b"") -> messages.Request:
    """The request as the HTTP layer takes it. `mount` is the path of our URLs below the project's own."""
    script = request.path.removesuffix(request.path_info)
    return messages.Request(
        method=_raw_method(request),
        path=_raw_path(request),
        query=request.META.get("QUERY_STRING", ""),
        headers=messages.Headers(request.headers.items()),
        body=body,
        peer=request.META.get("REMOTE_ADDR") or "",
        secure=request.is_secure(),
        prefix=script + mount,
    )


def body_of(request: HttpRequest) -> bytes:
    """At most one byte more than we take, so that «too large» can be told without reading it all."""
    try:
        return bytes(request.read(messages.MAX_BODY + 1))
    except UnreadablePostError:  # the client went away: nobody reads the answer
        return b""


def djangos(answer: messages.Response) -> HttpResponse:
    """Our answer, with each cookie of its own."""
    response = HttpResponse(answer.body, status=answer.status)
    del response["Content-Type"]
    for name, value in answer.headers:
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        else:
            response[name] = value
    return response


def _raw_method(request: Any) -> str:
    """The method as it was sent: Django makes `POST` of `post`, and methods have a case (RFC 9110 §9.1)."""
    scope = getattr(request, "scope", None)
    sent = scope.get("method") if scope is not None else getattr(request, "environ", {}).get("REQUEST_METHOD")
    return str(sent or request.method or "GET")


def _raw_path(request: Any) -> str:
    """The path as it was sent, where the server tells and nobody has rewritten it: Django decodes it, and %2F would be
    a slash."""
    scope = getattr(request, "scope", None)
    if scope is not None:
        raw = (scope.get("raw_path") or b"").decode("latin-1")
    else:
        sent = str(request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or "")
        path = sent.partition("?")[0].partition("#")[0]
        raw = path if path.startswith("/") else urlsplit(path).path  # a request line may hold a whole URL
    if raw and unquote(raw) == request.path:
        return raw
    return quote(request.path, safe="/:;=@!$&'()*+,~")
