"""Which passwords are taken: by length, and not those that attackers try first (NIST SP 800-63B-4 §3.1.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Literal

from doorward.core.call import Call
from doorward.core.feature import Feature
from doorward.core.refusals import Refused
from doorward.primitives import text
from doorward.primitives.bloom import Bloom

# What a service beside our own lists says of a password.
Online = Literal["off", "not_asked", "clear", "breached", "unavailable"]

# Words of context shorter than this occur in good passwords by chance.
LEAST_WORD = 4


async def check_new_password(call: Call, password: str, *, context: Iterable[str] = ()) -> None:
    """Refuse a password that may not be chosen. Lengths count code points after NFC; nothing is demanded of the
    characters. Raises `password_too_short`, `password_known` or `password_context`.
    """
    for fault in faults(call, password, context):
        raise fault
    if await search(call, password) == "breached":
        raise Refused("password_known")


def faults(call: Call, password: str, context: Iterable[str]) -> Iterator[Refused]:
    """Everything that speaks against a password, the first reason first."""
    password = text.nfc(password)
    least = call.policy.password_min
    if len(password) < least:
        yield Refused("password_too_short", f"Use {least} characters or more. A few words are easy to remember.")
    if is_breached(call, password):
        yield Refused("password_known")
    words = [call.world.settings.rp_name, call.world.settings.origin.host, *context]
    if is_mostly_context(password.casefold(), words, least=min(least, 8)):
        yield Refused("password_context")


async def search(call: Call, password: str) -> Online:
    """Ask the service of BREACHED_URL, where one is set. It fails open: who it does not answer for is let pass."""
    service = call.world.search
    if service is None:
        return "off"
    # Rows would be locked for as long as a service somewhere else takes.
    known = None if call.store.in_transaction else await service.knows(text.nfc(password))
    return "unavailable" if known is None else "breached" if known else "clear"


def is_breached(call: Call, password: str) -> bool:
    """Whether a password stands in the list that ships or in this installation's own. No network."""
    own = call.world.breached
    return is_known(password) or (own is not None and any(map(own.might_contain, spellings(password))))


def is_known(password: str) -> bool:
    """Whether the password stands in the list of common ones that ships with the package (no network)."""
    return common_passwords().might_contain(text.nfc(password).casefold())


def spellings(password: str) -> tuple[str, ...]:
    """A password as it is looked up: as typed, as breaches have it, and folded, as lists of words are."""
    password = text.nfc(password)
    return tuple(dict.fromkeys((password, password.casefold())))


@cache
def common_passwords() -> Bloom:
    return Bloom(files("doorward.features").joinpath("data/common_passwords.bloom").read_bytes())


def is_mostly_context(folded: str, words: Iterable[str], *, least: int) -> bool:
    """Whether too little is left of a password without the words of its context: name, address, service."""
    parts = {part for word in words for part in _parts(word.casefold()) if len(part) >= LEAST_WORD}
    rest = folded
    for part in sorted(parts, key=len, reverse=True):
        rest = rest.replace(part, "")
    return rest != folded and len(rest) < least


def _parts(word: str) -> set[str]:
    """The word, its parts between separators, and those written together."""
    spaced = word
    for separator in "@.-_+":
        spaced = spaced.replace(separator, " ")
    return {word, *spaced.split(), spaced.replace(" ", "")}


class PasswordRules(Feature):
    """The rules for new passwords. `Policy` holds the lengths."""
