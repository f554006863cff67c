"""The `Client` of a request: address, user agent, language, and what its cookies hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from doorward.core.call import Client, ProofHeader
from doorward.core.settings import Settings
from doorward.http.bodies import FORM
from doorward.http.cookies import Cookie
from doorward.http.messages import Request
from doorward.http.proxy import peer_of
from doorward.locale import catalogues
from doorward.primitives.urls import Origin

_BROWSERS_SEND = ("origin", "sec-fetch-site", "sec-fetch-mode")
LONGEST_AGENT = 400
LONGEST_LANGUAGES = 500


def client_of(request: Request, settings: Settings, cookies: Mapping[Cookie, str]) -> Client:
    """`cookies` are ours, and empty where `Authorization` came along."""
    peer = peer_of(request, settings.trusted_proxies)
    return Client(
        ip=peer.ip,
        network=peer.network,
        user_agent=_printable(request.headers.one("user-agent") or ""),
        browser=is_browser(request),
        attempt=cookies.get("attempt", ""),
        known_device=cookies.get("device", ""),
        nonce=cookies.get("nonce", ""),
        host=str(protected_origin(request, settings) or ""),
        trusted_device=cookies.get("trusted", ""),
        locale=locale_of(request, settings),
        proof=_proof(request, settings),
    )


def protected_origin(request: Request, settings: Settings) -> Origin | None:
    """The protected origin that a request came to; None at ORIGIN, and where the Host is nobody's."""
    host = (request.headers.one("host") or "").lower()
    return next((origin for origin in settings.protected_origins if origin.netloc == host), None)


def _proof(request: Request, settings: Settings) -> ProofHeader | None:
    """RFC 9449 §4.3 (1): there is one such field. Several are joined, which makes no proof of them."""
    sent = request.headers.all("dpop")
    if not sent:
        return None
    method = "GET" if request.method == "WEBSOCKET" else request.method  # what a handshake is on the wire (RFC 6455)
    return ProofHeader(",".join(sent), method, f"{settings.origin}{request.path}")


def locale_of(request: Request, settings: Settings) -> str:
    """The language of ours that a request asks for most; empty where it asks for none that we speak."""
    accepted = ",".join(request.headers.all("accept-language"))
    return _best_locale(accepted[:LONGEST_LANGUAGES], settings.locales) if accepted else ""


@lru_cache(maxsize=256)
def _best_locale(accepted: str, folder: str) -> str:
    wanted = _ranges(accepted)
    return catalogues(folder).best(sorted((tag for tag in wanted if wanted[tag] > 0), key=lambda tag: -wanted[tag]))


def is_browser(request: Request) -> bool:
    """Whether cookies are kept at the other end: then an attempt is bound to its cookie (rule 5)."""
    if "authorization" in request.headers:
        return False
    if any(name in request.headers for name in _BROWSERS_SEND):
        return True
    return (request.headers.one("content-type") or "").lower().startswith(FORM)


def wants_html(request: Request) -> bool:
    """Whether a page is asked for rather than JSON. Who takes anything (`*/*`) is a program."""
    return _prefers_html(",".join(request.headers.all("accept")))


@lru_cache(maxsize=256)
def _prefers_html(accept: str) -> bool:
    ranges = _ranges(accept)
    html = max(ranges.get("text/html", 0.0), ranges.get("application/xhtml+xml", 0.0))
    json = max(ranges.get("application/json", 0.0), ranges.get("application/problem+json", 0.0))
    return html > json


def _ranges(header: str) -> dict[str, float]:
    """What a header field lists, in lower case, with the quality of each (RFC 9110 §12.4.2)."""
    found: dict[str, float] = {}
    for part in header.split(",")[:32]:
        name, _, parameters = part.partition(";")
        found[name.strip().lower()] = _quality(parameters)
    return found


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "q":
            digits = value.strip()
            return float(digits) if _is_number(digits) else 0.0
    return 1.0


def _is_number(digits: str) -> bool:
    return digits.isascii() and digits.replace(".", "", 1).isdigit() and len(digits) < 8


def _printable(text: str) -> str:
    text = text[:LONGEST_AGENT]
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)
