"""Writes a whole installation to a file: one state of the database, a page at a time, whatever its size."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from doorward import __version__
from doorward.core.call import Call
from doorward.core.records import Authenticator
from doorward.core.refusals import Misconfigured
from doorward.server.moving import form
from doorward.server.moving.form import FORMAT, Header, Kind, Sum
from doorward.stores.revision import head
from doorward.stores.sqlalchemy import SqlStore

PAGE = 500  # rows in memory at a time
TO_PIPE = Path("-")

Begin = Callable[[int], None]  # told of how many rows there are
Tick = Callable[[int], None]  # told of rows that are done


@dataclass(frozen=True, slots=True)
class Left:
    """What came of an export."""

    path: str
    rows: dict[str, int]
    size: int
    sha256: str


async def leave(call: Call, target: Path, *, sessions: bool, begin: Begin, tick: Tick) -> Left:
    """Write the installation to `target`, whole or not at all; to standard output for `-`. Raises `Misconfigured`.

    A run that was killed leaves `NAME.part`, which the next one replaces: half of one state of a database and half of
    another would be none.
    """
    store = call.store
    if not isinstance(store, SqlStore):
        raise Misconfigured("moving.E4", "a database in memory can't be exported; set DATABASE_URL")
    with _opened(target) as out:
        async with store.snapshot():
            return await _written(call, out, str(target), sessions, begin, tick)


async def _written(call: Call, out: BinaryIO, path: str, sessions: bool, begin: Begin, tick: Tick) -> Left:
    total, size = Sum(), 0

    def write(line: bytes) -> None:
        nonlocal size
        size += len(line)
        total.digest.update(line)
        out.write(line)

    kinds = form.moving(call.world.records, sessions=sessions)
    header = _header(call, {kind.table: await _count(call, kind) for kind in kinds}, sessions)
    begin(sum(header.rows.values()))
    write(form.header_line(header))
    for kind in kinds:
        async for page in _pages(call, kind):
            for line in page:
                write(line)
            total.rows += len(page)
            tick(len(page))
    footer = total.footer(call.keyring, call.keyring.current_id)
    write(form.as_line(footer))
    return Left(path, header.rows, size, footer["sha256"])


def _header(call: Call, rows: dict[str, int], sessions: bool) -> Header:
    settings = call.world.settings
    return Header(
        format=FORMAT,
        version=__version__,
        revision=head(),
        made_at=call.now.isoformat(timespec="seconds"),
        origin=str(settings.origin),
        sessions=sessions,
        keys=form.checks_of(settings),
        rows=rows,
    )


async def _count(call: Call, kind: Kind) -> int:
    nobodys = await call.store.count(kind, user_id="") if kind is Authenticator else 0
    return await call.store.count(kind) - nobodys


async def _pages(call: Call, kind: Kind) -> AsyncIterator[list[bytes]]:
    """The rows as lines, by key. Tries that nobody's password cost have a row for the write's sake: it stays."""
    last = None
    while page := await call.store.find(kind, limit=PAGE, after=last):
        yield [form.row_line(row) for row in page if not (isinstance(row, Authenticator) and row.user_id == "")]
        last = page[-1]


@contextmanager
def _opened(target: Path) -> Iterator[BinaryIO]:
    """A file beside the target that becomes the target in the end; nobody else may ever read it."""
    if target == TO_PIPE:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misconfigured("moving.E5", f"{part} can't be written: {error.strerror}; name another file") from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise Misconfigured("moving.E5", f"{part} can't be written: {error.strerror}; make room") from None
    os.replace(part, target)
