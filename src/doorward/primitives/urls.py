"""The configured origin, and where a browser may be sent after signing in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Literal, Self
from urllib.parse import quote, unquote

_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DEFAULT_PORT = {"https": 443, "http": 80}
_LONGEST_HOST = 253
_CURE = 'write it as "https://app.example.com", with a port if it is not the usual one and nothing after it'

_ABSOLUTE = re.compile(r"(https?://[^/?#]*)(.*)", re.IGNORECASE)
_LONGEST_TARGET = 2048
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Origin:
    """A web origin (RFC 6454): scheme, host in lower-case ASCII (IPv6 in brackets) and port."""

    scheme: Literal["https", "http"]
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `https://host[:port]`, upper case too. Raises ValueError with the cure for anything more or less."""
        match = _ORIGIN.fullmatch(text.lower())
        if match is None or not text.isascii():
            raise ValueError(f"{text!r} is not an origin; {_CURE}; a name with accents goes in its xn-- form")
        host = _host(match[2])
        scheme: Literal["https", "http"] = "https" if match[1] == "https" else "http"
        port = int(match[3] or _DEFAULT_PORT[scheme])
        if host is None or not 1 <= port <= 65535:
            raise ValueError(
                f"{text!r} has an impossible host or port; {_CURE}; a name with accents goes in its xn-- form"
            )
        return cls(scheme, host, port)

    @property
    def netloc(self) -> str:
        """Host and, if it is not the scheme's own, port: what stands in a browser's Host header."""
        return self.host if self.port == _DEFAULT_PORT[self.scheme] else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def is_secure(self) -> bool:
        """Whether it is https."""
        return self.scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Whether it stays on this machine: localhost and its sub-names (RFC 6761 §6.3), 127.0.0.0/8, [::1]."""
        if self.host == "localhost" or self.host.endswith(".localhost") or self.host == "[::1]":
            return True
        return self.host.startswith("127.") and _is_ipv4(self.host)

    @property
    def is_address(self) -> bool:
        """Whether its host is an IP address, and no name."""
        return self.host.startswith("[") or _is_ipv4(self.host)

    def matches(self, header_value: str) -> bool:
        """Whether an Origin header names exactly this origin, in the one way browsers write it."""
        return header_value == str(self)


def return_target(value: object, *, origin: Origin, return_origins: Sequence[Origin] = ()) -> str | None:
    """Where to send a browser that asked for `value`: a path of ours, a URL of ours or of the list; else None.

    What a WHATWG parser and a careless one would read differently is refused, not repaired: backslashes, controls, dot
    segments, empty segments, user names before the host. Spaces and letters beyond ASCII come back percent-encoded.
    """
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TARGET or not _is_plain(value):
        return None
    absolute = _ABSOLUTE.fullmatch(value)
    if absolute is None:
        return _within(_encoded(value)) if value.startswith("/") and _is_straight(value) else None
    try:
        target = Origin.parse(absolute[1])
    except ValueError:
        return None
    rest = absolute[2]
    if target not in (origin, *return_origins) or not _is_straight(rest):
        return None
    return _within(f"{target}{_encoded(rest)}")


def _within(target: str) -> str | None:
    """The target, unless percent-encoding has made it longer than one may be."""
    return target if len(target) <= _LONGEST_TARGET else None


def _is_plain(value: str) -> bool:
    """No backslash, control character or lone surrogate, as itself or percent-encoded; no space at the ends."""
    hidden = re.search(r"%(?:[01][0-9a-f]|7f|5c)", value, re.IGNORECASE)
    return hidden is None and value == value.strip() and "\\" not in value and all(c.isprintable() for c in value)


def _is_straight(rest: str) -> bool:
    """Whether a path has no empty and no dot segments, however often somebody on the way decodes it."""
    path = re.split(r"[?#]", rest, maxsplit=1)[0]
    for _ in range(4):
        segments = [segment.partition(";")[0] for segment in path.split("/")]
        if "//" in path or "\\" in path or not path.isprintable() or not {".", ".."}.isdisjoint(segments):
            return False
        before, path = path, unquote(path, errors="replace")
        if path == before:
            return True
    return False


def _encoded(value: str) -> str:
    return quote(value, safe=_PRINTABLE)


def _host(text: str) -> str | None:
    """The host as a browser would write it; None if it is none, or a number that browsers read as an address."""
    if text.startswith("["):
        try:
            return f"[{IPv6Address(text[1:-1]).compressed}]"
        except AddressValueError:
            return None
    labels = text.split(".")
    if len(text) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        return None
    # WHATWG URL §3.5: a last label of digits makes it an IPv4 address, in decimal, octal or hexadecimal.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]) and not _is_ipv4(text):
        return None
    return text


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
