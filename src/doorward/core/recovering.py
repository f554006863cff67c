"""A second factor that is lost: who waits for another one, and whose password a mailbox alone has chosen.

Two ways replace it, and never one alone: the mailbox with a recovery code, or the password with the mailbox and a
waiting period that every address is told of (NIST SP 800-63B-4 §4.2.2.2). A password that came by that mailbox is no
second way beside it (rules 6 and 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from doorward.core.accounts import account_of
from doorward.core.attempt import RECOVERY, Attempt
from doorward.core.call import Call
from doorward.core.events import RecoveryCancelled
from doorward.core.links import MailedLink, add_link, remove_links
from doorward.core.records import Account, Moves, Record, User, column
from doorward.core.steps import Lost
from doorward.core.users import tell
from doorward.primitives import tokens

# Links: one that an administrator hands out, and one in every letter that tells of a recovery.
ASSISTED_LINK, CANCEL_LINK = "assisted", "cancel_recovery"
# How long a waiting period that has passed is good for.
OPEN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryWait(Record):
    """A waiting period, one at a time for each user. `auth_epoch` is the account's when it began: a new password, «this
    was not me», and all else that ends sessions ends it. `ip` and `user_agent` are of who began it."""

    table: ClassVar[str] = "doorward_recovery_wait"
    moves: ClassVar[Moves] = Moves.ALWAYS
    exported: ClassVar[tuple[str, ...]] = ("ip", "user_agent", "begun_at", "due_at", "expires_at")

    user_id: str = column(key=True, size=64)
    auth_epoch: str = column(size=64)
    ip: str = column(size=64, default="")
    user_agent: str = column(size=400, default="")
    reminded: bool = column(default=False)
    begun_at: datetime = column()
    due_at: datetime = column(index=True)
    expires_at: datetime = column(index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedPassword(Record):
    """The mailbox alone has chosen this user's password at `since`, and nobody has proved it together with a second
    factor from then on."""

    table: ClassVar[str] = "doorward_mailed_password"
    exported: ClassVar[tuple[str, ...]] = ("since",)

    user_id: str = column(key=True, size=64)
    since: datetime = column()


async def lost_factor_of(call: Call, account: Account) -> Lost:
    """What may stand in for the second factor of who says that it is lost."""
    if not call.policy.recovery_wait or await call.store.get(MailedPassword, user_id=account.user_id):
        return Lost.CODE
    wait = await wait_of(call, account)
    return Lost.WAITED if wait is not None and wait.due_at <= call.now else Lost.WAIT


async def wait_of(call: Call, account: Account) -> RecoveryWait | None:
    """The waiting period of an account, while it is good."""
    wait = await call.store.get(RecoveryWait, user_id=account.user_id)
    if wait is None or wait.expires_at <= call.now or not tokens.same(wait.auth_epoch, account.auth_epoch):
        return None
    return wait


async def cancel_link(call: Call, user: User, life: timedelta) -> str:
    """A URL that stops a recovery. It outlives the epoch: what a thief changes must not take it away."""
    token = await add_link(call, CANCEL_LINK, life=life, user_id=user.id)
    return call.link(f"/recovery/cancel?token={token}")


async def cancel(call: Call, user_id: str) -> bool:
    """Stop whatever recovery of a user is under way, in the caller's transaction. False where there is none."""
    stopped = await call.store.take(RecoveryWait, user_id=user_id) is not None
    stopped = await call.store.remove(MailedLink, user_id=user_id, purpose=ASSISTED_LINK) > 0 or stopped
    stopped = await call.store.remove(Attempt, user_id=user_id, purpose=RECOVERY) > 0 or stopped
    await remove_links(call, user_id, CANCEL_LINK)
    user = await call.store.get(User, id=user_id)
    if stopped and user is not None:
        await tell(call, user, "recovery_cancelled")
        await call.emit(RecoveryCancelled(at=call.now, user_id=user_id))
    return stopped


async def running_wait(call: Call, user: User) -> RecoveryWait | None:
    """The waiting period of a user."""
    return await wait_of(call, await account_of(call, user))
