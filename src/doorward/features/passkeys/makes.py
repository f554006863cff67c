"""Which makes of authenticators are taken, where an installation asks for certified ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from doorward.core.call import Call
from doorward.core.feature import Feature
from doorward.core.refusals import Misconfigured
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
    return in_file(call.world.settings.fido_metadata, root)


@lru_cache(maxsize=4)
def in_file(path: str, root: bytes) -> Metadata:
    """The list in a file, read once in a process: ten megabytes. Raises `Misconfigured`."""
    try:
        return fido_metadata.read(Path(path).read_bytes(), root)
    except (OSError, ValueError, KeyError) as error:
        raise Misconfigured("passkeys.E3", f"FIDO_METADATA {path} can't be believed ({error}); {CURE}") from None
