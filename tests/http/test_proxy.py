"""Who is at the other end, through proxies that are trusted and headers that are not."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from doorward.http.messages import Headers, Request
from doorward.http.proxy import MAX_HOPS, Peer, peer_of

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]


def seen(peer: str, *forwarded: str, proto: str | None = None, secure: bool = False) -> Peer:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    if proto is not None:
        headers.append(("X-Forwarded-Proto", proto))
    return peer_of(Request("GET", "/", headers=Headers(headers), peer=peer, secure=secure), TRUSTED)


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("203.0.113.5", (), "203.0.113.5"),
        ("203.0.113.5", ("198.51.100.1",), "203.0.113.5"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("1.2.3.4, 198.51.100.1, 10.0.0.9",), "198.51.100.1"),
        ("10.0.0.1", ("1.2.3.4", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("10.0.0.7, 10.0.0.8",), "10.0.0.7"),
        ("10.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:db8::1]:443",), "2001:db8::1"),
        ("10.0.0.1", ("198.51.100.1, nonsense",), "10.0.0.1"),
        ("10.0.0.1", ("nonsense, 10.0.0.3",), "10.0.0.3"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("unknown",), "10.0.0.1"),
        ("10.0.0.1", ("::ffff:198.51.100.1",), "198.51.100.1"),
        ("::ffff:10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("2001:db8:ffff::1", ("2001:db8::2",), "2001:db8::2"),
        ("", ("198.51.100.1",), ""),
        ("unix:", ("198.51.100.1",), ""),
        ("10.0.0.1", ("9" * 100_000,), "10.0.0.1"),
    ],
)
def test_the_right_most_address_that_is_not_trusted(peer: str, forwarded: tuple[str, ...], ip: str) -> None:
    assert seen(peer, *forwarded).ip == ip


def test_an_endless_list_is_cut() -> None:
    assert seen("10.0.0.1", "198.51.100.1, " + ", ".join(["10.0.0.2"] * MAX_HOPS)).ip == "10.0.0.2"


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "local"),
    ],
)
def test_limits_count_a_customer_as_one(peer: str, network: str) -> None:
    assert seen(peer).network == network


@pytest.mark.parametrize(
    ("peer", "proto", "secure", "is_secure"),
    [
        ("10.0.0.1", "https", False, True),
        ("10.0.0.1", "http", True, False),
        ("10.0.0.1", "https, http", False, False),
        ("10.0.0.1", None, True, True),
        ("203.0.113.5", "https", False, False),
    ],
)
def test_only_a_trusted_proxy_speaks_of_tls(peer: str, proto: str | None, secure: bool, is_secure: bool) -> None:
    assert seen(peer, proto=proto, secure=secure).secure is is_secure
