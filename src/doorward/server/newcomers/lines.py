"""The lines of an export of users, JSON or CSV, one at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from doorward.core.refusals import Misconfigured
from doorward.primitives import strict_json

LONGEST_LINE = 1 << 16  # bytes

Row = Mapping[str, Any]


def read(file: io.BufferedReader) -> Iterator[tuple[int, Row | str]]:
    """Each line that is not empty, with its number: what it holds, or what is wrong with it.

    JSON Lines begin with `{`; all else is CSV, whose first line names the columns. Raises `Misconfigured` for a file
    that is neither.
    """
    start = file.peek(16).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"[":
        raise Misconfigured("users.E1", "the file is one JSON array; make lines of it with jq -c '.[]'")
    return _json_lines(file) if start == b"{" else _csv_lines(file)


def _json_lines(file: BinaryIO) -> Iterator[tuple[int, Row | str]]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        whole = line.endswith(b"\n") or len(line) < LONGEST_LINE
        while not line.endswith(b"\n") and (more := file.readline(LONGEST_LINE)):
            line = more
        if not whole:
            yield number, f"is longer than {LONGEST_LINE:,} bytes"
        elif line.strip():
            yield number, _parsed(line.removeprefix(b"\xef\xbb\xbf"))


def _parsed(line: bytes) -> Row | str:
    try:
        found = strict_json.parse(line)
    except ValueError:
        return "is not JSON"
    return found if isinstance(found, dict) else "is no JSON object"


def _csv_lines(file: BinaryIO) -> Iterator[tuple[int, Row | str]]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = csv.DictReader(text, strict=True)
    try:
        names = rows.fieldnames or ()
        if len(set(names)) != len(names) or not names:
            raise Misconfigured("users.E1", "the first line of a CSV file names its columns, each once; add it")
        for row in rows:
            yield rows.line_num, _cells(row)
    except csv.Error as error:
        raise Misconfigured("users.E1", f"line {rows.line_num} is not CSV: {error}; mend it and run again") from None
    except UnicodeDecodeError:
        raise Misconfigured("users.E1", f"about line {rows.line_num} is no UTF-8; save the file as UTF-8") from None
    finally:
        text.detach()  # whoever opened the file closes it


def _cells(row: dict[str | Any, Any]) -> Row | str:
    """An empty cell says nothing."""
    if None in row or None in row.values():
        return "has more or fewer cells than the first line"
    return {name: cell for name, cell in row.items() if cell != ""}
