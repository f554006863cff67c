"""Which request is for what: one exact table of paths, and nothing is ever normalised into it (rule 39)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from doorward.core.action import Action
from doorward.core.doorward import Doorward
from doorward.core.feature import Page
from doorward.http.views import Static, Views

OPENAPI = "/openapi.json"
# What others look for at fixed paths of our host (RFC 8615), outside of our prefix: each an action whose `url` it is.
WELL_KNOWN = "/.well-known/"
JWKS = "/.well-known/jwks.json"


@dataclass(frozen=True, slots=True)
class Route:
    """What stands at one path."""

    read: Action[..., Any] | None = None
    write: Action[..., Any] | None = None
    page: Page | None = None
    static: Static | None = None

    @property
    def allow(self) -> str:
        """The value of `Allow` (RFC 9110 §10.2.1)."""
        has_get = self.read or self.page or self.static
        return ", ".join([*(["GET"] if has_get else []), *(["POST"] if self.write else [])])

    def at_hosts(self, method: str) -> bool:
        """Whether it stands at protected hosts, too."""
        action = self.read if method == "GET" else self.write
        return self.static is not None or (action is not None and action.hosts)

    def allows(self, method: str) -> bool:
        return method in self.allow.split(", ")


def routes_of(doorward: Doorward, views: Views) -> Mapping[str, Route]:
    """Paths below the prefix, for exactly what is switched on."""
    table: dict[str, Route] = {path: Route(page=page) for path, page in doorward.pages.items()}
    for action in doorward.actions.values():
        route = table.get(action.path, Route())
        table[action.path] = replace(route, read=action) if action.method == "GET" else replace(route, write=action)
    table.update((path, Route(static=file)) for path, file in views.static.items())
    return table
