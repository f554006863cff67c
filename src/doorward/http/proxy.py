"""Who is at the other end: the connection's own address, or what trusted proxies in front of us say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from doorward.core.parsers import Network
from doorward.http.messages import Request

MAX_HOPS = 20


@dataclass(frozen=True, slots=True)
class Peer:
    """The client's address (empty if the host knows none), and whether it came by TLS to the outermost proxy."""

    ip: str
    secure: bool

    @property
    def network(self) -> str:
        """What limits count by: an IPv4 address, or the /64 that one IPv6 customer has."""
        return _network(self.ip)


def is_from_proxy(request: Request, trusted: Sequence[Network]) -> bool:
    """Whether the connection itself is that of a trusted proxy."""
    peer = _address(request.peer)
    return peer is not None and _is_trusted(peer, trusted)


def peer_of(request: Request, trusted: Sequence[Network]) -> Peer:
    """Walks from the connection leftwards, through proxies we trust, to the first hop that is none of them.

    Only `X-Forwarded-For` and `X-Forwarded-Proto` are looked at, and only when a trusted proxy sent them: everything
    to the left of the right-most untrusted address is what a stranger wrote.
    """
    peer = _address(request.peer)
    if peer is None or not _is_trusted(peer, trusted):
        return Peer(str(peer) if peer else "", request.secure)
    secure = _forwarded_scheme(request)
    for hop in reversed(_listed(request, "x-forwarded-for")[-MAX_HOPS:]):
        address = _address(hop)
        if address is None:
            break
        peer = address
        if not _is_trusted(peer, trusted):
            break
    return Peer(str(peer), secure)


def _forwarded_scheme(request: Request) -> bool:
    schemes = _listed(request, "x-forwarded-proto")
    if not schemes:
        return request.secure
    return schemes[-1].lower() == "https"


def _listed(request: Request, name: str) -> list[str]:
    return [part.strip() for value in request.headers.all(name) for part in value.split(",")]


def _is_trusted(address: IPv4Address | IPv6Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


@lru_cache(maxsize=4096)
def _network(ip: str) -> str:
    address = _address(ip)
    if address is None:
        return "local"
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, 64), strict=False))


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: bare, `v4:port`, or `[v6]:port`; None for all else."""
    if len(text) > 64:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # ::ffff:203.0.113.1 is the same client as 203.0.113.1.
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
