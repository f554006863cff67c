"""The four kinds of columns that a record has, as fields of a Django model."""

from __future__ import annotations

from typing import Any

from django.db import models


def text(size: int = 255, **options: Any) -> models.Field[Any, Any]:
    """Text of at most `size` code points; 0: as long as it is."""
    return models.CharField(max_length=size, **options) if size else models.TextField(**options)


def number(**options: Any) -> models.Field[Any, Any]:
    """A whole number of 64 bits."""
    return models.BigIntegerField(**options)


def flag() -> models.Field[Any, Any]:
    """False unless it is said."""
    return models.BooleanField(default=False)


def moment(**options: Any) -> models.Field[Any, Any]:
    """A time in UTC with microseconds."""
    return models.DateTimeField(**options)
