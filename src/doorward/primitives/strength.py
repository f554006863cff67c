"""How hard a password is to guess, by zxcvbn: where the extra `strength` is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

try:
    import zxcvbn_rs_py as _zxcvbn

    zxcvbn_module: ModuleType | None = _zxcvbn
except ImportError:
    zxcvbn_module = None

# zxcvbn tries all ways to read signs as letters, and holds the interpreter's lock meanwhile. Measured on texts made to
# be slow: 16 ms for 20 code points, 68 for 28, 1,000 for 100; ordinary ones take a tenth of that.
MOST = 20

# What zxcvbn finds easy, as words of ours, and the sentence for each.
_WORDS = {
    "ThisIsATop10Password": "common_password",
    "ThisIsATop100Password": "common_password",
    "ThisIsACommonPassword": "common_password",
    "ThisIsSimilarToACommonlyUsedPassword": "like_a_common_password",
    "AWordByItselfIsEasyToGuess": "single_word",
    "NamesAndSurnamesByThemselvesAreEasyToGuess": "name",
    "CommonNamesAndSurnamesAreEasyToGuess": "name",
    "RecentYearsAreEasyToGuess": "year",
    "DatesAreOftenEasyToGuess": "date",
    "StraightRowsOfKeysAreEasyToGuess": "keyboard",
    "ShortKeyboardPatternsAreEasyToGuess": "keyboard",
    "RepeatsLikeAaaAreEasyToGuess": "repeat",
    "RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess": "repeat",
    "SequencesLikeAbcAreEasyToGuess": "sequence",
}
WARNINGS = {
    "common_password": "This is a common password.",
    "like_a_common_password": "This is much like a common password.",
    "single_word": "A word by itself is easy to guess.",
    "name": "Names by themselves are easy to guess.",
    "year": "Years are easy to guess.",
    "date": "Dates are easy to guess.",
    "keyboard": "Rows and patterns of keys are easy to guess.",
    "repeat": "What repeats adds little.",
    "sequence": "Sequences such as abc or 6543 are easy to guess.",
    "easy": "This is easy to guess.",
}


@dataclass(frozen=True, slots=True)
class Strength:
    """`score`: 0 (guessed at once) to 4 (very hard to guess). `warnings`: words of `WARNINGS`."""

    score: int
    warnings: tuple[str, ...]


def strength(password: str, *, context: Sequence[str] = ()) -> Strength | None:
    """Of the first 20 code points, guessed by somebody who knows the words of `context`. None without the package."""
    if zxcvbn_module is None:
        return None
    found = zxcvbn_module.zxcvbn(password[:MOST], list(context))
    warning = getattr(found.feedback, "warning", None)
    if warning is None:
        return Strength(int(found.score), ())
    return Strength(int(found.score), (_WORDS.get(repr(warning).rpartition(".")[2], "easy"),))
