"""Sign in by a link that is mailed: it opens a page that asks, and signs in the browser that says yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from doorward.core import by_mail, links
from doorward.core.accounts import epoch_of
from doorward.core.action import AttemptText, Identifier, Issue, TokenText, UrlText, action
from doorward.core.attempt import SIGN_IN
from doorward.core.by_mail import MAGIC_LINK, Owner
from doorward.core.call import Call
from doorward.core.feature import Feature, Page
from doorward.core.links import MailedLink
from doorward.core.refusals import invalid
from doorward.core.sign_in import Stepped, UnderWay, advance, begin, current, held, keep, own_attempt, proof_by
from doorward.core.steps import EMAIL, Prove
from doorward.core.tries import limit_letters, limit_tries
from doorward.core.users import canonical_identifier, tell


@action("sign_in.magic_link.send", status=202)
async def send(
    call: Call,
    *,
    identifier: Identifier,
    issue: Issue = "session",
    remember: bool = False,
    return_to: UrlText | None = None,
) -> Stepped:
    """Send a link to the address of an identifier. The answer is the same for who is unknown."""
    by_mail.require_offered(call)
    if issue != "session":  # rule 5: the browser that clicks gets a session, and no program is there to take tokens
        raise invalid("issue", "not_offered", "a link signs a browser in; programs ask for a code")
    under_way = await begin(call, remember=remember, return_to=return_to)
    canonical = canonical_identifier(identifier)
    await limit_tries(call, "magic-link", canonical)
    await limit_letters(call, canonical)
    owner = await by_mail.owner_of(call, identifier)
    async with call.store.transaction():
        link = await by_mail.add_link(call, MAGIC_LINK, owner, life=call.policy.code_life)
        await _write(call, owner, link)
        user = None if owner is None else owner.user
        asked = replace(under_way.attempt, to=identifier, auth_epoch=await epoch_of(call, user))
        kept = await keep(call, under_way, replace(asked, subject="" if user is None else user.id))
    return held(call, kept, Prove((EMAIL.name,)), to=by_mail.shown_to(identifier))


async def _write(call: Call, owner: Owner | None, link: str) -> None:
    life = call.policy.code_life
    if owner is None:
        return await call.later(None, life=life)
    words = {
        "link": call.link(f"/sign-in/magic-link?token={link}"),
        "minutes": str(int(life.total_seconds()) // 60),
    }
    await tell(call, owner.user, "sign_in_link", words, to=owner.address, life=life)


@action("sign_in.magic_link", proving=True)
async def sign_in(call: Call, *, token: TokenText, attempt: AttemptText | None = None) -> Stepped:
    """Prove the mailbox by the link of a letter. It signs in the browser that sends this, and moves no other one's
    attempt (rule 5); a second factor is asked for as ever."""
    by_mail.require_offered(call)
    link = await links.find_link(call, MAGIC_LINK, token)
    owner = await by_mail.behind(call, link)
    under_way = await _asked_here(call, attempt, link) or await begin(call)
    bound = replace(under_way.attempt, auth_epoch=link.auth_epoch)
    async with call.all_or_nothing():
        await links.take_link(call, MAGIC_LINK, token)
        return await advance(call, replace(under_way, attempt=bound), owner.user, proof_by(call, EMAIL))


async def _asked_here(call: Call, attempt: str | None, link: MailedLink) -> UnderWay | None:
    mine = await own_attempt(call, attempt, purpose=SIGN_IN, subject=link.user_id)
    return mine if mine is not None and mine.attempt.issue == "session" else None


async def load_link(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Who would be signed in, masked, and whether this browser asked. A GET changes nothing (rule 32)."""
    if token := query.get("token", ""):
        link = await links.find_link(call, MAGIC_LINK, token)
        owner = await by_mail.behind(call, link)
        here = await _asked_here(call, None, link) is not None
        return {"token": token, "to": by_mail.shown_to(owner.address), "here": here}
    under_way = await current(call, None, purpose=SIGN_IN)
    return {"token": "", "to": by_mail.shown_to(under_way.attempt.to), "here": True}


class MagicLink(Feature):
    """Links by mail as a way in."""

    actions = (send, sign_in)
    methods = (EMAIL,)
    pages = (
        Page("/sign-in/magic-link/send", "magic_link_send.html"),
        Page("/sign-in/magic-link", "magic_link.html", load_link),
    )
