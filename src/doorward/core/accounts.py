"""What Doorward knows of a user beside the host's own table: the account, made on first contact."""

from __future__ import annotations

from doorward.core.call import Call
from doorward.core.records import Account, User
from doorward.core.refusals import Refused


async def account_of(call: Call, user: User) -> Account:
    """The account beside a user. On first contact it is made: that user existed before us, and is exempt (rule 3)."""
    account = await call.store.get(Account, user_id=user.id)
    if account is None:
        await call.store.add(new_account(call, user.id, address_exempt=True))
        account = await call.store.get(Account, user_id=user.id)
    if account is None:
        raise Refused("state_changed")
    return account


async def epoch_of(call: Call, user: User | None) -> str:
    """The epoch of a user's account; for nobody a read that costs the same."""
    if user is None:
        await call.store.get(Account, user_id="")
        return ""
    return (await account_of(call, user)).auth_epoch


def new_account(
    call: Call,
    user_id: str,
    *,
    address_exempt: bool = False,
    username_key: str | None = None,
    signed_up_as: str = "",
) -> Account:
    return Account(
        user_id=user_id,
        signed_up_as="" if signed_up_as == user_id else signed_up_as,
        auth_epoch=call.new_id(),
        address_exempt=address_exempt,
        username_key=username_key,
        locale=call.client.locale,
        created_at=call.now,
    )
