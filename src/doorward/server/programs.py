"""What an operator does for programs: accounts that nobody can sign in to, and the keys that open them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from doorward.core.accounts import new_account
from doorward.core.call import Call
from doorward.core.events import SignedUp
from doorward.core.records import SERVICE, Account, User
from doorward.core.refusals import Refused
from doorward.core.usernames import check_username
from doorward.core.users import check_fits
from doorward.features.api_keys import ApiKey, NewKey, create, end_key, keys_of, make_key
from doorward.features.sign_up import Conflict
from doorward.http.answers import moment, plain
from doorward.primitives import text
from doorward.server import people

LISTED = 1000  # service accounts, at most


async def add_service(call: Call, *, name: str) -> User:
    """An account for a program: no address, no password, and no way in but its keys. Names are as people's are."""
    check_fits(call, name=name)
    await check_username(call, name, reserved_too=True)
    given = User(id=call.new_id(), username=name, name=name, created_at=call.now)
    key = text.skeleton(text.canonical_username(name) or "")
    try:
        async with call.store.transaction():
            user = await call.store.add_user(given)
            if user is None:
                raise Conflict
            account = replace(new_account(call, user.id, username_key=key), kind=SERVICE)
            if not await call.store.add(account):
                raise Conflict
            await call.emit(SignedUp(at=call.now, user_id=user.id))
    except Conflict:
        raise Refused("username_taken") from None
    return user


async def services(call: Call) -> list[dict[str, Any]]:
    """All service accounts, newest first, with the number of their live keys."""
    accounts = await call.store.find(Account, kind=SERVICE, order="-created_at", limit=LISTED)
    return [await _shape(call, user) for a in accounts if (user := await call.store.get(User, id=a.user_id))]


async def _shape(call: Call, user: User) -> dict[str, Any]:
    keys = await call.store.count(ApiKey, user_id=user.id, expires_at__gt=call.now)
    created = moment(user.created_at)
    return {"id": user.id, "name": user.name, "active": user.active, "keys": keys, "created_at": created}


async def disable_service(call: Call, who: str) -> dict[str, Any]:
    """Close a service account: its keys end with it. A person's is not found here."""
    user = await people.find(call, who)
    account = await call.store.get(Account, user_id=user.id)
    if account is None or account.kind != SERVICE:
        raise Refused("not_found", "This is no service account; `doorward user disable` closes a person's.")
    await people.set_active(call, user.id, active=False)
    return await _shape(call, replace(user, active=False))


async def new_key(call: Call, who: str, *, name: str, scopes: Sequence[str], expires_in: int | None) -> NewKey:
    """A key for somebody, made by an operator: the bounds are those of everybody."""
    create.read({"name": name, "scopes": list(scopes), "expires_in": expires_in})
    user = await people.find(call, who)
    if not user.active:
        raise Refused("not_permitted", "This account is closed.")
    return await make_key(call, user, name=name, scopes=scopes, expires_in=expires_in)


async def keys(call: Call, who: str) -> list[dict[str, Any]]:
    """The live keys of somebody, newest first, as JSON has them."""
    user = await people.find(call, who)
    return [await plain(call, asdict(key)) for key in await keys_of(call, user)]


async def revoke_key(call: Call, id: str) -> dict[str, Any]:
    """End a key, whoever's it is."""
    key = await call.store.get(ApiKey, id=id)
    if key is None or not await end_key(call, key.user_id, id):
        raise Refused("not_found", "There is no such key, or not any more.")
    return {"id": id, "user_id": key.user_id, "name": key.name}
