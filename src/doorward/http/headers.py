"""The header fields that every answer of ours carries (rules 31 and 33)."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.http.messages import Response
from doorward.primitives.urls import Origin

HTML = "text/html; charset=utf-8"
JSON = "application/json"
CACHED = "public, max-age=300"
# Two years, as browsers' preload lists ask for; no includeSubDomains: other hosts are not ours to speak for.
HSTS = "max-age=63072000"
# A picture that is opened by itself is a page of ours: it runs nothing and loads nothing.
PICTURE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def finished(response: Response, *, origin: Origin, return_origins: Sequence[Origin] = ()) -> Response:
    """Adds what every answer carries, and the content policy where it is a page."""
    names = {name.lower() for name, _ in response.headers}
    always = [
        ("X-Content-Type-Options", "nosniff"),
        # `no-referrer` would make browsers send `Origin: null` on our own forms (rule 31).
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ]
    if "cache-control" not in names:
        # Pages also speak the language that is asked for.
        spoken = ", Accept-Language" if response.header("Content-Type") == HTML else ""
        always += [("Cache-Control", "no-store"), ("Vary", f"Cookie, Authorization, Accept{spoken}")]
    if origin.is_secure:
        always.append(("Strict-Transport-Security", HSTS))
    if response.header("Content-Type") == HTML:
        always.append(("Content-Security-Policy", content_policy(return_origins)))
    response.headers += always
    return response


def content_policy(return_origins: Sequence[Origin]) -> str:
    """Nothing from elsewhere, nothing inline. A form's 303 may lead to a configured return origin."""
    forms = " ".join(["'self'", *map(str, return_origins)])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action {forms}"
    )


def cached(status: int, content_type: str, body: bytes, etag: str) -> Response:
    """The same for everybody, so that caches and other sites' scripts may have it."""
    headers = [
        ("Content-Type", content_type),
        ("Cache-Control", CACHED),
        ("ETag", etag),
        ("Access-Control-Allow-Origin", "*"),
    ]
    if content_type.startswith("image/svg"):
        headers.append(("Content-Security-Policy", PICTURE))
    return Response(status, headers if status == 200 else headers[1:], body if status == 200 else b"")


def redirect(location: str) -> Response:
    """See another page, by GET (RFC 9110 §15.4.4)."""
    return Response(303, [("Location", location)])
