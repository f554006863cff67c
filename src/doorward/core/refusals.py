"""What one may not do, with its reason: one word, one status, one sentence, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Reason(NamedTuple):
    status: int
    title: str
    detail: str


# The words are stable: clients rely on them (rules.md 40). Adapters only translate them.
REASONS: dict[str, Reason] = {
    "invalid_input": Reason(400, "Invalid input", "Something in the request is not as it should be."),
    "invalid_token": Reason(400, "Link not valid", "This link or token has expired, was used, or was never valid."),
    "password_too_short": Reason(400, "Password too short", "The password is shorter than this service asks for."),
    "password_known": Reason(400, "Password too common", "This password stands in lists that attackers try first."),
    "password_context": Reason(400, "Password too close", "The password holds your name, address or the service's."),
    "wrong_method": Reason(400, "Not this way", "This step can't be taken that way now."),
    "wrong_credentials": Reason(401, "Not signed in", "The name or the password is wrong."),
    "unknown_passkey": Reason(401, "Passkey not known", "This passkey is not known here, or not any more."),
    "wrong_code": Reason(401, "Wrong code", "This code is wrong, was used, or has expired."),
    "no_sign_in_under_way": Reason(401, "No sign-in under way", "Start again from the sign-in page."),
    "attempt_expired": Reason(401, "Too late", "This sign-in took too long. Start again from the sign-in page."),
    "not_signed_in": Reason(401, "Not signed in", "Sign in first."),
    "invalid_bearer": Reason(401, "Token not valid", "The access token is not valid, or not any more."),
    "invalid_proof": Reason(401, "Proof not valid", "The DPoP proof is missing, not valid, or of another key."),
    "use_dpop_nonce": Reason(401, "Nonce needed", "Make the DPoP proof anew, with the nonce in the header DPoP-Nonce."),
    "fresh_proof_required": Reason(401, "Prove it is you", "Prove once more who you are before this step."),
    "second_factor_required": Reason(401, "A second factor is needed", "Set up a second way to prove who you are."),
    "refresh_refused": Reason(401, "Refresh refused", "The refresh token is not valid any more. Sign in again."),
    "not_permitted": Reason(403, "Not permitted", "You may not do this."),
    "csrf_failed": Reason(403, "Not from this site", "The request did not come from a page of this site."),
    "sign_up_closed": Reason(403, "Sign-up is closed", "New accounts can't be made here."),
    "not_found": Reason(404, "Not found", "There is nothing here."),
    "method_not_allowed": Reason(405, "Method not allowed", "This address does not answer to that method."),
    "username_taken": Reason(409, "Name taken", "Somebody has this user name already."),
    "last_authenticator": Reason(409, "Last way in", "This is the last way to sign in. Add another one first."),
    "last_address": Reason(409, "Last address", "This is the last verified address. Add another one first."),
    "last_administrator": Reason(409, "Last administrator", "Nobody would be left who can give roles."),
    "state_changed": Reason(409, "Changed meanwhile", "Something changed meanwhile. Load again and repeat."),
    "too_large": Reason(413, "Too large", "The request is larger than this service takes."),
    "unsupported_type": Reason(415, "Type not supported", "Send application/json or a form."),
    "too_many_attempts": Reason(429, "Too many attempts", "Too many attempts. Wait, then try again."),
    "busy": Reason(503, "Busy", "Too many sign-ins at this moment. Try again in a few seconds."),
    "unavailable": Reason(503, "Unavailable", "The service can't reach what it needs. Try again in a few seconds."),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of an input."""

    field: str
    reason: str
    detail: str


@dataclass(eq=False)
class Refused(Exception):
    """Raised where somebody may not do something. What was written before stays written (rule 11).

    `retry_after` in whole seconds; `methods` are the ways that would lift the refusal; `errors` name fields;
    `nonce` is what the next DPoP proof must carry; `max_age` (seconds) and `acr` are what a step-up must end in, where
    that is not the usual.
    """

    reason: str
    detail: str = ""
    retry_after: int | None = None
    methods: Sequence[str] = ()
    errors: Sequence[FieldError] = field(default=())
    nonce: str = ""
    max_age: int | None = None
    acr: str = ""

    def __post_init__(self) -> None:
        super().__init__(self.reason)
        REASONS[self.reason]  # an unknown word is a mistake of ours, and shows at once

    @property
    def status(self) -> int:
        return REASONS[self.reason].status


def invalid(name: str, reason: str, detail: str) -> Refused:
    """The refusal of one input field."""
    return Refused("invalid_input", errors=(FieldError(name, reason, detail),))


class Misconfigured(Exception):
    """A developer or operator set something that can't work: raised at start, with an id and the cure."""

    def __init__(self, id: str, cure: str) -> None:
        super().__init__(f"{id}: {cure}")
        self.id = id
        self.cure = cure
