"""Which makes of authenticators are taken, where an installation asks for certified ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from doorward.core.call import Call
from doorward.core.feature import Feature
from doorward.core.refusals import Misconfigured, Refused
from doorward.primitives import fido_metadata
from doorward.primitives.fido_metadata import Metadata

CURE = "download it again from https://mds3.fidoalliance.org/"


@dataclass(frozen=True)
class Makes(Feature):
    """What a feature that asks for certified makes is told: the root (PEM) that FIDO_METADATA is signed under."""

    fido_root: bytes = fido_metadata.ROOT


def certified_makes(call: Call) -> Metadata:
    """Those that the file of FIDO_METADATA certifies."""
    (root,) = (one.fido_root for one in call.world.features.values() if isinstance(one, Makes))
    try:
        return in_file(call.world.settings.fido_metadata, root, call.now)
    except Misconfigured:  # it was believed at the start
        raise Refused("unavailable", "New passkeys can’t be made now.") from None


def in_file(path: str, root: bytes, now: datetime) -> Metadata:
    """The list in a file. Raises `Misconfigured` where it is not to be believed, or not now."""
    listed = _read(path, root)
    if not listed.valid_from <= now <= listed.valid_until:
        times = f"{listed.valid_from:%Y-%m-%d} to {listed.valid_until:%Y-%m-%d}"
        raise Misconfigured("passkeys.E5", f"what FIDO_METADATA {path} is signed with is valid from {times}; {CURE}")
    return listed


@lru_cache(maxsize=4)
def _read(path: str, root: bytes) -> Metadata:
    """Once in a process: it has ten megabytes."""
    try:
        return fido_metadata.read(Path(path).read_bytes(), root)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misconfigured("passkeys.E3", f"FIDO_METADATA {path} can't be believed ({error}); {CURE}") from None
