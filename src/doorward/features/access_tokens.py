"""Short-lived signed access tokens (RFC 9068), and the public keys that verify them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from doorward.core.action import action
from doorward.core.call import Call
from doorward.core.feature import Feature
from doorward.core.identify import by_session
from doorward.core.records import Record, User, column
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.session import Identity, Session
from doorward.core.steps import amr_of, assurance_level
from doorward.primitives import jwt, sealing

TYPE = "at+jwt"
CLIENT_ID = "doorward"  # rule 24: first-party sign-in
# Keys are read again this often, so that a key made on another node is known here soon.
KEYS_LIFE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey(Record):
    """A signing key; `jwk` is sealed. `slot` is unique: two nodes that make the first key at once make one."""

    table: ClassVar[str] = "doorward_token_key"

    kid: str = column(key=True, size=64)
    slot: str = column(unique=True, size=64)
    algorithm: str = column(size=16)
    jwk: str = column(size=0)
    created_at: datetime = column()


@dataclass(frozen=True, slots=True)
class JwkSet:
    """RFC 7517 §5."""

    keys: tuple[Mapping[str, Any], ...]


@action("jwks", method="GET", cacheable=True, url="/jwks.json")
async def jwks(call: Call) -> JwkSet:
    """The public keys, for every service that checks tokens itself. Empty with HS256 (rule 24)."""
    keys = await token_keys(call)
    return JwkSet(tuple(jwt.public_jwk_set(keys)["keys"]))


async def access_token(call: Call, user: User, session: Session, *, audience: str | None = None) -> Mapping[str, Any]:
    """An access token as the HTTP contract shows it. `audience`: a service of TOKEN_AUDIENCE instead of ourselves.

    Raises `invalid_input` for an audience that is not configured.
    """
    settings = call.world.settings
    if audience is not None and audience not in settings.token_audience:
        raise Refused("invalid_input", detail="This audience is not one of TOKEN_AUDIENCE.")
    keys = await token_keys(call)
    issued = int(call.now.timestamp())
    life = int(call.policy.access_token_life.total_seconds())
    proofs = Identity(user, session).proofs
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
        "auth_time": max((int(proof.at.timestamp()) for proof in proofs), default=issued),
        "amr": list(amr_of(proofs)),
        "acr": f"aal{assurance_level(proofs)}",
    }
    token = jwt.sign(claims, keys[0], typ=TYPE)
    return {"access_token": token, "token_type": "Bearer", "expires_in": life}


async def read_bearer(call: Call, token: str) -> Identity | None:
    """Who an access token of ours speaks for. The session behind it must live: `sid` is looked up (rule 22)."""
    if token.count(".") != 2:
        return None
    issuer = str(call.world.settings.origin)
    keys = {key.kid: key.verifying for key in await token_keys(call)}
    try:
        claims = jwt.verify(token, keys, issuer=issuer, audience=issuer, now=call.now, typ=TYPE)
    except jwt.InvalidToken:
        return None
    session = await call.store.get(Session, id=str(claims["sid"]))
    if session is None or session.user_id != claims["sub"]:
        return None
    identity = await by_session(call, session)
    return None if identity is None else Identity(identity.user, identity.session, "bearer")


async def token_keys(call: Call) -> tuple[jwt.SigningKey, ...]:
    """All keys that verify; the first one signs. The first of all is made when it is first asked for."""
    keys: tuple[jwt.SigningKey, ...]
    at, keys = call.world.memo.get("token-keys", (None, ()))
    if at is None or not call.now - KEYS_LIFE < at <= call.now:
        keys = _shared_secret(call) if _in_process(call) else await _stored_keys(call)
        call.world.memo["token-keys"] = (call.now, keys)
    return keys


def _in_process(call: Call) -> bool:
    return call.world.settings.token_algorithm == "HS256"


def _shared_secret(call: Call) -> tuple[jwt.SigningKey, ...]:
    ring = call.keyring
    secrets = ((id, ring.key("access-token-hs256", key_id=id)) for id in ring.ids)
    return tuple(jwt.SigningKey(f"hs-{id}", "HS256", secret) for id, secret in secrets)


async def _stored_keys(call: Call) -> tuple[jwt.SigningKey, ...]:
    algorithm = call.world.settings.token_algorithm
    rows = await call.store.find(TokenKey, order="-created_at")
    if not any(row.algorithm == algorithm for row in rows):
        key = jwt.generate_key(algorithm)
        jwk = json.dumps(jwt.to_jwk(key, private=True)).encode()
        sealed = call.seal(jwk, purpose="token-key", context=key.kid)
        slot = f"{algorithm}:first"
        row = TokenKey(kid=key.kid, slot=slot, algorithm=algorithm, jwk=sealed, created_at=call.now)
        await call.store.add(row)
        rows = await call.store.find(TokenKey, order="-created_at")
    rows.sort(key=lambda row: row.algorithm != algorithm)
    return tuple(_opened(call, row) for row in rows)


def _opened(call: Call, row: TokenKey) -> jwt.SigningKey:
    jwk = sealing.unseal(call.keyring, row.jwk, purpose="token-key", context=row.kid)
    if jwk is None:
        raise Misconfigured(
            "access_tokens.E1",
            f"signing key {row.kid} was sealed with a secret that SECRET does not hold any more; put it back "
            "behind the new one (SECRET=new-id:…,old-id:…)",
        )
    return jwt.from_jwk(json.loads(jwk))


class AccessTokens(Feature):
    """Access tokens for programs and services. Algorithm by TOKEN_ALGORITHM."""

    records = (TokenKey,)
    actions = (jwks,)
    bearers = (read_bearer,)
