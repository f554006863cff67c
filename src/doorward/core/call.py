"""What an action may use: store, time, client, identity, hashing, events, letters; and the installation around it."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.core.attempt import Attempt
from doorward.core.events import Event
from doorward.core.policy import Policy
from doorward.core.ports import BreachSearch, Clock, Hash, Limits, Post, Randomness, RoleBook, Store
from doorward.core.records import OutboxMessage, Record, User
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.session import Caller, Identity, KeyIdentity, Recent, Session
from doorward.core.settings import Settings
from doorward.core.steps import Gate, Method
from doorward.primitives import sealing, tokens
from doorward.primitives.bloom import Bloom
from doorward.primitives.keyring import Keyring

if TYPE_CHECKING:
    from doorward.core.feature import Feature

F = TypeVar("F", bound="Feature")

Listener = Callable[..., Awaitable[None] | None]
Issuer = Callable[["Call", User, Session], Awaitable[Mapping[str, Any]]]
Possession = Callable[["Call", "ProofHeader", str], Awaitable[str]]
BearerReader = Callable[["Call", str], Awaitable[Caller | None]]


@dataclass(slots=True)
class ProofHeader:
    """The `DPoP` field of a request, and the request that it must be for; `url` is of ORIGIN, never of the Host.

    `jkt` is the key's thumbprint, once the proof was checked: a proof is good once, and a request may be asked twice.
    """

    text: str
    method: str
    url: str
    jkt: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the other end, as far as a request shows it. `network` is what limits count by (IPv6: its /64).

    `host` is the protected origin that it came to, and empty at ORIGIN; `nonce` the cookie of a browser that comes in
    there.
    """

    ip: str = ""
    network: str = "local"
    user_agent: str = ""
    browser: bool = False
    attempt: str = ""
    known_device: str = ""
    nonce: str = ""
    host: str = ""
    trusted_device: str = ""
    locale: str = ""
    proof: ProofHeader | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to one address: a template of delivery/texts and the words it needs. Without `locale` it is in the
    language of the request that causes it."""

    to: str
    template: str
    words: Mapping[str, str] = field(default_factory=dict)
    locale: str = ""


@dataclass(frozen=True, slots=True)
class TextMessage(Letter):
    """A letter to a phone: `to` is its number in E.164."""


LETTERS: Mapping[str, type[Letter]] = {"mail": Letter, "sms": TextMessage}


@dataclass(slots=True)
class Effects:
    """What an adapter does after the story: cookies to set and to clear, letters to send."""

    session: tuple[str, Session] | None = None
    session_ended: bool = False
    attempt: str = ""
    attempt_ended: bool = False
    known_device: str = ""
    nonce: str = ""
    trusted_device: str = ""
    trusted_device_ended: bool = False
    posted: list[OutboxMessage] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One installation in one process: what every call shares. `methods` are all whose proofs count, `offered` those
    that one may sign in by. `seen` is last-seen not written yet, by record and key; `memo` is what features remember
    for a while (signing keys, the mix of formats); `recent` who was recognised a moment ago, where users are in our
    own table alone. All of it may be lost. `breached` is this installation's own filter of breached passwords, beside
    the one that ships; `search` asks a service for those, where one is set.
    `texts`: text messages are sent, and the policy has them."""

    settings: Settings
    policy: Policy
    prefix: str
    keyring: Keyring
    features: Mapping[type[Feature], Feature]
    records: tuple[type[Record], ...]
    methods: Mapping[str, Method]
    offered: frozenset[str]
    listeners: tuple[tuple[type[Event], Listener], ...]
    issuers: Mapping[str, Issuer]
    bearers: tuple[BearerReader, ...]
    possession: Possession | None
    gates: list[Gate]
    roles: RoleBook | None
    limits: Limits
    clock: Clock
    random: Randomness
    post: Post
    texts: bool
    breached: Bloom | None
    search: BreachSearch | None
    seen: dict[tuple[type[Record], str], datetime] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict)
    recent: Recent | None
    host_listeners: list[tuple[type[Event], Callable[[Any], Any]]] = field(default_factory=list)

    def offers(self, action: str) -> bool:
        """Whether an action of this name is switched on."""
        return any(one.name == action for feature in self.features.values() for one in feature.actions)

    def feature(self, kind: type[F]) -> F:
        """The options of a feature that is switched on."""
        found = self.features.get(kind)
        if not isinstance(found, kind):
            raise Misconfigured("features.E1", f"{kind.__name__} is not switched on; add it to Auth(…)")
        return found


@dataclass(slots=True)
class Call:
    """One request to the core, from any host. `now` is one moment for the whole story.

    Who makes it is in `identity` by a session, or in `key` by an API key, and never in both.
    """

    world: World
    store: Store
    hash: Hash
    now: datetime
    client: Client = field(default_factory=Client)
    identity: Identity | None = None
    key: KeyIdentity | None = None
    effects: Effects = field(default_factory=Effects)

    @property
    def policy(self) -> Policy:
        return self.world.policy

    def link(self, path: str) -> str:
        """A URL of ours for letters: from the configured origin, never from a request (design 6.8)."""
        return f"{self.world.settings.origin}{self.world.prefix}{path}"

    @property
    def keyring(self) -> Keyring:
        return self.world.keyring

    @property
    def caller(self) -> Caller | None:
        """Who makes the request, by whatever; None where nobody is known."""
        return self.identity or self.key

    @caller.setter
    def caller(self, caller: Caller | None) -> None:
        self.identity = caller if isinstance(caller, Identity) else None
        self.key = caller if isinstance(caller, KeyIdentity) else None

    @property
    def signed_in(self) -> Identity:
        """Who is signed in; refuses where nobody is. API keys do nothing to an account (rule 28)."""
        if self.key is not None:
            raise Refused("not_permitted", "An API key can't do this.")
        if self.identity is None:
            raise Refused("not_signed_in")
        return self.identity

    def new_id(self) -> str:
        """An opaque id of 128 random bits."""
        return tokens.encode(self.world.random(16))

    def new_secret(self) -> str:
        """A bearer secret of 256 random bits."""
        return tokens.encode(self.world.random(32))

    def seal(self, plaintext: bytes, *, purpose: str, context: str) -> str:
        return sealing.seal(self.keyring, plaintext, purpose=purpose, context=context, nonce=self.world.random(12))

    @asynccontextmanager
    async def all_or_nothing(self) -> AsyncIterator[None]:
        """A transaction that a refusal undoes as well, with its letters; `store.transaction()` keeps what was written
        before one (rule 11)."""
        posted = len(self.effects.posted)
        try:
            async with self.store.transaction():
                try:
                    yield
                except Refused as refused:
                    raise _Undone(refused) from None
        except _Undone as undone:
            del self.effects.posted[posted:]
            raise undone.refused from None

    async def emit(self, event: Event) -> None:
        """Tell the listeners: features' take (call, event), a host's take (event)."""
        for kind, listener in self.world.listeners:
            if isinstance(event, kind):
                await _settled(listener(self, event))
        for kind, listener in self.world.host_listeners:
            if isinstance(event, kind):
                await _settled(listener(event))

    async def later(self, letter: Letter | None, *, life: timedelta = timedelta(days=2)) -> None:
        """Put a letter into the outbox, in the transaction that causes it; None writes a row of kind «nothing»."""
        if letter is not None and not letter.locale:
            letter = replace(letter, locale=self.client.locale)
        body = json.dumps(asdict(letter), ensure_ascii=False) if letter else json.dumps({"nothing": "to send"})
        id = self.new_id()
        message = OutboxMessage(
            id=id,
            kind=next((kind for kind, of in LETTERS.items() if type(letter) is of), "nothing"),
            body=self.seal(body.encode(), purpose="outbox", context=id),
            due_at=self.now,
            expires_at=self.now + life,
            created_at=self.now,
        )
        await self.store.add(message)
        self.effects.posted.append(message)


class _Undone(Exception):
    """Rolls a transaction back on a refusal's way out."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.reason)
        self.refused = refused


async def _settled(result: Awaitable[None] | None) -> None:
    if inspect.isawaitable(result):
        await result


def opened_letter(keyring: Keyring, message: OutboxMessage) -> Letter | None:
    """The letter inside an outbox row; None for the kind «nothing» or what no key opens."""
    body = sealing.unseal(keyring, message.body, purpose="outbox", context=message.id)
    if body is None or message.kind not in LETTERS:
        return None
    return LETTERS[message.kind](**json.loads(body))


__all__ = [
    "Attempt",
    "BearerReader",
    "Call",
    "Client",
    "Effects",
    "Issuer",
    "Letter",
    "Listener",
    "TextMessage",
    "World",
    "opened_letter",
]
