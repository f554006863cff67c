"""Complete a story on this thread, without an event loop: its ports only *may* wait, and here none of them does."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def finish(story: Coroutine[Any, Any, T]) -> T:
    """Run `story` to its end with one `send`. Raises `RuntimeError` if a port of it waits for an event loop."""
    try:
        story.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    story.close()
    raise RuntimeError("a port of this story waits for an event loop; call it with `await auth.ado(…)`")
