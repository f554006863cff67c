"""How much of a limit is used up, as one number: the moment at which all of it is there again.

This is the generic cell rate algorithm (ITU-T I.371), a sliding window without a list of what is in it. Each hit moves
the moment by `seconds / most`; a hit is refused when that would take it further than `seconds` ahead. So `most` may
come at once, and then one in each `seconds / most`. Chosen before a window that weighs the one before it: both let
through fewer than twice `most` in the worst window and `most` in the long run, but this one has one number instead of
three, hence one guarded write in SQL and in Valkey, a wait that is exact, and it is right for `most=1` too.
"""

from __future__ import annotations

from typing import NamedTuple

from doorward.primitives import tokens

SECOND = 1_000_000  # microseconds
LONGEST_KEY = 120  # characters


class Rate(NamedTuple):
    """`step`: what one hit takes; `room`: how far ahead the moment may lie for one more. In microseconds."""

    step: int
    room: int


def rate(*, most: int, seconds: int) -> Rate:
    """The rate of a limit. Raises ValueError where one of them is below 1: that would be no limit, or a closed door."""
    if most < 1 or seconds < 1:
        raise ValueError(f"most={most} and seconds={seconds} must both be 1 or more")
    step = seconds * SECOND // most
    return Rate(step, seconds * SECOND - step)


def spend(rate: Rate, whole_at: int, now: int) -> tuple[int, int]:
    """One hit: the new moment, and 0; or the old one, and the microseconds until a hit may come."""
    ahead = max(whole_at - now, 0)
    if ahead > rate.room:
        return whole_at, ahead - rate.room
    return now + ahead + rate.step, 0


def whole_seconds(wait: int) -> int:
    """A wait in microseconds as seconds, rounded up: a client that comes then is let through."""
    return -(-wait // SECOND)


def bounded(key: str) -> str:
    """The key, or the digest of one that is too long to keep or not plain text."""
    is_plain = len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()
    return key if is_plain else tokens.digest(key, purpose="limit-key")
