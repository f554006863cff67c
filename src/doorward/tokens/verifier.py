"""Checks access tokens for one service: signature, issuer, audience, time; and remembers a while which were good."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from doorward.primitives import jwt
from doorward.primitives.urls import Origin
from doorward.tokens.fetching import Fetched, Given, Introspected, Keys

TYPE = "at+jwt"
MOST_KEPT = 10_000  # verified tokens
KEPT_FOR = 60.0  # seconds at most, and never beyond `exp`
LIVE_FOR = 0.5  # the same where the issuer is asked: what ends anywhere holds within a second (rule 19)
LEEWAY = 30  # seconds, for clocks that differ


class TokenRefused(Exception):
    """The token is not good here. `reason` says why in one word: for a log, and never for the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Token:
    """What a good token says. `claims` are all of it; the token itself is not kept."""

    sub: str
    sid: str
    client_id: str
    aud: tuple[str, ...]
    scope: frozenset[str]
    roles: frozenset[str]
    amr: tuple[str, ...]
    acr: str
    auth_time: datetime | None
    expires_at: datetime
    claims: Mapping[str, Any] = field(repr=False)

    @property
    def aal(self) -> int:
        """The assurance level of the sign-in, 0 where the token says none."""
        return {"aal1": 1, "aal2": 2, "aal3": 3}.get(self.acr, 0)


def _now() -> datetime:
    return datetime.now(UTC)


class Verifier:
    """`Verifier(issuer="https://auth.example.com", audience="https://api.example.com")`, one for the whole process.

    `jwks_url`: where the keys are published; without it where Doorward does, at the issuer. `keys`: a JWK set, to
    ask nobody. `leeway` in seconds, at most 60. Safe to use from many threads.

    `freshness="offline"` trusts a token until `exp`: that its session has ended is heard of after five minutes at most.
    `"live"` asks the issuer about each token, with an API key (`api_key`), every half a second at most.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        jwks_url: str = "",
        keys: Mapping[str, Any] | None = None,
        leeway: int = LEEWAY,
        freshness: Literal["offline", "live"] = "offline",
        api_key: str = "",
        introspect_url: str = "",
        clock: Callable[[], datetime] = _now,
    ) -> None:
        if not audience or not 0 <= leeway <= jwt.MOST_LEEWAY:
            raise ValueError(f"audience is who the token must be for, leeway is 0 to {jwt.MOST_LEEWAY} seconds")
        if keys is not None and jwks_url:
            raise ValueError("give jwks_url or keys, not both")
        self.issuer, self.audience, self.leeway = str(Origin.parse(issuer)), audience, leeway
        url = jwks_url or f"{self.issuer}/.well-known/jwks.json"
        self.source: Fetched | Given = Fetched(url) if keys is None else Given(keys)
        self._live = None
        if freshness == "live":
            self._live = Introspected(introspect_url or f"{self.issuer}/auth/token/introspect", api_key)
        elif freshness != "offline" or api_key or introspect_url:
            raise ValueError('api_key and introspect_url belong to freshness="live"; the other one is "offline"')
        self._clock = clock
        self._kept = _Kept(KEPT_FOR if self._live is None else LIVE_FOR)

    def verify(self, token: str) -> Token:
        """What the token says. Raises `TokenRefused`, and `IssuerUnavailable` where there are no keys to judge by."""
        keys = self.source.keys()
        try:
            return self._remembered(token, keys) or self._by(token, keys)
        except TokenRefused as refused:
            if refused.reason != "unknown_key":
                raise
        return self._by(token, self.source.other_than(keys))

    async def averify(self, token: str) -> Token:
        """`verify`, to be awaited: a thread waits for the network, where it has to be asked."""
        if not self.source.would_wait:
            keys = self.source.keys()
            found = self._remembered(token, keys)
            if found is not None:
                return found
            if self._live is None:
                try:
                    return self._by(token, keys)
                except TokenRefused as refused:
                    if refused.reason != "unknown_key":
                        raise
        return await asyncio.to_thread(self.verify, token)

    def _remembered(self, token: str, keys: Keys) -> Token | None:
        return self._kept.get(_digest(token), keys, self._clock())

    def _by(self, token: str, keys: Keys) -> Token:
        now = self._clock()
        try:
            claims = jwt.verify(
                token, keys, issuer=self.issuer, audience=self.audience, now=now, typ=TYPE, leeway=self.leeway
            )
            if self._live is not None:  # last: what was not signed by the issuer costs it nothing
                claims = self._live.claims(token)
            found = _token(claims)
        except jwt.InvalidToken as invalid:
            raise TokenRefused(invalid.reason) from None
        self._kept.keep(_digest(token), keys, found, now)
        return found


def _digest(token: object) -> bytes:
    """Under which a token is remembered: what lies in memory, and in a dump of it, opens nothing."""
    text = token if isinstance(token, str) and len(token) <= jwt.LONGEST else ""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _token(claims: Mapping[str, Any]) -> Token:
    if "cnf" in claims:  # RFC 9449 §7.2: good with a proof of its key only, which is not asked for here
        raise jwt.InvalidToken("bound")
    times = {name: datetime.fromtimestamp(claims[name], UTC) for name in ("auth_time", "exp") if name in claims}
    aud = claims["aud"]
    return Token(
        sub=claims["sub"],
        sid=claims.get("sid", ""),
        client_id=claims["client_id"],
        aud=tuple(aud) if isinstance(aud, list) else (aud,),
        scope=frozenset(claims.get("scope", "").split()),
        roles=frozenset(_texts(claims, "roles")),
        amr=_texts(claims, "amr"),
        acr=claims.get("acr", ""),
        auth_time=times.get("auth_time"),
        expires_at=times["exp"],
        claims=MappingProxyType(dict(claims)),
    )


def _texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise jwt.InvalidToken("wrong_claim")
    return tuple(value)


class _Kept:
    """Tokens that were good a moment ago, by digest, with the key set by which they were: by another one they are
    looked at again. Bounded; the oldest go first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._entries: OrderedDict[bytes, tuple[Keys, float, float, Token]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: bytes, keys: Keys, now: datetime) -> Token | None:
        by, since, until, token = self._entries.get(digest, (None, 0.0, 0.0, None))
        return token if by is keys and since <= now.timestamp() < until else None

    def keep(self, digest: bytes, keys: Keys, token: Token, now: datetime) -> None:
        since = now.timestamp()
        until = min(since + self._seconds, token.expires_at.timestamp())
        with self._lock:
            self._entries[digest] = (keys, since, until, token)
            self._entries.move_to_end(digest)
            while len(self._entries) > MOST_KEPT:
                self._entries.popitem(last=False)
