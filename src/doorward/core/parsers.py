"""Values of single settings, out of what a file, the environment or a caller gives. Each raises ValueError."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import PurePath
from typing import Any

from doorward.core.theme import Theme, parse_theme
from doorward.locale import catalogues
from doorward.primitives import text
from doorward.primitives.phones import is_region
from doorward.primitives.urls import Origin

Network = IPv4Network | IPv6Network


def a_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, not {type(value).__name__}")
    return value


def service(value: Any) -> str:
    """The address of a service that we ask. What goes out must not be read, nor the answer changed, on the way."""
    url = a_text(value).rstrip("/")
    if url:
        scheme, _, rest = url.partition("://")
        origin = Origin.parse(f"{scheme}://{rest.partition('/')[0]}")
        if not (origin.is_secure or origin.is_loopback) or "?" in url or "#" in url:
            raise ValueError("expected an https URL without a query")
    return url


def domain(value: Any) -> str:
    """As the domain of a canonical address; a dot before it stays: all hosts below."""
    below = "." if a_text(value).startswith(".") else ""
    canonical = text.canonical_address(f"a@{value.removeprefix('.')}")
    if canonical is None:
        raise ValueError(f"{value!r} is no domain of addresses; write example.com, or .example.com for all below it")
    return below + canonical.partition("@")[2]


def locales(value: Any) -> str:
    folder = str(value)
    catalogues(folder)
    return folder


def path(value: Any) -> str:
    if not isinstance(value, str | PurePath):
        raise ValueError(f"expected a path, not {type(value).__name__}")
    return str(value)


def theme(value: Any) -> Theme | None:
    return parse_theme(value) if value else None


def network(value: Any) -> Network:
    return ip_network(a_text(value), strict=True)


def host(value: Any) -> str:
    """A host name as it stands in an origin; empty means none."""
    return Origin.parse(f"https://{value}").host if a_text(value) else ""


def region(value: Any) -> str:
    if not is_region(a_text(value)):
        raise ValueError(f"expected a region such as DE, and the extra `phone` installed, not {value!r}")
    return str(value)
