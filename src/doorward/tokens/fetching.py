"""The published keys of a Doorward: fetched with bounds, kept while they are good, asked for again when one is new."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from doorward.primitives import strict_json
from doorward.primitives.jwt import InvalidToken, VerifyingKey, verifying_keys
from doorward.primitives.urls import Origin

FRESH = 300.0  # seconds, the max-age that the set is published with (rule 33)
PAUSE = 30.0  # seconds between two questions, whatever tokens come in (rule 33)
FIRST_PAUSE = 2.0  # the same while there are no keys at all
MOST_STALE = 3600.0  # seconds that a set is used beyond its time while nobody answers; tokens live for minutes
PATIENCE = 5.0  # seconds for the whole answer
MOST_BYTES = 65536

Keys = Mapping[str, VerifyingKey]


class IssuerUnavailable(Exception):
    """The keys, or a word on a token, can't be had now, so that nobody can be said to be anybody: 503, not 401."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Who answers for the keys is configured, and is not for an answer to choose."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def checked_url(url: str) -> str:
    """A URL that may be asked: https, or http that stays on this machine. Raises ValueError."""
    parts = urlsplit(url)
    origin = Origin.parse(f"{parts.scheme}://{parts.netloc}")
    if not (origin.is_secure or origin.is_loopback) or parts.fragment:
        raise ValueError(f"{url!r} is neither https nor loopback")
    return url


def ask(url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> object:
    """The JSON that a URL answers with, bounded in size and time. Raises `IssuerUnavailable`."""
    request = urllib.request.Request(url, body, {"Accept": "application/json", **(headers or {})})  # noqa: S310 (checked)
    until = time.monotonic() + PATIENCE
    try:
        with _opener.open(request, timeout=PATIENCE) as answer:
            return strict_json.parse(_read(answer, until))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise IssuerUnavailable(f"{url}: {type(error).__name__} {error}") from None


def _read(answer: Any, until: float) -> bytes:
    """All of it, or ValueError: not more than is allowed, and not one byte a second for ever."""
    read = b""
    while chunk := answer.read1(MOST_BYTES):
        read += chunk
        if len(read) > MOST_BYTES or time.monotonic() > until:
            raise ValueError("the answer is too long, or takes too long")
    return read


class Fetched:
    """The key set at `url`. One thread asks; the others go on with what there is, and wait where there is nothing.

    `known` is another object when the set has changed, so that what came of the one before can be told and forgotten.
    """

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.url = checked_url(url)
        self.known: Keys = {}
        self._read_at = self._asked_at = float("-inf")
        self._monotonic = monotonic
        self._asking = threading.Lock()

    def keys(self) -> Keys:
        """The keys as they are known, asked for anew where they are old. Raises `IssuerUnavailable`."""
        age = self._monotonic() - self._read_at
        if age >= FRESH:
            self._ask(wait=age >= FRESH + MOST_STALE)
        return self._usable()

    def other_than(self, keys: Keys) -> Keys:
        """The keys, asked for anew because one was not in `keys`; at most once in 30 seconds (rule 33)."""
        if keys is self.known:
            self._ask(wait=True)
        return self._usable()

    @property
    def would_wait(self) -> bool:
        """Whether `keys` would wait for an answer from the network."""
        age = self._monotonic() - self._read_at
        return age >= FRESH + MOST_STALE or (age >= FRESH and self._may_ask)

    @property
    def _may_ask(self) -> bool:
        return self._monotonic() - self._asked_at >= (PAUSE if self.known else FIRST_PAUSE)

    def _usable(self) -> Keys:
        if self._monotonic() - self._read_at >= FRESH + MOST_STALE:
            raise IssuerUnavailable(f"{self.url} has given no keys")
        return self.known

    def _ask(self, *, wait: bool) -> None:
        if not self._asking.acquire(blocking=wait):
            return
        try:
            if not self._may_ask:
                return
            self._asked_at = self._monotonic()
            self._take(ask(self.url))
        except IssuerUnavailable:
            pass  # what there is is good for a while longer; `_usable` says when not
        finally:
            self._asking.release()

    def _take(self, answer: object) -> None:
        try:
            keys = verifying_keys(answer["keys"])  # type: ignore[index]  # TypeError where it is none
        except (ValueError, TypeError, KeyError, AttributeError):
            raise IssuerUnavailable(f"{self.url} has answered with no key set") from None
        if any(key.algorithm == "HS256" for key in keys.values()):
            raise IssuerUnavailable(f"{self.url} publishes a shared secret")
        self._read_at = self._monotonic()
        if keys != self.known:
            self.known = keys


class Given:
    """Keys that were handed over, as a JWK set: no network at all."""

    would_wait = False

    def __init__(self, jwk_set: Mapping[str, Any]) -> None:
        self.known: Keys = verifying_keys(jwk_set["keys"])

    def keys(self) -> Keys:
        return self.known

    def other_than(self, keys: Keys) -> Keys:
        return self.known


class Introspected:
    """What the issuer says of a token at this moment (RFC 7662)."""

    def __init__(self, url: str, api_key: str) -> None:
        if not api_key:
            raise ValueError('freshness="live" asks with an API key whose scopes are token.introspect and the audience')
        self.url = checked_url(url)
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/x-www-form-urlencoded"}

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a live one. Raises `InvalidToken` for any other, and `IssuerUnavailable`."""
        answer = ask(self.url, body=urlencode({"token": token}).encode(), headers=self._headers)
        if not isinstance(answer, dict) or type(answer.get("active")) is not bool:
            raise IssuerUnavailable(f"{self.url} has answered with no word on the token")
        if not answer["active"]:
            raise InvalidToken("ended")
        return {name: value for name, value in answer.items() if name not in ("active", "token_type")}
