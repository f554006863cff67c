"""The page about templates names every one that a host can put its own in the place of, with its words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doorward.delivery.composing import SHARED, words_in
from doorward.delivery.texts import TEXTS
from doorward.http import pages
from doorward.http.pages import WORDS, shown
from doorward.templating import environment, names_in, words_of
from tests.http.bare import Bare, PlainViews
from tests.scenarios.client import Browser
from tests.shape.tree import ROOT

TEMPLATES = Path(pages.__file__).parent / "templates"
PAGE = (ROOT / "docs" / "features" / "templates.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """The table below a heading: first cell -> last one."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {first: last for first, *_, last in cells[2:]}


def listed(words: set[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def test_every_template_of_a_page_is_listed_with_its_own_words() -> None:
    templates = environment(TEMPLATES)
    templates.filters.update(shown.FILTERS)
    own = {f"`{name}`": listed(words_of(templates, [name]) - WORDS) for name in names_in(TEMPLATES)}
    assert rows("Pages") == own


def test_every_letter_is_listed_with_its_own_words() -> None:
    assert rows("Letters") == {f"`{name}`": listed(words_in(kind)) for name, kind in TEXTS.items()}


def test_every_page_is_given_these_words_and_no_others() -> None:
    given: set[str] = set()

    class Looking(PlainViews):
        def render(self, template: str, words: Mapping[str, object]) -> str:
            given.update(words)
            return super().render(template, words)

    Browser(Bare(views=Looking())).page("/no-such-page")
    assert given | {"notice", "static", "logo"} == WORDS


def test_what_all_of_them_are_given_is_listed() -> None:
    assert {name.strip("`") for name in rows("Words of every page")} == WORDS
    assert {name.strip("`") for name in rows("Words of every letter")} == SHARED
