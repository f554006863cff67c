"""The passkeys of who is signed in: list them, rename one, remove one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from doorward.core.accounts import account_of
from doorward.core.action import IdText, Needs, ShortName, action
from doorward.core.call import Call
from doorward.core.demands import is_the_last
from doorward.core.events import AuthenticatorRemoved
from doorward.core.facts import enrolled_methods
from doorward.core.records import Account, Authenticator, Plus, User
from doorward.core.refusals import Refused
from doorward.core.users import tell
from doorward.features.passkeys.ceremonies import signal
from doorward.features.passkeys.stored import METHOD, Passkey, passkeys_of
from doorward.locale import _


@dataclass(frozen=True, slots=True)
class PasskeyShown:
    """A passkey as its user sees it. `synced`: a service copies it to the user's devices; `backed_up`: it has done so.
    `alone`: it verifies its user, so that one can sign in by nothing else."""

    id: str
    name: str
    synced: bool
    backed_up: bool
    alone: bool
    transports: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Passkeys:
    """`signal` is for the Signal API of the browser."""

    items: tuple[PasskeyShown, ...]
    signal: Mapping[str, Any]
    next: str | None = None


@action("passkeys.list", method="GET", needs=Needs.SIGNED_IN)
async def list_passkeys(call: Call) -> Passkeys:
    """The passkeys of who is signed in, the newest first."""
    user = call.signed_in.user
    return await shown(call, user, await passkeys_of(call, user.id))


async def shown(call: Call, user: User, passkeys: list[Passkey]) -> Passkeys:
    return Passkeys(tuple(_shown(one) for one in passkeys), await signal(call, user, passkeys))


def _shown(passkey: Passkey) -> PasskeyShown:
    row = passkey.row
    return PasskeyShown(
        id=row.id,
        name=row.name,
        synced=passkey.backup_eligible,
        backed_up=passkey.backed_up,
        alone=passkey.verifies_users,
        transports=passkey.transports,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )


@action("passkeys.rename", needs=Needs.SIGNED_IN)
async def rename(call: Call, *, id: IdText, name: ShortName) -> Passkeys:
    """Call a passkey something else; the list as it is then."""
    user = call.signed_in.user
    mine = {"id": id, "user_id": user.id, "kind": METHOD.name}
    if await call.store.change(Authenticator, mine, name=name) != 1:
        raise Refused("not_found")
    return await shown(call, user, await passkeys_of(call, user.id))


@action("passkeys.remove", needs=Needs.FRESH)
async def remove(call: Call, *, id: IdText) -> Passkeys:
    """Remove a passkey, but not the last way to sign in; the list as it is then. All addresses are told."""
    user = call.signed_in.user
    account = await account_of(call, user)
    passkeys = await passkeys_of(call, user.id)
    gone = next((one for one in passkeys if one.row.id == id), None)
    if gone is None:
        raise Refused("not_found")
    left = [one for one in passkeys if one is not gone]
    if not await _may_go(call, user, left):
        raise Refused("last_authenticator")
    async with call.store.transaction():
        # A rule over several rows: guarded by the account's version (rule 44).
        seen = {"user_id": user.id, "version": account.version}
        if await call.store.change(Account, seen, version=Plus(1)) != 1:
            raise Refused("state_changed")
        await call.store.remove(Authenticator, id=id, user_id=user.id)
        await call.emit(AuthenticatorRemoved(at=call.now, user_id=user.id, kind=METHOD.name))
        await tell(call, user, "authenticator_removed", {"kind": _("passkey")})
    return await shown(call, user, left)


async def _may_go(call: Call, user: User, left: list[Passkey]) -> bool:
    """Something is left to sign in by that is no mailbox, and a second factor where one is demanded."""
    enrolled = await enrolled_methods(call, user) - {METHOD.name}
    methods = [call.world.methods[name] for name in enrolled]
    if any(one.verifies_users for one in left):  # it is both
        return True
    has_primary = any(method.primary and method.factors for method in methods)
    return has_primary and (bool(left) or not await is_the_last(call, user, METHOD.name))
