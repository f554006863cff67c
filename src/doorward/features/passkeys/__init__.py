"""Passkeys (WebAuthn Level 3): sign in with what a device keeps, and nothing that could be typed on a wrong page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from doorward.core.action import Needs
from doorward.core.feature import Page
from doorward.core.refusals import Misconfigured
from doorward.core.settings import Settings
from doorward.features.passkeys.makes import Makes, in_file
from doorward.features.passkeys.own import Passkeys as PasskeyList
from doorward.features.passkeys.own import PasskeyShown, list_passkeys, remove, rename
from doorward.features.passkeys.register import begin as register_begin
from doorward.features.passkeys.register import finish as register_finish
from doorward.features.passkeys.register import load_new
from doorward.features.passkeys.sign_in import begin as sign_in_begin
from doorward.features.passkeys.sign_in import finish as sign_in_finish
from doorward.features.passkeys.stored import METHOD
from doorward.features.passkeys.well_known import endpoints, related_origins
from doorward.locale import _
from doorward.primitives import webauthn

__all__ = [
    "METHOD",
    "PasskeyList",
    "PasskeyShown",
    "Passkeys",
    "endpoints",
    "list_passkeys",
    "register_begin",
    "register_finish",
    "related_origins",
    "remove",
    "rename",
    "sign_in_begin",
    "sign_in_finish",
]


@dataclass(frozen=True)
class Passkeys(Makes):
    """Passkeys and security keys, as the only factor and as the second."""

    actions = (
        *(register_begin, register_finish, list_passkeys, rename, remove),
        *(sign_in_begin, sign_in_finish, related_origins, endpoints),
    )
    methods = (METHOD,)
    pages = (
        Page("/sign-up/passkey", "sign_up_passkey.html"),
        Page("/sign-in/new-passkey", "new_passkey.html", load_new),
        Page(
            "/passkeys",
            "passkeys.html",
            needs=Needs.SIGNED_IN,
            reads=("passkeys.list",),
            area="security",
            title=_("Passkeys"),
            row="passkeys_row.html",
            place=5,
        ),
    )

    def check(self, settings: Settings, now: datetime) -> None:
        if not webauthn.is_available():
            raise Misconfigured("passkeys.E1", "pip install 'doorward[passkeys]', or leave Passkeys() out")
        origin, rp_id = settings.origin, settings.relying_party
        if rp_id != origin.host and not origin.host.endswith(f".{rp_id}"):
            found = f"RP_ID {rp_id} is not the host of ORIGIN, {origin.host}; set it, or one above"
            raise Misconfigured("passkeys.E2", found)
        # §5.1.3 step 8: a browser refuses what is no registrable domain. Without the list of public suffixes we know
        # that a single label above a host is none: `com`, and `localhost` for what is below it.
        if rp_id != origin.host and "." not in rp_id:
            found = f"no browser makes passkeys for RP_ID {rp_id} at {origin.host}; leave it out, or name your domain"
            raise Misconfigured("passkeys.E4", found)
        if settings.fido_metadata:
            in_file(settings.fido_metadata, self.fido_root, now)
