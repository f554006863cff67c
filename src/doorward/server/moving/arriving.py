"""Reads a whole installation from a file into an empty database: checked first, in batches, and compared at the end."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from doorward.core.call import Call
from doorward.core.ports import Store
from doorward.core.records import Record, User, about_users, columns, key_of
from doorward.core.refusals import Misconfigured
from doorward.primitives import tokens
from doorward.server.moving import form
from doorward.server.moving.form import LONGEST_LINE, Header, Kind, Sum
from doorward.server.moving.leaving import PAGE, Tick
from doorward.stores.migrations import revision_of
from doorward.stores.revision import head

PASSES = 3  # the file is read to check it, to add its rows, and to compare them
DAMAGED = "the file is not whole, or was changed: {}; make it anew, nothing was imported"
CHANGED = "the file was changed while it was read; empty the database, and import a file that nobody writes to"


@dataclass(slots=True)
class Arrived:
    """What came of an import: rows added by table, and how many were there already, from a run that was stopped."""

    header: Header
    added: dict[str, int] = field(default_factory=dict)
    there: int = 0


@dataclass(frozen=True, slots=True)
class _File:
    """An export that is read from its start as often as is needed."""

    file: BinaryIO
    kinds: Mapping[str, Kind]
    tick: Tick
    marks: list[bytes] = field(default_factory=list)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """All lines, each with its number. A line that is too long comes in pieces, which no line looks like.

        The first reading, which goes to the end and checks the whole, remembers what stood there; no line of a later
        one is believed that differs from it. Raises `Misconfigured`.
        """
        self.file.seek(0)
        first, number, nth = not self.marks, 0, 0
        while chunk := self._chunk():
            mark = hashlib.sha256(b"".join(chunk)).digest()
            if first:
                self.marks.append(mark)
            elif nth >= len(self.marks) or self.marks[nth] != mark:
                raise Misconfigured("moving.E8", CHANGED)
            nth += 1
            for line in chunk:
                number += 1
                self.tick(len(line))
                yield number, line
        if nth != len(self.marks):
            raise Misconfigured("moving.E8", CHANGED)

    def _chunk(self) -> list[bytes]:
        chunk: list[bytes] = []
        size = 0
        while len(chunk) < PAGE and size < LONGEST_LINE and (line := self.file.readline(LONGEST_LINE)):
            chunk.append(line)
            size += len(line)
        return chunk

    def batches(self) -> Iterator[list[Record]]:
        """The rows, as many at a time as are written in one transaction; those of one batch are of one table."""
        batch: list[Record] = []
        for number, line in self.lines():
            if number == 1 or form.read_footer(line):
                continue
            row = form.read_row(line, number, self.kinds)
            if batch and (type(batch[0]) is not type(row) or len(batch) == PAGE):
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch


async def arrive(call: Call, source: Path, *, beside_others: bool, tick: Tick) -> Arrived:
    """Import the file. Raises `Misconfigured`, having written nothing, for a file or a database that do not suit.

    Each batch is a transaction, and rows that are there are passed by: a run that was killed is simply run again.
    `beside_others`: also into a database that has users who are not in the file.
    """
    with _opened(source) as opened:
        header = form.read_header(opened.readline(LONGEST_LINE))
        kinds = {kind.table: kind for kind in form.moving(call.world.records, sessions=header.sessions)}
        _check_revision(header, call.world.settings.database_url, kinds)
        _check_keys(header, form.checks_of(call.world.settings))
        file = _File(opened, kinds, tick)
        _check_whole(call, file, header)
        await _check_empty(call, file, beside_others=beside_others)
        arrived = await _add(call, file, header)
        await _compare(call, file)
    return arrived


def _opened(source: Path) -> BinaryIO:
    try:
        file = source.open("rb")
    except OSError as error:
        raise Misconfigured("moving.E5", f"{source} can't be read: {error.strerror}; name an export") from None
    if not file.seekable():
        file.close()
        raise Misconfigured("moving.E5", f"{source} is checked before it is used, so it can't be a pipe; name a file")
    return file


def _check_revision(header: Header, url: str, kinds: Mapping[str, Kind]) -> None:
    here = revision_of(url) if url != "memory:" else None
    if here is None:
        raise Misconfigured(
            "moving.E4", "there is no database to import into; set DATABASE_URL, run `doorward migrate`"
        )
    if header.revision != here or here != head():
        cure = f"import it with Doorward {header.version}, then upgrade and run `doorward migrate`"
        raise Misconfigured(
            "moving.E6",
            f"the file is of revision {header.revision}, the database {here}, this release {head()}; {cure}",
        )
    if header.rows.keys() != kinds.keys():
        raise Misconfigured("moving.E6", "the file has other tables than this release; import it with the one it is of")


def _check_keys(header: Header, ours: Mapping[str, Mapping[str, str]]) -> None:
    """What is sealed or keyed opens by the same keys only; better found now than at somebody's sign-in."""
    for setting, keys in header.keys.items():
        for id, check in keys.items():
            here = ours.get(setting, {}).get(id)
            name, entry = setting.upper(), f"{id}:…"
            if here is None:
                cure = f"take over {entry} from the old installation, behind a newer one if there is one"
                raise Misconfigured("moving.E7", f"{name} here lacks the key {id!r}, which the file needs; {cure}")
            if not tokens.same(here, str(check)):
                cure = f"set {entry} as the old installation has it, and give the other one another id"
                raise Misconfigured("moving.E7", f"{name} here has another key by the name {id!r}; {cure}")


def _check_whole(call: Call, file: _File, header: Header) -> None:
    """Every line before any is believed: a file that was cut off, or altered, changes no database."""
    total, counts, footer = Sum(), dict.fromkeys(header.rows, 0), None
    for number, line in file.lines():
        if footer is not None:
            raise Misconfigured("moving.E8", DAMAGED.format("something stands behind its end"))
        footer = form.read_footer(line)
        if footer is None:
            total.digest.update(line)
            if number == 1 and form.read_header(line) != header:
                raise Misconfigured("moving.E8", CHANGED)
            if number > 1:
                counts[form.read_row(line, number, file.kinds).table] += 1
                total.rows += 1
    if footer is None:
        raise Misconfigured("moving.E8", DAMAGED.format("it has no end"))
    if footer.get("sha256") != total.digest.hexdigest() or counts != header.rows:
        raise Misconfigured("moving.E8", DAMAGED.format("its check sum is another"))
    key = str(footer.get("key"))
    if key not in call.keyring.ids or not _is_same(footer, total.footer(call.keyring, key)):
        raise Misconfigured("moving.E8", DAMAGED.format("whoever wrote its end does not know SECRET"))


def _is_same(footer: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    return tokens.same(str(footer.get("mac")), ours["mac"]) and footer == ours


async def _check_empty(call: Call, file: _File, *, beside_others: bool) -> None:
    users = await call.store.count(User)
    if not users:
        # A server that was started once has made keys and a role's row: nobody uses them, and the file has its own.
        async with call.store.transaction():
            for kind in set(file.kinds.values()) - {User, *about_users(file.kinds.values())}:
                await call.store.remove(kind)
        return
    if beside_others:
        return
    for batch in file.batches():
        if not isinstance(batch[0], User):
            break
        users -= len(await _there(call.store, batch))
    if users > 0:
        cure = "name an empty database, or say --beside-others"
        raise Misconfigured("moving.E9", f"the database has {users} users who are not in the file; {cure}")


async def _add(call: Call, file: _File, header: Header) -> Arrived:
    arrived = Arrived(header, dict.fromkeys(header.rows, 0))
    for batch in file.batches():
        async with call.store.transaction():
            there = await _there(call.store, batch)
            for row in batch:
                if (old := there.get(_key(row))) is not None:
                    _demand_same(old, row)
                elif not await call.store.add(row):
                    raise _clash(row, "holds a value that must be unique, and another row here holds it")
        arrived.added[batch[0].table] += len(batch) - len(there)
        arrived.there += len(there)
    return arrived


async def _compare(call: Call, file: _File) -> None:
    """What the database holds now, row by row, against the file."""
    for batch in file.batches():
        there = await _there(call.store, batch)
        for row in batch:
            if _key(row) not in there:
                raise _clash(row, "was imported, and is gone")
            _demand_same(there[_key(row)], row)


async def _there(store: Store, batch: list[Record]) -> dict[Any, Record]:
    kind = type(batch[0])
    those: dict[str, Any] = {f"{key_of(kind)}__in": [_key(row) for row in batch]}
    found = await store.find(kind, limit=len(batch), **those)
    return {_key(row): row for row in found}


def _key(row: Record) -> Any:
    return getattr(row, key_of(type(row)))


def _demand_same(old: Record, new: Record) -> None:
    """`version` says how often a row was changed, which is nothing that it holds."""
    if any(column.name == "version" for column in columns(type(new))):
        old = replace(old, version=new.version)  # type: ignore[call-arg, attr-defined]
    if old != new:
        raise _clash(new, "is here with other values: the database is in use, or another installation's")


def _clash(row: Record, why: str) -> Misconfigured:
    shown = ascii(str(_key(row)))[:80]
    cure = "import into an empty database while no server uses it"
    return Misconfigured("moving.E10", f"the row {shown} of {row.table} {why}; {cure}")


def size_of(source: Path) -> int | None:
    """Bytes to read, for a bar."""
    return PASSES * os.stat(source).st_size if source.exists() else None
