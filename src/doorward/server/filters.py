"""Makes a filter of breached passwords from a list of any size, and measures how often a filter is wrong.

A build that was killed goes on where it was: what it has done stands beside its target, in `.NAME.part`.
"""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import BinaryIO

from doorward.breaches import open_filter
from doorward.core.refusals import Misconfigured
from doorward.features.password_rules import spellings
from doorward.primitives.bloom import Bloom, Growing, Kind, dimensions, key_of, size_of
from doorward.primitives.text import nfc

SHORTEST = 8  # code points: no rule takes a shorter password
BITS_PER_ITEM = 16.0  # 1 of 2,200 others is taken for one of the list
LONGEST_LINE = 8192  # bytes
LONGEST = 1024  # code points
CHECKPOINT = 1 << 24  # bytes of the list between two notes of how far it is

_BREACH = re.compile(rb"([0-9A-Fa-f]{40})(?::[0-9]{1,12})?\r?\n?")

Tick = Callable[[int], None]  # told of bytes that are done


@dataclass(frozen=True, slots=True)
class Plan:
    """One build. `source` and `changed` (its size and time) tell whether an unfinished one is of the same list."""

    source: str
    changed: tuple[int, int]
    kind: Kind
    bits_per_item: float
    shortest: int
    entries: int
    left_out: int
    done: int = 0  # bytes of the list


@dataclass(frozen=True, slots=True)
class Built:
    """What came of a build. `chance` is that of a text outside the list to be taken for one inside."""

    path: str
    kind: Kind
    entries: int
    left_out: int
    size: int
    chance: float


def build(source: Path, target: Path, *, bits_per_item: float, shortest: int, tick: Tick) -> Built:
    """Write the filter of a list to `target`, whole or not at all. `tick` hears twice of every byte of the list.

    A list of `SHA1HASH:count` lines makes a filter of kind `sha1`, every other one is of words. Raises `Misconfigured`.
    """
    part = target.with_name(f".{target.name}.part")
    note = part.with_name(part.name + ".json")
    with _opened(source) as file:
        plan = _unfinished(file, source, note, bits_per_item, shortest)
        if plan is None:
            plan = _surveyed(file, source, bits_per_item, shortest, tick)
            part.unlink(missing_ok=True)
        else:
            tick(plan.changed[0] + plan.done)
        _fill(file, part, note, plan, tick)
    os.replace(part, target)
    note.unlink(missing_ok=True)
    made = open_filter(target)
    size, chance = target.stat().st_size, made.chance() if made else 0.0
    return Built(str(target), plan.kind, plan.entries, plan.left_out, size, chance)


def _opened(source: Path) -> BinaryIO:
    try:
        file = source.open("rb")
    except OSError as error:
        raise Misconfigured("breached.E3", f"{source} can't be read: {error.strerror}; name a list") from None
    if not file.seekable():
        file.close()
        raise Misconfigured("breached.E4", f"{source} is read twice, so it can't be a pipe; name a file")
    return file


def _changed(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


def _unfinished(file: BinaryIO, source: Path, note: Path, bits_per_item: float, shortest: int) -> Plan | None:
    """The build that was killed, if it was this one."""
    try:
        plan = Plan(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    wanted = (str(source.resolve()), [*_changed(file)], bits_per_item, shortest)
    same = (plan.source, [*plan.changed], plan.bits_per_item, plan.shortest) == wanted
    return plan if same else None


def _surveyed(file: BinaryIO, source: Path, bits_per_item: float, shortest: int, tick: Tick) -> Plan:
    """Read the list once: what kind it is, and how many entries a filter must have room for."""
    kind: Kind = "sha1" if _BREACH.fullmatch(file.readline(LONGEST_LINE)) else "texts"
    file.seek(0)
    entries = left_out = 0
    for size, key in _keys(file, kind, shortest):
        entries, left_out = (entries, left_out + 1) if key is None else (entries + 1, left_out)
        tick(size)
    if not entries:
        raise Misconfigured("breached.E5", f"{source} has no entry that a password could be; name another list")
    return Plan(str(source.resolve()), _changed(file), kind, bits_per_item, shortest, entries, left_out)


def _fill(file: BinaryIO, part: Path, note: Path, plan: Plan, tick: Tick) -> None:
    bits, places = dimensions(plan.entries, plan.bits_per_item)
    size = size_of(bits)
    with part.open("r+b" if part.exists() else "w+b") as out:
        if os.fstat(out.fileno()).st_size != size:
            plan = replace(plan, done=0)
            out.truncate(0)
            out.truncate(size)
        with mmap.mmap(out.fileno(), size) as data:
            growing = Growing(data, kind=plan.kind, bits=bits, places=places)
            file.seek(plan.done)
            done = noted = plan.done
            for length, key in _keys(file, plan.kind, plan.shortest):
                if key is not None:
                    growing.add(key)
                done += length
                tick(length)
                if done - noted >= CHECKPOINT:
                    data.flush()
                    _write(note, replace(plan, done=done))
                    noted = done
            data.flush()
        os.fsync(out.fileno())


def _write(note: Path, plan: Plan) -> None:
    """What is noted is on the disk: entries added twice do no harm, forgotten ones would."""
    draft = note.with_name(note.name + ".new")
    draft.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    os.replace(draft, note)


def _keys(file: BinaryIO, kind: Kind, shortest: int) -> Iterator[tuple[int, bytes | None]]:
    """For each line its length in bytes and the 16 bytes of its entry; None for one that no password could be."""
    while line := file.readline(LONGEST_LINE):
        size, whole = len(line), True
        while not line.endswith(b"\n") and (more := file.readline(LONGEST_LINE)):
            size, whole, line = size + len(more), False, more
        yield size, _key(line, kind, shortest) if whole else None


def _key(line: bytes, kind: Kind, shortest: int) -> bytes | None:
    if kind == "sha1":
        found = _BREACH.fullmatch(line)
        return None if found is None else bytes.fromhex(found[1].decode())[:16]
    try:
        word = nfc(line.decode("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError:
        return None
    folded = word.casefold()
    if not shortest <= min(len(word), len(folded)) <= LONGEST:
        return None
    return key_of(folded, kind)


@dataclass(frozen=True, slots=True)
class Measured:
    """How many random texts a filter took for entries of its list."""

    texts: int
    taken: int

    @property
    def share(self) -> float:
        return self.taken / self.texts


def measure(bloom: Bloom, *, texts: int = 500_000, tick: Tick = lambda _: None) -> Measured:
    """Ask for random texts as the rules ask for a password; the same texts each time. That one of them is in a list of
    real passwords is out of the question."""
    random = Random(1)  # noqa: S311 (to measure, not to keep)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_.! "
    taken = 0
    for _ in range(texts):
        text = "".join(random.choices(letters, k=random.randint(SHORTEST, 24)))
        taken += any(map(bloom.might_contain, spellings(text)))
        tick(1)
    return Measured(texts, taken)
