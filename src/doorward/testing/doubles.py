"""Stand-ins that work: a clock one can move, a mailbox one can read, hashing that costs nothing, a house to try in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Concatenate, ParamSpec, TypeVar

from doorward.core.action import Action
from doorward.core.call import Call, Client, Letter, opened_letter
from doorward.core.devices import known_device_cookie
from doorward.core.doorward import Doorward
from doorward.core.feature import Feature
from doorward.core.finish import finish
from doorward.core.identify import by_bearer, by_cookie
from doorward.core.ports import BreachSearch, Limits, Stores
from doorward.core.records import OutboxMessage
from doorward.core.settings import load_settings
from doorward.delivery.composing import compose_text
from doorward.primitives.hashing import Argon2id, Passwords
from doorward.primitives.keyring import Keyring

P = ParamSpec("P")
T = TypeVar("T")

# For tests only: real argon2id, at a cost that protects nothing.
CHEAP = Passwords(preferred=Argon2id(memory_kib=64, time_cost=1, parallelism=1))

SECRET = "house:4YvXq2oM9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_"
ORIGIN = "https://app.example.com"


class Clock:
    """The time, as a test wants it: `clock.forward(minutes=5)`."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Let time pass: the arguments are those of `timedelta`."""
        self.now += timedelta(**by)


class MailBox:
    """The letters of a `Doorward`, opened as soon as they are posted: give it as `post`, or as `mail` of an `Auth`."""

    kind = "mail"

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.messages: list[OutboxMessage] = []
        self.keyring: Keyring | None = None

    def __call__(self, messages: tuple[OutboxMessage, ...]) -> None:
        self.messages.extend(messages)
        if self.keyring is not None:
            opened = (opened_letter(self.keyring, message) for message in messages if message.kind == self.kind)
            self.letters.extend(letter for letter in opened if letter is not None)

    @property
    def last(self) -> Letter:
        return self.letters[-1]

    def code(self) -> str:
        """The code in the last letter."""
        return self.last.words["code"]

    def token(self) -> str:
        """The token of the link in the last letter."""
        found = re.search(r"token=([\w.-]+)", self.last.words["link"])
        if found is None:
            raise LookupError("the last letter has no link")
        return found[1]

    def to(self, address: str) -> list[str]:
        """The templates of the letters to one address, oldest first."""
        return [letter.template for letter in self.letters if letter.to == address]


class SmsBox(MailBox):
    """The text messages, likewise: `sms` of an `Auth`. `sms.code()` is the code in the last one, `sms.text()` all that
    the phone shows."""

    kind = "sms"

    def text(self) -> str:
        """The last message, as it is sent."""
        return compose_text(self.last)


class CheapHash:
    """The `Hash` port done at once and cheaply; counts how often a password was really looked at."""

    def __init__(self, passwords: Passwords = CHEAP) -> None:
        self.passwords = passwords
        self.worked = 0
        self._salts = 0

    async def hash(self, password: str) -> str:
        self._salts += 1
        return self.passwords.hash(password, salt=sha256(str(self._salts).encode()).digest()[:16])

    async def verify(self, *, password: str, hash: str) -> bool:
        self.worked += 1
        return self.passwords.verify(password=password, hash=hash)

    async def work_of(self, scheme: str, password: str) -> None:
        self.worked += 1

    async def derive(self, text: str, *, salt: bytes) -> str:
        return self.passwords.hash(text, salt=salt)

    async def wrap(self, hashes: Sequence[str]) -> list[str | None]:
        self._salts += 1
        salt = sha256(str(self._salts).encode()).digest()[:16]
        return [self.passwords.wrap(each, salt=salt) for each in hashes]

    def needs_rehash(self, hash: str) -> bool:
        return self.passwords.needs_rehash(hash)


class House:
    """A whole installation in one process, for trying features without HTTP: `house.do(action, …)`.

    `House.browser()` and `.program()` are clients with cookies of their own.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        stores: Callable[[Doorward], Stores],
        limits: Limits,
        random: Callable[[int], bytes],
        remember: bool = False,
        search: BreachSearch | None = None,
        **settings: Any,
    ) -> None:
        self.clock, self.mail, self.sms = Clock(), MailBox(), SmsBox()
        given = {"secret": SECRET, "origin": ORIGIN, **settings}
        self.hash = CheapHash(replace(CHEAP, peppers=load_settings(given).pepper))
        self.doorward = Doorward(
            settings=load_settings(given),
            features=features,
            limits=limits,
            clock=self.clock,
            random=random,
            post=self.post,
            search=search,
            remember=remember,
        )
        self.mail.keyring = self.sms.keyring = self.doorward.world.keyring
        self.stores = stores(self.doorward)

    def post(self, messages: tuple[OutboxMessage, ...], /) -> None:
        """What a story leaves in the outbox."""
        self.mail(messages)
        self.sms(messages)

    def browser(self, ip: str = "192.0.2.7") -> Guest:
        return Guest(self, Client(ip=ip, network=ip, user_agent="Mozilla/5.0", browser=True))

    def program(self, ip: str = "192.0.2.8") -> Guest:
        return Guest(self, Client(ip=ip, network=ip, user_agent="curl/8"))

    def run(self, story: Callable[Concatenate[Call, P], Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        """A story with a call of nobody's."""
        return self.browser().run(story, *args, **kwargs)


class Guest:
    """Somebody at the door: keeps the cookies that the answers set, as a browser does."""

    def __init__(self, house: House, client: Client) -> None:
        self.house, self.client = house, client
        self.session = ""
        self.bearer = ""

    def do(self, action: Action[P, T], **arguments: Any) -> T:
        """Run an action as an adapter would: read its arguments, run it, apply its effects. Raises `Refused`."""
        answer: T = self.run(lambda call: self.house.doorward.perform(call, action, action.read(arguments)))
        return answer

    def run(self, story: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return finish(self._run(story, *args, **kwargs))

    async def _run(self, story: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async with self.house.stores.unit("sync") as store:
            call = self.house.doorward.call(store, self.house.hash, self.client)
            if self.bearer:
                call.caller = await by_bearer(call, self.bearer, bound=self.client.proof is not None)
            elif self.session:
                call.caller = await by_cookie(call, self.session)
            try:
                return await story(call, *args, **kwargs)
            finally:
                self._apply(call)
                self.house.post(tuple(call.effects.posted))

    def _apply(self, call: Call) -> None:
        effects = call.effects
        if effects.session is not None:
            self.session = effects.session[0]
        elif effects.session_ended:
            self.session = ""
        if effects.attempt or effects.attempt_ended:
            self.client = replace(self.client, attempt=effects.attempt)
        if effects.nonce:
            self.client = replace(self.client, nonce=effects.nonce)
        if effects.known_device:
            cookie = known_device_cookie(call, effects.known_device)
            self.client = replace(self.client, known_device=cookie)
        if effects.trusted_device or effects.trusted_device_ended:
            self.client = replace(self.client, trusted_device=effects.trusted_device)

    def words(self) -> Mapping[str, str]:
        """The words of the last letter."""
        return self.house.mail.last.words
