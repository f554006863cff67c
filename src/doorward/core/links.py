"""Links that letters carry: each opens a page anywhere, needs a click there, and is good once.

A link is good for its purpose alone, while what it was made for still stands, and stored as a digest (rule 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from doorward.core.call import Call
from doorward.core.records import Account, Moves, Record, column
from doorward.core.refusals import Refused
from doorward.primitives import tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedLink(Record):
    """A link on its way. `subject` is what it is about, in the words of its `purpose`: an attempt, an address.

    `auth_epoch` is the account's when the link was made: what ends sessions ends such a link. It is empty in links
    that must outlive that (the undo of a change), and in those of nobody.
    """

    table: ClassVar[str] = "doorward_mailed_link"
    moves: ClassVar[Moves] = Moves.ALWAYS
    exported: ClassVar[tuple[str, ...]] = ("purpose", "created_at", "expires_at")

    digest: str = column(key=True)
    purpose: str = column(size=32)
    user_id: str = column(index=True, size=64, default="")
    subject: str = column(size=320, default="")
    auth_epoch: str = column(size=64, default="")
    created_at: datetime = column()
    expires_at: datetime = column(index=True)


async def add_link(
    call: Call, purpose: str, *, life: timedelta, user_id: str = "", subject: str = "", auth_epoch: str = ""
) -> str:
    """The token of a new link, to be put into a letter in the same transaction. Without `user_id` it is a decoy: the
    same row, and nothing that it opens."""
    token = call.new_secret()
    link = MailedLink(
        digest=_link_digest(purpose, token),
        purpose=purpose,
        user_id=user_id,
        subject=subject,
        auth_epoch=auth_epoch,
        created_at=call.now,
        expires_at=call.now + life,
    )
    await call.store.add(link)
    return token


async def find_link(call: Call, purpose: str, token: str) -> MailedLink:
    """The link behind a token, untouched: what a page shows before the click (rule 32). Raises `invalid_token`."""
    return await _good(call, await call.store.get(MailedLink, digest=_link_digest(purpose, token), purpose=purpose))


async def take_link(call: Call, purpose: str, token: str) -> MailedLink:
    """Use a link up: of forty parallel requests one gets it. Raises `invalid_token`.

    Call it in the transaction of what it brings about, so that a link is not lost with a write that failed.
    """
    return await _good(call, await call.store.take(MailedLink, digest=_link_digest(purpose, token), purpose=purpose))


async def remove_links(call: Call, user_id: str, *purposes: str) -> None:
    """End all links of a user for these purposes."""
    await call.store.remove(MailedLink, user_id=user_id, purpose__in=list(purposes))


async def _good(call: Call, link: MailedLink | None) -> MailedLink:
    if link is None or not link.user_id or link.expires_at <= call.now:
        raise Refused("invalid_token")
    if link.auth_epoch:
        account = await call.store.get(Account, user_id=link.user_id)
        if account is None or not tokens.same(account.auth_epoch, link.auth_epoch):
            raise Refused("invalid_token")
    return link


def _link_digest(purpose: str, token: str) -> str:
    return tokens.digest(token, purpose=f"link:{purpose}")
