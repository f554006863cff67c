"""Whether an unsafe request comes from a page of ours: `Origin`, `Sec-Fetch-Site`, and a token in forms (rule 30)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from doorward.http.bodies import FORM, JSON
from doorward.http.cookies import Cookie
from doorward.http.messages import Request
from doorward.primitives import signing, tokens
from doorward.primitives.keyring import Keyring
from doorward.primitives.urls import Origin

FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def is_from_us(request: Request, kind: str, origin: Origin, *, has_cookie: bool, plain_form: bool = False) -> bool:
    """Whether the headers of an unsafe request allow it. `kind` is its content type, `has_cookie` one of ours,
    `plain_form`: programs send it as a form (RFC 7009).

    Programs send neither header: they pass with a bearer token, or with JSON and no cookie of ours, since no page of
    another site can send either without asking us first (CORS preflight).
    """
    headers = request.headers
    if "origin" not in headers and "sec-fetch-site" not in headers:
        return "authorization" in headers or (not has_cookie and (kind == JSON or plain_form))
    site = headers.one("sec-fetch-site")
    if "sec-fetch-site" in headers and site != "same-origin":
        return False
    if "origin" not in headers:
        return True
    sent = headers.one("origin")
    if sent == "null":  # rule 31: only where the browser vouches for us in the other header, and for forms with a token
        return site == "same-origin" and kind == FORM
    return sent is not None and origin.matches(sent)


def is_foreign(request: Request, origin: Origin) -> bool:
    """For a host's own routes: whether an unsafe request says that it comes from elsewhere."""
    if request.method in SAFE_METHODS:
        return False
    site, sent = request.headers.one("sec-fetch-site"), request.headers.one("origin")
    if "sec-fetch-site" in request.headers and site not in ("same-origin", "none"):
        return True
    if "origin" not in request.headers or (sent == "null" and site == "same-origin"):
        return False
    return sent is None or not origin.matches(sent)


def form_token(keyring: Keyring, cookies: Mapping[Cookie, str]) -> str:
    """What a form carries: bound to the session, else to the pre-session cookie, so that it rotates at sign-in."""
    return signing.sign(keyring, purpose="csrf", payload=_binding(cookies))


def is_form_token(keyring: Keyring, token: object, cookies: Mapping[Cookie, str], *, now: datetime) -> bool:
    """Whether a form of ours was made for this browser."""
    binding = _binding(cookies)
    if not binding or not isinstance(token, str):
        return False
    bound = signing.unsign(keyring, token, purpose="csrf", now=now)
    return bound is not None and tokens.same(bound, binding)


def _binding(cookies: Mapping[Cookie, str]) -> str:
    for cookie in ("session", "csrf"):
        if value := cookies.get(cookie):
            return f"{cookie} {tokens.digest(value, purpose='csrf')}"
    return ""
