"""Short-lived signed access tokens (RFC 9068), for programs and services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorward.core.call import Call
from doorward.core.identify import by_session
from doorward.core.records import User
from doorward.core.refusals import Refused
from doorward.core.rights import roles_of
from doorward.core.session import Identity, Session, level_of
from doorward.features.token_keys import TokenKeys, signing_key, token_keys
from doorward.primitives import jwt

TYPE = "at+jwt"
CLIENT_ID = "doorward"  # rule 24: first-party sign-in


async def access_token(call: Call, user: User, session: Session, *, audience: str | None = None) -> Mapping[str, Any]:
    """An access token as the HTTP contract shows it. `audience`: a service of TOKEN_AUDIENCE instead of ourselves.

    Raises `invalid_input` for an audience that is not configured.
    """
    settings = call.world.settings
    if audience is not None and audience not in settings.token_audience:
        raise Refused("invalid_input", detail="This audience is not one of TOKEN_AUDIENCE.")
    issued = int(call.now.timestamp())
    life = int(call.policy.access_token_life.total_seconds())
    identity = Identity(user, session, level_of(session, call.policy, call.now))
    claims = {
        "iss": str(settings.origin),
        "sub": user.id,
        "aud": audience or str(settings.origin),  # rule 21: never the issuer and a service together
        "iat": issued,
        "nbf": issued,
        "exp": issued + life,
        "jti": call.new_id(),
        "sid": session.id,
        "client_id": CLIENT_ID,
        "auth_time": max((int(proof.at.timestamp()) for proof in identity.proofs), default=issued),
        "amr": list(identity.amr),
        "acr": f"aal{identity.aal}",
    }
    if roles := await roles_of(call, user):
        claims["roles"] = list(roles)
    if session.jkt:
        claims["cnf"] = {"jkt": session.jkt}  # RFC 9449 §6.1
    token = jwt.sign(claims, await signing_key(call), typ=TYPE)
    return {"access_token": token, "token_type": "DPoP" if session.jkt else "Bearer", "expires_in": life}


async def read_bearer(call: Call, token: str) -> Identity | None:
    """Who an access token of ours speaks for. The session behind it must live: `sid` is looked up (rule 22)."""
    found = await live_token(call, token, audience=str(call.world.settings.origin))
    return None if found is None else found[1]


async def live_token(call: Call, token: str, *, audience: str) -> tuple[dict[str, Any], Identity] | None:
    """The claims of an access token for an audience, and who it speaks for; None unless it and its session live."""
    if token.count(".") != 2:
        return None
    issuer = str(call.world.settings.origin)
    keys = {key.kid: key.verifying for key in await token_keys(call)}
    try:
        claims = jwt.verify(token, keys, issuer=issuer, audience=audience, now=call.now, typ=TYPE)
    except jwt.InvalidToken:
        return None
    session = await call.store.get(Session, id=str(claims["sid"]))
    if session is None or session.user_id != claims["sub"]:
        return None
    identity = await by_session(call, session)
    return None if identity is None else (claims, replace(identity, by="bearer"))


class AccessTokens(TokenKeys):
    """Access tokens for programs and services, and the keys that sign them."""

    bearers = (read_bearer,)
