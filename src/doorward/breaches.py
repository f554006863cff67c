"""What is known of breached passwords beside the list that ships: a filter of the installation's own, in a file."""

from __future__ import annotations

import mmap
from pathlib import Path

from doorward.core.refusals import Misconfigured
from doorward.primitives.bloom import Bloom

CURE = "make one with `doorward breached build FILE`"


def open_filter(path: str | Path) -> Bloom | None:
    """The filter in a file, mapped into memory and not read: many gigabytes cost nothing at start. None for no path.

    A filter is replaced by a new file of its name, never written over: `doorward breached build` does so. Raises
    `Misconfigured`.
    """
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            return Bloom(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise Misconfigured("breached.E1", f"the filter {path} can't be read: {error.strerror}; {CURE}") from None
    except ValueError as error:  # an empty file, too
        raise Misconfigured("breached.E2", f"{path} is no filter: {error}; {CURE}") from None
