"""Forward-auth: a proxy asks about each request to another application who makes it, and whether they may.

Applications at other hosts (`PROTECTED_ORIGINS`) get a cookie of their own. A browser on its way in passes three
addresses: `depart` at that host, `hand_over` at ORIGIN, where one signs in, and `arrive` at that host again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from doorward.core.action import Demand, Needs, Onward, Text, TokenText, UrlText, action
from doorward.core.call import Call
from doorward.core.doorward import require as require_demand
from doorward.core.feature import Feature
from doorward.core.identify import by_pass
from doorward.core.refusals import Refused, invalid
from doorward.core.rights import Verified, roles_of
from doorward.core.session import CODE, COOKIE, HostPass, Session, pass_digest
from doorward.core.sign_in import bound_attempts
from doorward.primitives import tokens
from doorward.primitives.urls import Origin, return_target

RoleText = Annotated[str, Text(150)]

LEVELS = {"aal1": 1, "aal2": 2}
CODE_LIFE = timedelta(seconds=60)


@action("verify", method="GET", keys=True, proxied=True, hosts=True, status=204)
async def verify(
    call: Call,
    *,
    require: Literal["aal1", "aal2", "phr"] | None = None,
    role: RoleText | None = None,
    redirect: Literal["1"] | None = None,
) -> Verified:
    """Who makes the proxy's request. What is demanded stands in the proxy's configuration, and `redirect=1` is for
    those that hand our 303 on to the browser."""
    resists = require == "phr"
    demand = Demand(Needs.SIGNED_IN, role=role or "", aal=LEVELS.get(require or "", 0), phishing_resistant=resists)
    await require_demand(call, demand)
    caller = call.caller
    if caller is None:
        raise Refused("not_signed_in")
    if caller.session is None:
        return Verified(caller.user, (), "", caller.aal)
    return Verified(caller.user, await roles_of(call, caller.user), caller.session.id, caller.aal)


@action("depart", method="GET", hosts=True, status=303)
async def depart(call: Call, *, return_to: UrlText = "") -> Onward:
    """From a protected host to ORIGIN, to sign in there. This browser keeps a nonce, by which it is known when it comes
    back: nobody can be pushed into another one's sign-in."""
    host = _protected(call, call.client.host)
    # Several tabs may be on their way at once, and have one cookie.
    nonce = call.effects.nonce = call.client.nonce or call.new_secret()
    wanted = {"host": str(host), "nonce": tokens.digest(nonce, purpose="nonce")}
    page = return_target(return_to, origin=host) or "/"
    path = f"{call.world.prefix}/hand-over?{urlencode({**wanted, 'return_to': page}, safe='/:')}"
    if return_target(path, origin=call.world.settings.origin) is None:  # too long to be returned to from a sign-in
        path = f"{call.world.prefix}/hand-over?{urlencode(wanted, safe='/:')}"
    return Onward(f"{call.world.settings.origin}{path}")


@action("hand_over", method="GET", needs=Needs.SIGNED_IN, bearer=False, status=303)
async def hand_over(call: Call, *, host: UrlText, nonce: TokenText, return_to: UrlText = "") -> Onward:
    """From ORIGIN back to a protected host, with a code that is good there once, for a minute, in the browser that
    holds the nonce."""
    origin = _protected(call, host)
    await bound_attempts(call)
    session, code = call.signed_in.session, call.new_secret()
    await call.store.add(_pass(call, session, kind=CODE, secret=f"{code}.{nonce}", host=str(origin)))
    page = {"return_to": return_target(return_to, origin=origin) or "/"}
    return Onward(f"{origin}{call.world.prefix}/arrive?{urlencode({'code': code, **page}, safe='/:')}")


@action("arrive", method="GET", hosts=True, status=303)
async def arrive(call: Call, *, code: TokenText, return_to: UrlText = "") -> Onward:
    """At a protected host again: the code gives that host's own cookie, which leads to the session at ORIGIN."""
    host, secret = _protected(call, call.client.host), call.new_secret()
    nonce = tokens.digest(call.client.nonce, purpose="nonce") if call.client.nonce else ""
    digest = pass_digest(f"{code}.{nonce}", kind=CODE, host=str(host))
    async with call.store.transaction():
        identity = await by_pass(call, digest)
        if await call.store.take(HostPass, digest=digest) is None or identity is None:
            raise Refused("invalid_token", "This way in was used, or took too long.")
        session = identity.session
        await call.store.remove(HostPass, kind=COOKIE, session_id=session.id, host=str(host))
        await call.store.add(_pass(call, session, kind=COOKIE, secret=secret, host=str(host)))
    call.effects.session = (secret, session)
    page = return_target(return_to, origin=host) or "/"
    return Onward(page if page.startswith(str(host)) else f"{host}{page}")


def _protected(call: Call, host: str) -> Origin:
    """The protected origin of that name. Raises `not_found` at ORIGIN, and `invalid_input` for one that is none."""
    if not host:
        raise Refused("not_found")
    for origin in call.world.settings.protected_origins:
        if str(origin) == host:
            return origin
    raise invalid("host", "not_allowed", "an origin of PROTECTED_ORIGINS")


def _pass(call: Call, session: Session, *, kind: str, secret: str, host: str) -> HostPass:
    """It lives no longer than the session, and a code a minute."""
    until = min(session.expires_at, call.now + CODE_LIFE) if kind == CODE else session.expires_at
    return HostPass(
        digest=pass_digest(secret, kind=kind, host=host),
        kind=kind,
        host=host,
        session_id=session.id,
        user_id=session.user_id,
        created_at=call.now,
        expires_at=until,
    )


class ForwardAuth(Feature):
    """`GET /auth/verify` for nginx, Caddy and Traefik, and the way in at other hosts."""

    actions = (verify, depart, hand_over, arrive)
