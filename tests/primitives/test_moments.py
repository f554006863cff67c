"""Moments are aware, so that no machine's time zone moves an expiry."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from doorward.primitives.moments import unix_seconds


def test_a_moment_is_the_same_in_every_zone() -> None:
    assert unix_seconds(datetime(1970, 1, 2, tzinfo=UTC)) == 86_400
    assert unix_seconds(datetime(1970, 1, 2, 5, tzinfo=timezone(timedelta(hours=5)))) == 86_400


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        unix_seconds(datetime(2026, 1, 1))
