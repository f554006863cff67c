"""How hard a password is to guess: a score and a word, within bounds, and nothing where the package is not there."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives import strength as module
from doorward.primitives.strength import MOST, WARNINGS, strength


@pytest.mark.parametrize(
    ("password", "score", "warnings"),
    [
        ("password1", 0, ("common_password",)),
        ("aaaaaaaaaaaaaaaa", 0, ("repeat",)),
        ("zxcvbnm,.", 1, ("keyboard",)),
        ("abcdefghijklmnop", 0, ("sequence",)),
        ("19901231", 1, ("date",)),
        ("plenty of brown sparrows", 4, ()),
        ("", 0, ()),
    ],
)
def test_scores_and_words(password: str, score: int, warnings: tuple[str, ...]) -> None:
    found = strength(password)
    assert found is not None
    assert (found.score, found.warnings) == (score, warnings)


def test_every_word_of_ours_has_a_sentence_and_every_word_of_the_package_one_of_ours() -> None:
    assert set(module._WORDS.values()) <= set(WARNINGS)
    assert module.zxcvbn_module is not None
    assert {name for name in dir(module.zxcvbn_module.Warning) if name[0] != "_"} == set(module._WORDS)


def test_what_is_known_of_the_person_is_guessed_first() -> None:
    plain, told = strength("lindqvist77"), strength("lindqvist77", context=["lindqvist"])
    assert plain is not None
    assert told is not None
    assert told.score < plain.score


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    found = strength(text, context=[text])
    assert found is not None
    assert 0 <= found.score <= 4


def test_the_costliest_text_is_cut_before_it_costs() -> None:
    """All of it would hold the interpreter for a second."""
    signs = Random(3).choices("4@8({[<369!1|70$5+%2ae", k=1024)
    began = time.perf_counter()
    strength("".join(signs))
    assert time.perf_counter() - began < 0.3
    assert strength("".join(signs)) == strength("".join(signs[:MOST]))


def test_without_the_package_there_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "zxcvbn_module", None)
    assert strength("password1") is None
