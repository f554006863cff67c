"""What is left of a user when the account is erased: nothing of ours, and in a host's table a row of nobody's."""

from __future__ import annotations

from doorward.core.call import Call
from doorward.core.events import AccountErased
from doorward.core.records import Account, User, about_users
from doorward.core.users import tell

AT_ONCE = 100  # accounts in one round


async def erase_due(call: Call) -> int:
    """Erase the accounts whose grace has passed; their number. Of several processes one gets each."""
    erased = 0
    for account in await call.store.find(Account, closes_at__lt=call.now, limit=AT_ONCE):
        async with call.store.transaction():
            # Whoever keeps the account at this moment writes `closes_at` under its guard: one of the two happens.
            if await call.store.take(Account, user_id=account.user_id, closes_at__lt=call.now):
                await erase(call, account.user_id)
                erased += 1
    return erased


async def erase(call: Call, user_id: str) -> None:
    """Remove every record that is about a user, then the user: the one way in which anybody is erased.

    The last letter leaves with it; it waits in the outbox, sealed, for two days at most.
    """
    user = await call.store.get(User, id=user_id)
    if user is None:
        return
    async with call.store.transaction():
        await tell(call, user, "account_erased")
        await call.emit(AccountErased(at=call.now, user_id=user.id))
        for kind in about_users(call.world.records):
            await call.store.remove(kind, user_id=user.id)
        await call.store.erase_user(user.id)
