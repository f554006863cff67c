"""Moves a whole installation to another database, through a file of JSON Lines."""

from __future__ import annotations

from doorward.server.moving.arriving import Arrived, arrive
from doorward.server.moving.leaving import Left, leave

__all__ = ["Arrived", "Left", "arrive", "leave"]
