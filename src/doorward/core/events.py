"""What has happened: frozen values that listeners are told of after the story's own writes, in its transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened; `at` in UTC. `user_id` is empty where nobody is known."""

    at: datetime
    user_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Event):
    """A session has started, or has risen by a step-up. `purpose` is that of the attempt: `sign_in`, `recovery`, …"""

    session_id: str
    amr: tuple[str, ...]
    purpose: str = "sign_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut(Event):
    """Somebody ended a session of their own; `session_id` is empty when all of them ended."""

    session_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFailed(Event):
    """A proof was wrong; `method` says which. Identifiers of nobody are never in an event in the clear (rule 18)."""

    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUp(Event):
    """An account exists from now on. `invitation` is the id of the one that its user came by."""

    invitation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClosing(Event):
    """Its user has closed the account: sessions have ended, and it is erased after `closes_at` unless it is kept."""

    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKept(Event):
    """An account that was being closed is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErased(Event):
    """All that is known of a user goes now, in this transaction; a listener removes what else there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """The password is another one. `by_mail`: by a letter alone."""

    by_mail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorAdded(Event):
    """An authenticator was bound to the account."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorRemoved(Event):
    """An authenticator was removed from the account."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextsHeldBack(Event):
    """A budget of the day that all share is used up, as fraud does: text messages wait. `budget` is `texts-range`,
    `texts-country` or `texts-all`."""

    budget: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterWentBack(Event):
    """A passkey counted less than before, as a copy of it does. `refused`, where no copy of it should be."""

    authenticator_id: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeUsed(Event):
    """A recovery code was spent; `left` are still good."""

    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryBegun(Event):
    """Somebody says that a second factor is lost: after `due_at` they may enrol another one."""

    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryAssisted(Event):
    """A link was made by which a user sets up anew what was lost. `by` is who made it; empty for an operator."""

    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCancelled(Event):
    """A recovery was stopped: by a letter's link, by who is signed in, or by a sign-in with the factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorReplaced(Event):
    """A lost second factor was replaced: `removed` are the kinds that are gone."""

    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(Event):
    """A user has a role from now on. `by` is who gave it; empty for an operator at the command line."""

    role: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(Event):
    """A user has a role no more. `by` as in `RoleGranted`."""

    role: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenReused(Event):
    """A refresh token came back after it was spent: its family has ended."""

    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesChanged(Event):
    """The e-mail addresses of an account are others: one was `added`, `removed`, made `primary`, or that `undone`."""

    what: str
