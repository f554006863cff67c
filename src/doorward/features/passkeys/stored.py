"""A passkey as it is stored: one `Authenticator` each, of kind `passkey`, with what is known of it as JSON."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from doorward.core.call import Call
from doorward.core.ports import Store
from doorward.core.records import Authenticator
from doorward.core.steps import Factor, Method, Proof
from doorward.primitives import tokens, webauthn
from doorward.primitives.webauthn import Registered

# With user verification a passkey is two factors at once (NIST SP 800-63B-4 §3.1.7), and can stand alone; without it
# somebody has it, and no more is said.
METHOD = Method(
    "passkey",
    "hwk",
    frozenset({Factor.HAS, Factor.KNOWS}),
    primary=True,
    second=True,
    enrolls=True,
    phishing_resistant=True,
)
HAS_IT = frozenset({Factor.HAS})
MOST_PASSKEYS = 20


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey and the row that keeps it. `user_handle` is what its authenticator knows its user by; `went_back`: its
    counter did once, and its user was told."""

    row: Authenticator
    credential_id: bytes
    public_key: bytes
    user_handle: bytes
    rp_id: str
    aaguid: str
    transports: tuple[str, ...]
    backup_eligible: bool
    backed_up: bool
    verifies_users: bool
    went_back: bool

    @classmethod
    def of(cls, row: Authenticator) -> Self:
        known: dict[str, Any] = json.loads(row.data)
        return cls(
            row=row,
            credential_id=tokens.decode(known["id"]) or b"",
            public_key=tokens.decode(known["key"]) or b"",
            user_handle=tokens.decode(known["user"]) or b"",
            rp_id=known["rp"],
            aaguid=known["aaguid"],
            transports=tuple(known["transports"]),
            backup_eligible=known["backup_eligible"],
            backed_up=known["backed_up"],
            verifies_users=known["verifies_users"],
            went_back=known.get("went_back", False),
        )

    @property
    def descriptor(self) -> dict[str, Any]:
        return webauthn.descriptor(self.credential_id, self.transports)

    def proof(self, call: Call, *, user_verified: bool) -> Proof:
        """What its use shows. RFC 8176: `hwk` for a key that stays in its device, `swk` for one that is copied."""
        amr = "swk" if self.backup_eligible else "hwk"
        factors = METHOD.factors if user_verified else HAS_IT
        return Proof(METHOD.name, f"{amr} user" if user_verified else amr, factors, call.now, self.row.id)

    def seen(self, *, backed_up: bool, went_back: bool) -> str:
        """The data of its row after it was used once more."""
        now = {"backed_up": backed_up, **({"went_back": True} if went_back or self.went_back else {})}
        return json.dumps({**json.loads(self.row.data), **now}, separators=(",", ":"))


def handle_of(credential_id: bytes) -> str:
    """By what a credential is found, and unique: an id may have 1,023 bytes, a digest of it has not."""
    return f"passkey:{tokens.encode(hashlib.sha256(credential_id).digest())}"


def made_of(call: Call, made: Registered, *, user_id: str, user_handle: bytes, name: str) -> Passkey:
    """A passkey that was just registered, not stored yet."""
    known = {
        "id": tokens.encode(made.credential_id),
        "key": tokens.encode(made.public_key),
        "user": tokens.encode(user_handle),
        "rp": call.world.settings.relying_party,
        "aaguid": made.aaguid,
        "transports": list(made.transports),
        "backup_eligible": made.backup_eligible,
        "backed_up": made.backed_up,
        "verifies_users": made.user_verified,
        "format": made.format,
    }
    row = Authenticator(
        id=call.new_id(),
        user_id=user_id,
        kind=METHOD.name,
        handle=handle_of(made.credential_id),
        name=name,
        data=json.dumps(known, separators=(",", ":")),
        guard=made.counter,
        created_at=call.now,
        last_used_at=call.now,
    )
    return Passkey.of(row)


def owned_by(passkey: Passkey, user_id: str) -> Passkey:
    """The same passkey, of the user that was made with it."""
    return replace(passkey, row=replace(passkey.row, user_id=user_id))


async def passkeys_of(call: Call, user_id: str) -> list[Passkey]:
    """The passkeys of a user, the newest first."""
    rows = await call.store.find(Authenticator, user_id=user_id, kind=METHOD.name, order="-created_at")
    return [Passkey.of(row) for row in rows]


async def domains_in(store: Store) -> Mapping[str, int]:
    """The domains that the newest passkeys are for, and how many are."""
    rows = await store.find(Authenticator, kind=METHOD.name, order="-created_at", limit=100)
    return Counter(Passkey.of(row).rp_id for row in rows)
