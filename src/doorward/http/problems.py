"""Refusals as RFC 9457 problem documents, with the header fields that belong to their status."""

from __future__ import annotations

import json
from typing import Any

from doorward.core.refusals import REASONS, Refused
from doorward.http.messages import Response
from doorward.primitives import dpop

MEDIA_TYPE = "application/problem+json"
# A name that clients compare, not an address to open: it must not change with the installation or the version.
TYPES = "https://doorward.invalid/problems/"
REALM = 'Bearer realm="doorward"'
DPOP_ERRORS = {"invalid_proof": "invalid_dpop_proof", "use_dpop_nonce": "use_dpop_nonce"}  # RFC 9449 §7.1
RETRY_AFTER = 2  # seconds, where nobody knows better


def problem(refused: Refused, *, fresh_within: int = 600, acr: str = "aal2") -> Response:
    """The answer to a refusal. `fresh_within` in seconds and `acr` are what would be fresh enough (RFC 9470)."""
    headers = [("Content-Type", MEDIA_TYPE), *headers_of(refused, fresh_within=fresh_within, acr=acr)]
    return Response(refused.status, headers, json.dumps(document_of(refused), ensure_ascii=False).encode())


def headers_of(refused: Refused, *, fresh_within: int = 600, acr: str = "aal2") -> list[tuple[str, str]]:
    """The header fields of a refusal, be it JSON or a page."""
    headers = []
    if refused.status == 401 or refused.reason == "not_permitted":
        max_age = fresh_within if refused.max_age is None else refused.max_age
        headers.append(("WWW-Authenticate", _challenge(refused.reason, max_age, refused.acr or acr)))
    if refused.nonce:
        headers.append(("DPoP-Nonce", refused.nonce))
    if (seconds := retry_after(refused)) is not None:
        headers.append(("Retry-After", str(seconds)))
    return headers


def document_of(refused: Refused) -> dict[str, Any]:
    """The members of the problem document."""
    reason = REASONS[refused.reason]
    document: dict[str, Any] = {
        "type": TYPES + refused.reason,
        "title": reason.title,
        "status": reason.status,
        "detail": refused.detail or reason.detail,
        "reason": refused.reason,
    }
    if refused.reason == "invalid_input":
        document["errors"] = [
            {"field": error.field, "reason": error.reason, "detail": error.detail} for error in refused.errors
        ]
    if refused.methods or refused.reason in ("fresh_proof_required", "second_factor_required"):
        document["methods"] = list(refused.methods)
    if (seconds := retry_after(refused)) is not None:
        document["retry_after"] = seconds
    return document


def server_error() -> Response:
    """The answer to a mistake of ours: it says nothing, the log says all."""
    document = {
        "type": TYPES + "server_error",
        "title": "Something went wrong",
        "status": 500,
        "detail": "The service made a mistake. It has been written down.",
        "reason": "server_error",
    }
    return Response(500, [("Content-Type", MEDIA_TYPE)], json.dumps(document).encode())


def retry_after(refused: Refused) -> int | None:
    """Whole seconds: an integer on the wire for every 429 and 503 (rule 13)."""
    if refused.retry_after is not None:
        return max(1, int(refused.retry_after))
    return RETRY_AFTER if refused.status in (429, 503) else None


def _challenge(reason: str, fresh_within: int, acr: str) -> str:
    """Every 401 says how to do better, and never asks for a password in a browser's own dialogue (rule 34)."""
    if reason == "invalid_bearer":
        return f'{REALM}, error="invalid_token"'
    if reason in DPOP_ERRORS:
        return f'DPoP realm="doorward", error="{DPOP_ERRORS[reason]}", algs="{" ".join(dpop.ALGORITHMS)}"'
    if reason == "not_permitted":
        return f'{REALM}, error="insufficient_scope"'
    if reason == "second_factor_required":
        return f'{REALM}, error="insufficient_user_authentication", acr_values="{acr}"'
    if reason == "fresh_proof_required":
        detail = f'error="insufficient_user_authentication", max_age={fresh_within}, acr_values="{acr}"'
        return f"{REALM}, {detail}"
    return REALM
