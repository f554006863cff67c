"""What a proxy that asks about its own request is answered (rule 37), and which request it asks about."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from doorward.core.rights import Verified
from doorward.core.settings import Settings
from doorward.http.headers import redirect
from doorward.http.messages import Request, Response
from doorward.http.proxy import is_from_proxy
from doorward.primitives.urls import Origin, return_target

# Left as they are in a value: all that is visible in ASCII but what ends, quotes or separates something somewhere.
_PLAIN = "!#$&'()*+-./:=?@^_`|~"


def let_through(verified: Verified) -> Response:
    """204 with who it is. All five are always there: a header that were absent could come from the client."""
    user = verified.user
    values = {
        "X-Auth-User": _ascii(user.id),
        "X-Auth-Email": _ascii(user.email or ""),
        "X-Auth-Roles": ",".join(map(_ascii, verified.roles)),
        "X-Auth-Session": _ascii(verified.session),
        "X-Auth-Aal": str(verified.aal),
    }
    return Response(204, list(values.items()))


def _ascii(value: str) -> str:
    return quote(value, safe=_PLAIN)


def turned_away(request: Request, settings: Settings, problem: Response, url: str | None) -> Response:
    """`url` is where a browser can do something about it. Proxies that were told so (`redirect=1`) hand a 303 on to a
    browser that navigates; the others get 401, and the address beside it."""
    if url is None:
        return problem
    if "redirect=1" in request.query.split("&") and _navigates(request, settings):
        return redirect(url)
    problem.headers.append(("X-Auth-Redirect", url))
    return problem


def _navigates(request: Request, settings: Settings) -> bool:
    """A person's browser opens a page: a form or a script would lose what it sent."""
    method = request.headers.one("x-forwarded-method") if is_from_proxy(request, settings.trusted_proxies) else None
    return request.headers.one("sec-fetch-mode") == "navigate" and method in (None, "GET")


def departure(prefix: str, here: str) -> str:
    """The path at a protected host where a sign-in begins."""
    return f"{prefix}/depart" + (f"?{urlencode({'return_to': here}, safe='/')}" if here else "")


def asked_url(request: Request, origin: Origin, settings: Settings) -> str:
    """The URL that the proxy was asked for, where it is one to return to; empty where a stranger says so, or nobody.
    A protected host (`origin`) speaks for its own pages."""
    if not is_from_proxy(request, settings.trusted_proxies):
        return ""
    url = request.headers.one("x-original-url")
    if url is None:
        parts = [request.headers.one(f"x-forwarded-{name}") for name in ("proto", "host", "uri")]
        url = "{}://{}{}".format(*parts) if all(parts) else None
    others = settings.other_origins if origin == settings.origin else ()
    return return_target(url, origin=origin, return_origins=others) or ""
