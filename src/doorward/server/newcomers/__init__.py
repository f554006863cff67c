"""Takes in the users of another system, with their passwords, from JSON Lines or CSV."""

from __future__ import annotations

from doorward.server.newcomers.taking_in import Report, take_in

__all__ = ["Report", "take_in"]
