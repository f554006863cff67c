"""A capability as one value: what it stores, what one can do, how one signs in by it, what it listens to and shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from doorward.core.action import Action, Demand, Needs
from doorward.core.call import BearerReader, Call, Issuer, Listener, Possession
from doorward.core.events import Event
from doorward.core.ports import RoleBook
from doorward.core.records import Record
from doorward.core.settings import Settings
from doorward.core.steps import Method

Chore = Callable[[Call], Awaitable[int]]
Exports = Callable[[Call], Awaitable[tuple[Mapping[str, Any], ...]]]
Load = Callable[[Call, Mapping[str, str]], Awaitable[Mapping[str, Any]]]


async def nothing_to_load(call: Call, query: Mapping[str, str]) -> Mapping[str, Any]:
    """For pages that need nothing but themselves."""
    return {}


@dataclass(frozen=True, slots=True)
class Page:
    """A page at `path` below the prefix. `load` reads what it shows: (call, query) -> words of the template.

    `reads` names GET actions whose results it shows too, under their names with `_` for `.`; those that are not
    switched on are absent. So a page shows what other features know, and no feature imports another for it.
    `permission`: what who asks for it must be permitted, beside `needs`.

    Pages of who is signed in make up the account area, and each says itself where it stands. `area="security"`: below
    the page at `/security`, which by its own path leads that area and is in the navigation. With a `title` a page is
    listed on the one that leads its area (and what leads one, on the home page, whose area is empty): with its `hint`,
    or as the template `row` shows it, which knows what the page `reads`. `place` is where among its neighbours, lower
    first, else as features are given. What needs a permission is there for those who have it.
    """

    path: str
    template: str
    load: Load = nothing_to_load
    needs: Needs = Needs.NOTHING
    reads: tuple[str, ...] = ()
    permission: str = ""
    area: str | None = None
    title: str = ""
    hint: str = ""
    row: str = ""
    place: int = 50

    @property
    def leads(self) -> bool:
        """Whether it is in the navigation of the account area."""
        return self.area is not None and self.path == f"/{self.area}"

    @property
    def demand(self) -> Demand:
        return Demand(self.needs, permission=self.permission)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Rows of `record` whose time in `column` is past are removed in batches."""

    record: type[Record]
    column: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """Text of `record` that is sealed in `column`, for `purpose`; its context is what the column `context` holds.
    `kind`: in rows of this kind only. Whatever a feature seals it names, so that it outlives a change of SECRET."""

    record: type[Record]
    column: str
    purpose: str
    context: str
    kind: str = ""


@dataclass(frozen=True)
class Feature:
    """Base of all features. Options are fields of the subclass; what it brings are its class variables.

    `chores` are stories of nobody's that are done every few minutes, and say how much they have done. `exports` go,
    by name, into the export of who is signed in: what is held about them in records that do not name them.
    """

    records: ClassVar[tuple[type[Record], ...]] = ()
    actions: ClassVar[tuple[Action[..., Any], ...]] = ()
    methods: ClassVar[tuple[Method, ...]] = ()
    listeners: ClassVar[tuple[tuple[type[Event], Listener], ...]] = ()
    issuers: ClassVar[Mapping[str, Issuer]] = {}
    bearers: ClassVar[tuple[BearerReader, ...]] = ()
    roles: ClassVar[RoleBook | None] = None
    possession: ClassVar[tuple[Possession, ...]] = ()
    pages: ClassVar[tuple[Page, ...]] = ()
    sweeps: ClassVar[tuple[Sweep, ...]] = ()
    chores: ClassVar[tuple[Chore, ...]] = ()
    sealed: ClassVar[tuple[Sealed, ...]] = ()
    exports: ClassVar[Mapping[str, Exports]] = {}

    def check(self, settings: Settings, now: datetime) -> None:
        """Raise `Misconfigured` where options and settings can't work together. Runs at start."""
