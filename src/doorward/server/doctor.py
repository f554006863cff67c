"""Looks at the real configuration and names each thing that is wrong, with the cure: `doorward doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from doorward.core.refusals import Misconfigured
from doorward.core.settings import Settings
from doorward.server.config import LISTEN, Installation, Listen, Sources, load, new_secret, parse_listen

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. A `note` could be better, a `problem` must be mended; both have a cure."""

    check: str
    level: Level
    found: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What checks look at: settings that can be used, in the place of those that can't. `broken` names these."""

    settings: Settings
    sources: Sources
    listen: Listen
    broken: frozenset[str] = frozenset()
    data: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    tls_dev: bool = False

    @property
    def has_tls(self) -> bool:
        return self.tls_dev or self.cert is not None


Check = Callable[[Case], Iterable[Finding]]


def ok(check: str, found: str) -> Finding:
    return Finding(check, "ok", found)


def note(check: str, found: str, cure: str) -> Finding:
    return Finding(check, "note", found, cure)


def problem(check: str, found: str, cure: str) -> Finding:
    return Finding(check, "problem", found, cure)


def examine(
    sources: Sources,
    checks: Iterable[Check],
    *,
    cert: Path | None = None,
    key: Path | None = None,
    tls_dev: bool = False,
) -> Iterator[Finding]:
    """All findings, as they come: first what is wrong with single settings, then what the checks say of the rest."""
    faults = dict(_faults(sources))
    for name, fault in faults.items():
        yield problem(name, *told(fault))
    whole = _usable(sources, faults, scheme="https" if tls_dev or cert else "http")
    if isinstance(whole, Misconfigured):
        yield problem("settings", *told(whole))
        return
    case = Case(
        settings=whole.settings,
        sources=sources,
        listen=parse_listen(whole.settings.listen),
        broken=frozenset(faults),
        data=whole.data,
        cert=cert,
        key=key,
        tls_dev=tls_dev,
    )
    for check in checks:
        yield from check(case)


# Rules about several settings: looked at with all of them.
TOGETHER = frozenset({"settings.E7", "settings.E8", "settings.E9"})


# What stands in for a setting while another one is looked at.
def _placeholders() -> dict[str, str]:
    return {"secret": new_secret(), "origin": "http://localhost:8000"}


def _faults(sources: Sources) -> Iterator[tuple[str, Misconfigured]]:
    """Each value alone, so that one that can't be used does not hide the next: (name in lower case, what is wrong)."""
    single = (
        *(Sources({}, {}, {name: value}) for name, value in sources.config.items()),
        *(Sources({}, {name: value}) for name, value in sources.environ.items()),
        *(Sources({name: value}, {}) for name, value in sources.given.items()),
    )
    for source in single:
        (name,) = (*source.config, *source.environ, *source.given)
        try:
            source.settings(_placeholders())
            if source.value("listen") is not None:
                parse_listen(str(source.value("listen")))
        except Misconfigured as fault:
            if fault.id not in TOGETHER:
                yield name.removeprefix("DOORWARD_").lower(), fault


def _usable(sources: Sources, faults: dict[str, Misconfigured], *, scheme: str) -> Installation | Misconfigured:
    """The settings without those that can't be used."""
    sound = Sources(
        {name: value for name, value in sources.given.items() if name not in faults},
        {
            name: value
            for name, value in sources.environ.items()
            if name.removeprefix("DOORWARD_").lower() not in faults
        },
        {name: value for name, value in sources.config.items() if name.lower() not in faults},
        sources.file,
    )
    stand_in = {name: value for name, value in _placeholders().items() if name in faults}
    if "listen" in faults:
        stand_in["listen"] = LISTEN
    try:
        return load(Sources(sound.given, sound.environ, {**stand_in, **sound.config}, sources.file), scheme=scheme)
    except Misconfigured as fault:
        return fault


def told(fault: Misconfigured) -> tuple[str, str]:
    """What is wrong and the cure: our messages have both, around a semicolon."""
    found, _, cure = fault.cure.rpartition("; ")
    return (found, cure) if found else (fault.id, cure)


def as_json(finding: Finding) -> dict[str, str]:
    """One finding for programs."""
    cure = {"cure": finding.cure} if finding.cure else {}
    return {"check": finding.check, "level": finding.level, "found": finding.found, **cure}
