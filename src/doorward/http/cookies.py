"""The cookies we set and read: `__Host-` names under https, names with the port on plain-http loopback (rule 42)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Literal

from doorward.core.refusals import Refused
from doorward.http.messages import Request
from doorward.primitives.urls import Origin

Cookie = Literal["session", "attempt", "csrf", "device", "trusted", "nonce"]

LONGEST = 4096  # characters of one value
_BASE: dict[Cookie, str] = {
    "session": "doorward",
    "attempt": "doorward-attempt",
    "csrf": "doorward-csrf",
    "device": "doorward-device",
    "nonce": "doorward-nonce",
    "trusted": "doorward-trusted",
}


@dataclass(frozen=True, slots=True)
class Jar:
    """Names and attributes of our cookies at one origin."""

    origin: Origin

    def name(self, cookie: Cookie) -> str:
        # `__Host-` needs Secure, which plain http can't have; and loopback's ports share one cookie jar.
        base = _BASE[cookie]
        return f"__Host-{base}" if self.origin.is_secure else f"{base}-{self.origin.port}"

    def read(self, request: Request) -> dict[Cookie, str]:
        """Our cookies of a request. Raises `invalid_input` where one came twice: somebody planted the other."""
        wanted = _names(self.origin)
        found: dict[Cookie, str] = {}
        for pair in _pairs(request):
            name, _, value = pair.partition("=")
            cookie = wanted.get(name.strip(" \t"))
            if cookie is None:
                continue
            if cookie in found:
                raise Refused("invalid_input", "A cookie came twice. Delete this site's cookies, then try again.")
            found[cookie] = value.strip(" \t")[: LONGEST + 1]
        return {cookie: value for cookie, value in found.items() if value and len(value) <= LONGEST}

    def set(self, cookie: Cookie, value: str, *, life: timedelta | None = None) -> tuple[str, str]:
        """A header that sets a cookie: until the browser closes, or for `life`."""
        until = "" if life is None else f"; Max-Age={int(life.total_seconds())}"
        return "Set-Cookie", f"{self.name(cookie)}={value}{until}{self._attributes}"

    def clear(self, cookie: Cookie) -> tuple[str, str]:
        """A header that takes a cookie away."""
        return "Set-Cookie", f"{self.name(cookie)}=; Max-Age=0{self._attributes}"

    @property
    def _attributes(self) -> str:
        return "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self.origin.is_secure else "")


@lru_cache(maxsize=64)
def _names(origin: Origin) -> dict[str, Cookie]:
    jar = Jar(origin)
    return {jar.name(cookie): cookie for cookie in _BASE}


def _pairs(request: Request) -> list[str]:
    # HTTP/2 may split one Cookie header into several (RFC 9113 §8.2.3).
    return [pair for value in request.headers.all("cookie") for pair in value.split(";")]
