"""Prove that an address is yours: by the code in the letter, or by its link, which opens a page and needs a click."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from doorward.core import links, mailed
from doorward.core.action import AttemptText, CodeText, TokenText, action
from doorward.core.attempt import ADD_EMAIL, SIGN_UP
from doorward.core.call import Call
from doorward.core.feature import Feature, Page
from doorward.core.refusals import Refused, invalid
from doorward.core.sign_in import Stepped, UnderWay, begin, current, held, own_attempt
from doorward.core.steps import Verify
from doorward.core.tries import limit_letters, limit_tries
from doorward.features import change_email, sign_up
from doorward.features.sign_up import PendingSignUp
from doorward.primitives import text, tokens

# What an address is proved for. What comes of the proof is the business of the feature that asked.
PURPOSES = (SIGN_UP, ADD_EMAIL)


@action("email.verify", proving=True)
async def verify(
    call: Call, *, code: CodeText | None = None, token: TokenText | None = None, attempt: AttemptText | None = None
) -> Stepped:
    """Prove an address, for a sign-up or to add it: the code together with its attempt, or the token of the link."""
    if (code is None) == (token is None):
        raise invalid("code", "required", "send either code and attempt, or token")
    return await (_by_code(call, attempt, code) if code is not None else _by_link(call, attempt, token or ""))


async def _by_code(call: Call, attempt: str | None, code: str) -> Stepped:
    under_way = await mailed.check_code(call, await current(call, attempt, purpose=PURPOSES), code)
    if under_way.attempt.purpose == ADD_EMAIL:
        return await change_email.complete(call, under_way.attempt)
    pending = await call.store.get(PendingSignUp, id=under_way.attempt.subject)
    if pending is None or pending.expires_at <= call.now:
        raise Refused("attempt_expired")
    return await sign_up.complete(call, under_way, pending)


async def _by_link(call: Call, attempt: str | None, token: str) -> Stepped:
    """In the browser that asked, the link does what the code does. Elsewhere it proves the address and no more:
    the password, name and user name that somebody chose for it are dropped (rule 1)."""
    pending = await _pending_behind(call, token)
    if pending is None:
        return await change_email.complete(call, await change_email.asked_by(call, token))
    mine = await own_attempt(call, attempt, purpose=SIGN_UP, subject=pending.id)
    if mine is not None:
        return await sign_up.complete(call, mine, pending)
    under_way = await begin(call, purpose=SIGN_UP, life=sign_up.ATTEMPT_LIFE)
    under_way = replace(under_way, attempt=replace(under_way.attempt, subject=pending.id, to=pending.address))
    async with call.store.transaction():
        bare = replace(pending, password="", name="", username="", link=tokens.digest(call.new_secret(), purpose="-"))
        changes = {"password": "", "name": "", "username": "", "link": bare.link}
        if await call.store.change(PendingSignUp, {"id": pending.id, "link": pending.link}, **changes) != 1:
            raise Refused("invalid_token")
        return await sign_up.complete(call, under_way, bare)


async def _pending_behind(call: Call, token: str) -> PendingSignUp | None:
    """The sign-up that a link was mailed for; None for the link of an address to add, or of nothing."""
    pending = await call.store.get(PendingSignUp, link=tokens.digest(token, purpose="sign-up-link"))
    if pending is not None and (not pending.canonical or pending.expires_at <= call.now):
        raise Refused("invalid_token")
    return pending


@action("email.resend", status=202)
async def resend(call: Call, *, attempt: AttemptText | None = None) -> Stepped:
    """Send another letter with another code; the code before it is good no more."""
    under_way = await current(call, attempt, purpose=PURPOSES)
    to = under_way.attempt.to
    await limit_tries(call, "email-resend", under_way.attempt.digest)
    await limit_letters(call, text.canonical_address(to) or to)
    async with call.store.transaction():
        again = change_email.send_code if under_way.attempt.purpose == ADD_EMAIL else _send_again
        under_way = await again(call, under_way)
    return held(call, under_way, Verify("email"), to=text.masked_address(to))


async def _send_again(call: Call, under_way: UnderWay) -> UnderWay:
    pending = await call.store.get(PendingSignUp, id=under_way.attempt.subject)
    if pending is None or pending.expires_at <= call.now:
        raise Refused("attempt_expired")
    link = call.new_secret()
    await call.store.change(PendingSignUp, {"id": pending.id}, link=tokens.digest(link, purpose="sign-up-link"))
    return await sign_up.send_code(call, under_way, pending, link)


async def load_link(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """What the page of a mailed link shows. A GET changes nothing: mail scanners follow links (rule 32)."""
    token = query.get("token", "")
    pending = await _pending_behind(call, token) if token else None
    if pending is not None:
        return {"token": token, "to": text.masked_address(pending.address), "adding": False}
    if not token:
        return {"token": "", "to": "", "adding": False}
    await links.find_link(call, ADD_EMAIL, token)
    to = "" if call.identity is None else (await change_email.asked_by(call, token)).to
    return {"token": token, "to": text.masked_address(to) if to else "", "adding": True}


async def load_attempt(call: Call, query: Mapping[str, str]) -> Mapping[str, object]:
    """Where the code went, for the browser that asked."""
    attempt = (await current(call, None, purpose=PURPOSES)).attempt
    return {"to": text.masked_address(attempt.to), "adding": attempt.purpose == ADD_EMAIL}


class VerifyEmail(Feature):
    """Proof of an address by mail, for sign-up and for addresses that are added."""

    actions = (verify, resend)
    pages = (
        Page("/check-mail", "check_mail.html", load_attempt),
        Page("/email/verify", "verify_link.html", load_link),
    )
