"""What a service answers to a request without a good token, as RFC 6750 says it; and what a route may demand of one."""

from __future__ import annotations

import json
from dataclasses import dataclass

from doorward.tokens.fetching import IssuerUnavailable
from doorward.tokens.verifier import Token, TokenRefused

REALM = 'Bearer realm="doorward"'


@dataclass(eq=False)
class Answer(Exception):
    """A response to send in the place of a route's own."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a route asks of a token beyond being good: a scope, a role, an assurance level."""

    scope: str = ""
    role: str = ""
    aal: int = 0

    def check(self, token: Token) -> None:
        """Raises `Answer`: 403 for scope and role, and 401 for what a better sign-in would mend (RFC 9470)."""
        if self.scope and self.scope not in token.scope:
            raise _refusal(403, "insufficient_scope", f', scope="{self.scope}"')
        if self.role and self.role not in token.roles:
            raise _refusal(403, "insufficient_scope")
        if token.aal < self.aal:
            raise _refusal(401, "insufficient_user_authentication", f', acr_values="aal{self.aal}"')


def bearer_of(authorization: str | None) -> str:
    """The token in a header field. Raises `Answer` where there is none: 401, and no word about what is wrong."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _refusal(401)
    return token


def answer_to(problem: TokenRefused | IssuerUnavailable) -> Answer:
    """Why a token was refused stands in no answer: it would help who makes them."""
    if isinstance(problem, IssuerUnavailable):
        return _answer(503, "unavailable", [("Retry-After", "5")])
    return _refusal(401, "invalid_token")


def _refusal(status: int, error: str = "", more: str = "") -> Answer:
    challenge = f'{REALM}, error="{error}"{more}' if error else REALM
    return _answer(status, error or "not_signed_in", [("WWW-Authenticate", challenge)])


def _answer(status: int, reason: str, headers: list[tuple[str, str]]) -> Answer:
    always = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
    body = json.dumps({"type": "about:blank", "status": status, "reason": reason}).encode()
    return Answer(status, (*headers, *always), body)
