"""Forward-auth: a proxy asks about each request to another application who makes it, and whether they may."""

from __future__ import annotations

from typing import Annotated, Literal

from doorward.core.action import Demand, Needs, Text, action
from doorward.core.call import Call
from doorward.core.doorward import require as require_demand
from doorward.core.feature import Feature
from doorward.core.refusals import Refused
from doorward.core.rights import Verified, roles_of

RoleText = Annotated[str, Text(150)]

LEVELS = {"aal1": 1, "aal2": 2}


@action("verify", method="GET", keys=True, proxied=True, status=204)
async def verify(
    call: Call,
    *,
    require: Literal["aal1", "aal2"] | None = None,
    role: RoleText | None = None,
    redirect: Literal["1"] | None = None,
) -> Verified:
    """Who makes the proxy's request. What is demanded stands in the proxy's configuration, and `redirect=1` is for
    those that hand our 303 on to the browser."""
    demand = Demand(Needs.SIGNED_IN, role=role or "", aal=LEVELS[require] if require else 0)
    await require_demand(call, demand)
    caller = call.caller
    if caller is None:
        raise Refused("not_signed_in")
    if caller.session is None:
        return Verified(caller.user, (), "", caller.aal)
    return Verified(caller.user, await roles_of(call, caller.user), caller.session.id, caller.aal)


class ForwardAuth(Feature):
    """`GET /auth/verify` for nginx, Caddy and Traefik."""

    actions = (verify,)
