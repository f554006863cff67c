"""Turns a moment into Unix seconds, and refuses a moment without a time zone."""

from datetime import datetime


def unix_seconds(moment: datetime) -> float:
    """Seconds since 1970-01-01 UTC. Raises ValueError for a naive datetime: its meaning depends on the machine."""
    if moment.tzinfo is None:
        raise ValueError("the moment has no time zone: use datetime.now(UTC)")
    return moment.timestamp()
