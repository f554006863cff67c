"""Passkeys (WebAuthn Level 3): sign in with what a device keeps, and nothing that could be typed on a wrong page."""

from __future__ import annotations

from dataclasses import dataclass

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

    def check(self, settings: Settings) -> None:
        if not webauthn.is_available():
            raise Misconfigured("passkeys.E1", "pip install 'doorward[passkeys]', or leave Passkeys() out")
        host, rp_id = settings.origin.host, settings.relying_party
        if host != rp_id and not host.endswith(f".{rp_id}"):
            raise Misconfigured("passkeys.E2", f"RP_ID {rp_id} is not the host of ORIGIN, {host}; set it, or one above")
        if settings.fido_metadata:
            in_file(settings.fido_metadata, self.fido_root)
