"""Puts an installation together for one process, and runs stories in it: what all hosts share."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, ParamSpec, TypeVar

from doorward import presets
from doorward.breaches import open_filter, open_search
from doorward.core.action import Action
from doorward.core.call import Call, Client, World
from doorward.core.doorward import Doorward, records_of
from doorward.core.events import Event
from doorward.core.feature import Feature, Sweep
from doorward.core.finish import finish
from doorward.core.ports import Clock, Colour, Hash, Limits, Post, Randomness, RoleBook, Stores, Unavailable
from doorward.core.records import OutboxMessage
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.settings import Settings
from doorward.core.steps import Gate
from doorward.cpu import MIB, AwaitingHash, BlockingHash, HashPool, limit_of_waiting_threads, process_pool
from doorward.delivery import Delivered, Outbox, OutboxThread, Upkeep, open_outbox
from doorward.http.dispatch import Site
from doorward.http.messages import Request, Response
from doorward.http.pages import Pages
from doorward.http.views import Views
from doorward.http.visit import Visit
from doorward.limits import LimitWindow, open_limits
from doorward.primitives.hashing import Bcrypt, Passwords
from doorward.stores import open_store
from doorward.surroundings import Surroundings, settings_for

P = ParamSpec("P")
T = TypeVar("T")
Listener = Callable[[Any], Any]

log = logging.getLogger("doorward")

LIMIT_CONNECTIONS = 4  # to PostgreSQL, where limits are counted there: each is held for two statements


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an `Auth` takes beside settings, all by construction and never by an environment switch.

    `users`: a `UserTable`, for users in a table of the host's. `session`: lends the host's SQLAlchemy session.
    `stores`: in the place of what DATABASE_URL names. `mail` and `sms`: send letters in the place of SMTP_URL, and
    text messages in that of SMS_URL (`send(…)`), or are called with those that wait, after commit. `passwords` and
    `pool`: how passwords are hashed, and where. `views`: the pages. `gates`: the host's own, after ours. `roles`: the
    host's own. `prefix`: where we answer. `config`: a TOML file.
    """

    users: Any = None
    session: Callable[[], Any] | None = None
    stores: Stores | None = None
    limits: Limits | None = None
    mail: Any = None
    sms: Any = None
    clock: Clock = utc_now
    random: Randomness = os.urandom
    passwords: Passwords | None = None
    pool: HashPool | None = None
    views: Views | None = None
    gates: Sequence[Gate] = ()
    roles: RoleBook | None = None
    prefix: str = "/auth"
    config: str | None = None


class Runtime:
    """An installation in one process; the `Auth` of each host inherits from it."""

    colour: ClassVar[Colour] = "sync"

    doorward: Doorward
    site: Site
    stores: Stores

    def __init__(self, options: Mapping[str, Any]) -> None:
        names = {f.name for f in fields(Parts)}
        self.parts = Parts(**{name: value for name, value in options.items() if name in names})
        self._given = {name: value for name, value in options.items() if name not in names}
        self._listeners: list[tuple[type[Event], Listener]] = []

    def assemble(self, features: Sequence[Feature], around: Surroundings) -> None:
        """Everything at once, or `Misconfigured`."""
        parts, features = self.parts, features or presets.standard()
        names, settings = settings_for(self._given, around, parts.config)
        records = (*records_of(features), LimitWindow)
        self.own_stores = parts.stores or open_store(settings.database_url, records=records, user_table=parts.users)
        self.stores = self.lent(parts.session) if parts.session is not None else self.own_stores
        self.natively = self.colour == "async" and "async" in self.stores.colours
        limits = parts.limits or self._open_limits(settings)
        self._own_limits: Any = None if parts.limits else limits
        search = open_search(settings.breached_url)
        self.doorward = Doorward(
            settings=settings,
            features=features,
            limits=getattr(limits, "sync", limits),
            clock=parts.clock,
            random=parts.random,
            post=self._deliver,
            texts=parts.sms is not None,
            breached=open_filter(settings.breached_filter),
            search=getattr(search, "sync", None),
            gates=parts.gates,
            roles=parts.roles,
            prefix=parts.prefix,
            # Not where the host can change its users itself: what it changes holds at its next request.
            remember=not (parts.users or parts.session or parts.stores),
        )
        world, awaited = self.doorward.world, getattr(limits, "awaiting", limits)
        self.outbox = self._open_outbox(settings)
        self._worlds: dict[Colour, World] = {
            "sync": world,
            "async": replace(world, limits=awaited, search=getattr(search, "awaiting", None)),
        }
        self.pool = parts.pool or _pool(settings, names, self.colour)
        passwords = _passwords(settings, parts.passwords)
        self._hashes: dict[Colour, Hash] = {
            "sync": BlockingHash(self.pool, passwords),
            "async": AwaitingHash(self.pool, passwords),
        }
        self.site = Site(self.doorward, parts.views or _pages(settings))
        self._check_colours()
        for event, listener in self._listeners:
            self.doorward.on(event)(listener)

    def _open_limits(self, settings: Settings) -> Limits:
        """A database server is what several processes have in common; beside an SQLite file there is one, mostly."""
        shared = None
        if settings.database_url.startswith("postgres") and not settings.redis_url:
            # Connections of its own: stories that hold all of the others would wait here for a second one each.
            shared = open_store(settings.database_url, records=[LimitWindow], pool_size=LIMIT_CONNECTIONS)
        return open_limits(settings.redis_url, clock=self.parts.clock, shared=shared)

    def _open_outbox(self, settings: Settings) -> OutboxThread | None:
        """Who sends the letters and does what is due now and then; nobody where a test's mailbox takes them."""
        world, stores = self.doorward.world, self.own_stores
        if self._boxes:
            for box in self._boxes:
                if hasattr(box, "keyring"):
                    box.keyring = world.keyring
            return None
        sweeps = (*self.doorward.sweeps, Sweep(LimitWindow, "expires_at"))
        chores = [partial(self.tend, chore) for chore in self.doorward.chores]
        upkeep = Upkeep(stores, world.seen, sweeps, world.clock, chores=chores)
        return OutboxThread(self._outbox_over(stores), upkeep)

    @property
    def _boxes(self) -> list[Any]:
        return [one for one in (self.parts.mail, self.parts.sms) if one is not None and not hasattr(one, "send")]

    def _outbox_over(self, stores: Stores) -> Outbox:
        settings, world = self.settings, self.doorward.world
        return open_outbox(settings, stores, world.keyring, world.clock, mail=self.parts.mail, sms=self.parts.sms)

    def deliver_due(self, limit: int = 10_000) -> Delivered:
        """Send what is due, on this thread. Raises `Unavailable`."""
        return self._outbox_over(self.stores).deliver_once(limit)

    def _deliver(self, messages: tuple[OutboxMessage, ...]) -> None:
        takers: list[Post] = self._boxes if self.outbox is None else [self.outbox]
        for taker in takers:
            taker(messages)

    def lent(self, lender: Callable[[], Any]) -> Stores:
        """Stores on sessions of the host's."""
        raise Misconfigured("assembly.E1", "this host can't lend its sessions; leave `session` out")

    @property
    def settings(self) -> Settings:
        return self.doorward.world.settings

    def on(self, event: type[Event]) -> Callable[[Callable[[Any], T]], Callable[[Any], T]]:
        """`@auth.on(SignedIn)`: call the function with each such event, in the transaction that caused it."""

        def register(listener: Callable[[Any], T]) -> Callable[[Any], T]:
            self._listeners.append((event, listener))
            if hasattr(self, "doorward"):
                self._check_listener(event, listener)
                self.doorward.on(event)(listener)
            return listener

        return register

    def _check_colours(self) -> None:
        wanted: Colour = "async" if self.natively else "sync"
        if wanted not in self.stores.colours:
            raise Misconfigured(
                "assembly.E2", f"{type(self.stores).__name__} can only be awaited, and this host does not await"
            )
        for event, listener in self._listeners:
            self._check_listener(event, listener)

    def _check_listener(self, event: type[Event], listener: Listener) -> None:
        if inspect.iscoroutinefunction(listener) and not self.natively:
            raise Misconfigured(
                "assembly.E3",
                f"the listener {listener.__name__} of {event.__name__} is `async def`, and stories are completed "
                "without an event loop here; make it a plain `def`",
            )

    # Running stories

    def run(self, story: Callable[[Call], Awaitable[T]], client: Client | None = None) -> T:
        """Complete a story on this thread, in a unit of work of its own; then send its letters."""
        return finish(self._work("sync", story, client))

    async def arun(
        self, story: Callable[[Call], Awaitable[T]], client: Client | None = None, *, quick: bool = False
    ) -> T:
        """Await a story. On a host of threads that is completing it here; ASGI does better. `quick`: it only reads."""
        return self.run(story, client)

    def tend(self, story: Callable[[Call], Awaitable[T]]) -> T:
        """Complete a story of nobody's, on a thread of ours: over our own stores, whatever the host lends."""
        return finish(self._work("sync", story, None, self.own_stores))

    async def _work(
        self,
        colour: Colour,
        story: Callable[[Call], Awaitable[T]],
        client: Client | None,
        stores: Stores | None = None,
    ) -> T:
        call: Call | None = None
        try:
            async with (stores or self.stores).unit(colour) as store:
                call = self.doorward.call(store, self._hashes[colour], client)
                call.world = self._worlds[colour]
                result = await story(call)
        except Refused:  # what was written before it is committed (rule 11), letters too
            self._post(call)
            raise
        self._post(call)
        return result

    def _post(self, call: Call | None) -> None:
        if call is not None and call.effects.posted:
            self.doorward.world.post(tuple(call.effects.posted))
        if self.outbox is not None:
            self.outbox.ensure_running()

    def close(self) -> None:
        """Send no more letters, and give all connections back."""
        self.close_outbox()
        if self._own_limits is not None:
            self._own_limits.close()
        self.own_stores.close()

    async def aclose(self) -> None:
        """`close`, to be awaited."""
        self.close()

    def close_outbox(self) -> None:
        """Send no more letters; waits for the one under way."""
        if self.outbox is not None:
            self.outbox.close()

    def do(self, action: Action[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an action from Python, as the one who makes the present request: `auth.do(actions.password.change, …)`.

        Raises `Refused`. Outside of a request nobody is signed in.
        """
        visit = self.visit()
        return self.run(lambda call: self._perform(call, visit, action, kwargs), visit.client if visit else None)

    async def ado(self, action: Action[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`do`, to be awaited."""
        visit = self.visit()
        return await self.arun(lambda call: self._perform(call, visit, action, kwargs), visit.client if visit else None)

    async def _perform(self, call: Call, visit: Visit | None, action: Action[P, T], arguments: Mapping[str, Any]) -> T:
        if visit is not None:
            await self.site.recognise(visit, call)
            if visit.refused is not None:
                raise visit.refused
        try:
            return await self.doorward.perform(call, action, action.read(arguments))
        finally:
            if visit is not None:
                self.site.settle(visit, call)

    def visit(self) -> Visit | None:
        """Who makes the request that is being answered, where the host knows."""
        return None

    # Answering requests

    def respond(self, request: Request) -> Response:
        """The answer to a request for one of our own paths."""
        visit = self.site.receive(request)
        if isinstance(visit, Response):
            return visit
        received = visit
        try:
            return self.run(lambda call: self.site.answer(received, call), visit.client)
        except Exception as error:
            return self.failed(request, error)

    async def arespond(self, request: Request) -> Response:
        """The same, awaited."""
        visit = self.site.receive(request)
        if isinstance(visit, Response):
            return visit
        received = visit
        try:
            return await self.arun(lambda call: self.site.answer(received, call), visit.client, quick=visit.quick)
        except Exception as error:
            return self.failed(request, error)

    def failed(self, request: Request, error: Exception) -> Response:
        """The answer to what went wrong on our side, and its line in the log. The query is not written: rule 32."""
        if isinstance(error, Unavailable):
            log.warning("%s %s: unavailable: %s", request.method, request.path, error)
        else:
            log.error("%s %s failed", request.method, request.path, exc_info=error)
        return self.site.failed(request, error)


def _pages(settings: Settings) -> Pages:
    return Pages(settings.templates, theme=settings.theme, logo=settings.logo, reload=settings.debug)


def split_database(
    database: str | Feature | None, features: tuple[Feature, ...]
) -> tuple[str | None, tuple[Feature, ...]]:
    """The arguments of `Auth(app, "sqlite:///app.db", Password(), …)`, where the URL may be left out."""
    return (None, (database, *features)) if isinstance(database, Feature) else (database, features)


def _pool(settings: Settings, names: set[str], colour: Colour) -> HashPool:
    """The one of this process. Where nobody set its size and request threads wait for it, it admits fewer jobs."""
    if colour == "sync" and "hash_memory_mib" not in names:
        return process_pool(limit_of_waiting_threads())
    return process_pool(settings.hash_memory_mib * MIB)


def _passwords(settings: Settings, given: Passwords | None) -> Passwords:
    made = given or (Passwords(preferred=Bcrypt()) if settings.password_hash == "bcrypt" else Passwords())
    return replace(made, peppers=settings.pepper) if settings.pepper else made
