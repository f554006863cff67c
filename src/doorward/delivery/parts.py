"""What letters are made of: paragraphs, codes and links, and what depends on the words that are given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """A paragraph. With `only_with` it stands there only when that word is not empty."""

    message: str
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code to type, on a line of its own so that it is easily copied."""

    word: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link of ours to follow; `only_with` as in `Say`."""

    word: str
    message: str
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class Either:
    """Parts that stand there when a word is given and not empty, and others that do when it is not."""

    word: str
    given: tuple[Say | Code | Link, ...]
    missing: tuple[Say | Code | Link, ...] = ()


Part = Say | Code | Link | Either


@dataclass(frozen=True, slots=True)
class Text:
    """One kind of letter. No subject holds a secret: it shows on locked screens, and in logs of mail servers.

    `greets`: by the name of the account. Not in letters to an address that nobody has proved: that name was chosen
    by a stranger, and we would carry what he writes to anybody he likes.
    """

    subject: str
    parts: tuple[Part, ...]
    greets: bool = True
