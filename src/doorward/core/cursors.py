"""Long lists, a page at a time: where one ended, as a text that is good for that list of that user alone (rule 39)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from doorward.core.call import Call
from doorward.core.records import Record
from doorward.core.refusals import invalid
from doorward.primitives import tokens

R = TypeVar("R", bound=Record)

MOST = 100  # of one page
READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Place:
    """As much of a row as its place in the list takes: the row itself may be gone."""

    id: str
    created_at: datetime


async def page_of(
    call: Call, kind: type[R], *, of: str, limit: int, after: str | None, **where: Any
) -> tuple[list[R], str | None]:
    """Rows with `id` and `created_at`, newest first, and the cursor to go on with. `of` names the list.

    Raises `invalid_input` for a limit that is not offered and for a cursor of another list, user or question.
    """
    if not 1 <= limit <= MOST:
        raise invalid("limit", "not_offered", f"from 1 to {MOST}")
    bound = [of, call.signed_in.user.id, *(f"{name}={value}" for name, value in sorted(where.items()))]
    last = None if after is None else cast("R", _read(call, after, bound))
    rows = await call.store.find(kind, order="-created_at", limit=limit + 1, after=last, **where)
    more = len(rows) > limit
    return rows[:limit], _written(call, rows[limit - 1], bound) if more else None


async def all_rows(call: Call, kind: type[R], **where: Any) -> list[R]:
    """Every row that matches, by key."""
    found: list[R] = []
    page = await call.store.find(kind, limit=READ_AT_ONCE, **where)
    while page:
        found += page
        page = await call.store.find(kind, limit=READ_AT_ONCE, after=page[-1], **where)
    return found


def _written(call: Call, row: Any, bound: list[str]) -> str:
    place = json.dumps([row.id, row.created_at.isoformat()])
    return f"{tokens.encode(place.encode())}.{_mac(call, place, bound)}"


def _read(call: Call, cursor: str, bound: list[str]) -> _Place:
    written, _, mac = cursor.partition(".")
    place = (tokens.decode(written) or b"").decode(errors="replace")
    if not tokens.same(mac, _mac(call, place, bound)):
        raise invalid("after", "not_valid", "not `next` of the page before")
    id, created_at = json.loads(place)
    return _Place(id, datetime.fromisoformat(created_at))


def _mac(call: Call, place: str, bound: list[str]) -> str:
    return tokens.hmac_digest(call.keyring.key("cursors"), *bound, place)
