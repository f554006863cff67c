"""What a request says of where it comes from, in a few words: the browser and system, and the neighbourhood."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, ip_address, ip_network

# First match wins: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def agent_of(user_agent: str) -> tuple[str, str]:
    """Browser and system; for a program its own name and nothing. Both are empty where it says nothing of use."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in user_agent), "")
    if browser:
        return browser, next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    program = re.match(r"[\w .-]{1,40}", user_agent)
    return program[0].strip() if program else "", ""


def neighbourhood(ip: str) -> str:
    """The /24 or /64 that an address is in: one network as far as people move; empty for what is no address."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ""
    return str(ip_network((address, 24 if isinstance(address, IPv4Address) else 64), strict=False))
