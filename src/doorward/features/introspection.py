"""Services that want to know at this moment whether an access token is good ask here (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorward.core.action import AnyTokenText, IdText, action
from doorward.core.call import Call
from doorward.core.feature import Feature
from doorward.core.refusals import Refused
from doorward.core.rights import roles_of
from doorward.features.access_tokens import live_token

SCOPE = "token.introspect"
INACTIVE: Mapping[str, Any] = {"active": False}


@action("token.introspect", lenient=True, keys=True)
async def introspect(call: Call, *, token: AnyTokenText, token_type_hint: IdText | None = None) -> Mapping[str, Any]:
    """What an access token says, with the roles that its user has now; or `{"active": false}` and no reason.

    For API keys with the scope `token.introspect`, about the audiences that stand among their scopes (rule 35).
    """
    if call.key is None or not call.key.has_scope(SCOPE):
        raise Refused("not_signed_in", "This takes an API key that was made for it.")
    settings = call.world.settings
    for audience in (*settings.token_audience, str(settings.origin)):
        if call.key.has_scope(audience):
            found = await live_token(call, token, audience=audience)
            if found is not None:
                claims, identity = found
                roles = list(await roles_of(call, identity.user))
                return {"active": True, "token_type": "Bearer", **claims, "roles": roles}
    return INACTIVE


class Introspection(Feature):
    """Whether a token is good now, for services that may not trust it until it expires."""

    actions = (introspect,)
