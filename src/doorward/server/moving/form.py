"""The file that an installation moves in: a header, a line for each row, and a footer that shows that it is whole.

    {"doorward": "export", "format": 1, "revision": "0002", "rows": {"doorward_user": 2, …}, …}
    {"table": "doorward_user", "row": {"id": …, "email": …}}
    {"doorward": "end", "rows": 17, "sha256": …, "key": "k1", "mac": …}

Sealed values and keyed digests stand in it as they are stored: they are worth nothing without SECRET (and PEPPER), so
the header says which keys those are, by a check value of each that gives none of them away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from doorward.core.records import Moves, Record, columns
from doorward.core.refusals import Misconfigured
from doorward.core.settings import Settings
from doorward.primitives import strict_json, tokens
from doorward.primitives.keyring import Keyring
from doorward.stores.values import kept

FORMAT = 1
LONGEST_LINE = 1 << 22  # bytes; sealed text has 2^20 characters at most
SETTINGS = ("secret", "pepper")  # the settings whose keys are needed to read what is stored

Kind = type[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file is, before its rows. `keys`: setting → id of a key → its check value; `rows`: table → number."""

    format: int
    version: str
    revision: str
    made_at: str
    origin: str
    sessions: bool
    keys: dict[str, dict[str, str]]
    rows: dict[str, int]


@dataclass(slots=True)
class Sum:
    """What the footer says of all lines before it. The MAC is by a key of SECRET: who has the file and not the secret
    can't put an administrator into it."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def footer(self, keyring: Keyring, key_id: str) -> dict[str, Any]:
        sha256 = self.digest.hexdigest()
        mac = tokens.hmac_digest(keyring.key("export", key_id=key_id), str(self.rows), sha256)
        return {"doorward": "end", "rows": self.rows, "sha256": sha256, "key": key_id, "mac": mac}


def moving(records: Iterable[Kind], *, sessions: bool) -> tuple[Kind, ...]:
    """The record classes whose rows go along, in the order of the file: users come first."""
    wanted = {Moves.ALWAYS, Moves.WITH_SESSIONS} if sessions else {Moves.ALWAYS}
    return tuple(kind for kind in records if kind.moves in wanted)


def checks_of(settings: Settings) -> dict[str, dict[str, str]]:
    """A value for each key of SECRET and PEPPER by which the same key is known again, and nothing else is learnt: they
    are long and random, or were refused at start."""
    return {name: _checks(getattr(settings, name)) for name in SETTINGS}


def _checks(masters: tuple[tuple[str, bytes], ...]) -> dict[str, str]:
    ring = Keyring(masters) if masters else None
    return {id: tokens.hmac_digest(ring.key("export-check", key_id=id), id) for id, _ in masters if ring}


def as_line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def header_line(header: Header) -> bytes:
    return as_line({"doorward": "export", **asdict(header)})


def row_line(record: Record) -> bytes:
    values = {column.name: getattr(record, column.name) for column in columns(type(record))}
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    return as_line({"table": record.table, "row": plain})


def read_header(line: bytes) -> Header:
    """The header of a file. Raises `Misconfigured` for another file, and for one of a newer Doorward."""
    found = _members(line)
    if found.pop("doorward", None) != "export":
        raise Misconfigured("moving.E1", "the file is no export of Doorward; name one that `doorward export` wrote")
    if found.get("format") != FORMAT:
        raise Misconfigured("moving.E2", f"the file has format {found.get('format')!r}; import it by a newer Doorward")
    try:
        header = Header(**found)
    except TypeError:
        raise broken(1) from None
    if not isinstance(header.rows, dict) or not isinstance(header.keys, dict):
        raise broken(1)
    if not all(isinstance(keys, dict) for keys in header.keys.values()):
        raise broken(1)
    return header


def read_footer(line: bytes) -> dict[str, Any] | None:
    """The footer, if the line is one."""
    return found if line.startswith(b'{"doorward"') and (found := _members(line)).get("doorward") == "end" else None


def read_row(line: bytes, number: int, kinds: Mapping[str, Kind]) -> Record:
    """The record in a line, with exactly its columns, each of its type. Raises `Misconfigured`, without a value."""
    found = _members(line)
    kind, row = kinds.get(str(found.get("table"))), found.get("row")
    if kind is None or not isinstance(row, dict) or found.keys() != {"table", "row"}:
        raise broken(number)
    try:
        return kept(kind(**{column.name: _typed(column.kind, row.pop(column.name)) for column in columns(kind)}, **row))
    except (KeyError, TypeError, ValueError):
        raise broken(number) from None


def _typed(kind: type, value: Any) -> Any:
    return datetime.fromisoformat(value) if kind is datetime and value is not None else value


def _members(line: bytes) -> dict[str, Any]:
    try:
        found = strict_json.parse(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def broken(number: int) -> Misconfigured:
    return Misconfigured("moving.E3", f"line {number} of the file is not what an export has there; make it anew")
