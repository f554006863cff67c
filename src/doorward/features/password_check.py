"""Say what a password is worth while somebody types it: whether it would be taken, why not, and how hard to guess."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from doorward.core.action import PasswordText, Text, action
from doorward.core.call import Call
from doorward.core.feature import Feature
from doorward.core.refusals import REASONS, Refused
from doorward.core.tries import limit_network
from doorward.core.users import addresses_of
from doorward.features.password_rules import LEAST_WORD, Online, faults, is_breached, search
from doorward.primitives.strength import WARNINGS, strength

ContextText = Annotated[str, Text(512, least=0)]


@dataclass(frozen=True, slots=True)
class Remark:
    """A stable word and its sentence."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class PasswordChecked:
    """`reasons` say why it would not be taken; `warnings` what makes it weak, and they forbid nothing. `score` is
    zxcvbn's, 0 to 4; null where this installation has no zxcvbn. `online` is what the service of BREACHED_URL says."""

    accepted: bool
    reasons: tuple[Remark, ...]
    breached: bool
    score: int | None
    warnings: tuple[Remark, ...]
    online: Online


@action("password.check")
async def check(
    call: Call, *, password: PasswordText, context: ContextText | None = None, typing: bool = False
) -> PasswordChecked:
    """Look at a password that somebody may choose. `context`: name and address, as typed. `typing`: it is not whole
    yet, so no service is asked. Nothing is stored."""
    await limit_network(call, "password-check")
    words = (context or "").split()
    if call.identity is not None:
        user = call.identity.user
        words += [user.name, user.username or "", *await addresses_of(call, user)]
    refusals = list(faults(call, password, words))
    # Nothing goes out of what is refused anyway; and of one that grows, no digest of each of its beginnings.
    online: Online = "not_asked" if refusals or typing else await search(call, password)
    if online == "breached":
        refusals.append(Refused("password_known"))
    reasons = tuple(Remark(r.reason, r.detail or REASONS[r.reason].detail) for r in refusals)
    guessed = strength(password, context=_told(words))
    return PasswordChecked(
        accepted=not reasons,
        reasons=reasons,
        breached=online == "breached" or is_breached(call, password),
        score=None if guessed is None else guessed.score,
        warnings=() if guessed is None else tuple(Remark(word, WARNINGS[word]) for word in guessed.warnings),
        online="off" if call.world.search is None else online,
    )


def _told(words: Iterable[str]) -> tuple[str, ...]:
    """What a guesser who knows the person tries: each word once, and no word that is in everything."""
    return tuple(dict.fromkeys(part for word in words for part in word.casefold().split() if len(part) >= LEAST_WORD))


class PasswordCheck(Feature):
    """What a password is worth, said before it is chosen."""

    actions = (check,)
