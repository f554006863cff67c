"""The account area: its navigation, and which page is listed on which. Pages say themselves where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from doorward.core.feature import Page
from doorward.locale import Language

# What no page of the area leaves out: that somebody is about to replace the second factor.
TOLD_EVERYWHERE = "recovery"

NOWHERE: Mapping[str, object] = {"navigation": (), "above": None, "parts": ()}


def listed_on(page: Page, pages: Iterable[Page]) -> list[Page]:
    """What a page that leads an area lists: the pages below it; the home page, all that lead one."""
    if not page.leads:
        return []
    is_home = not page.area
    found = [p for p in pages if p.title and p.path != page.path and (p.leads if is_home else p.area == page.area)]
    return sorted(found, key=lambda p: p.place)


def reads_of(page: Page, pages: Iterable[Page]) -> list[str]:
    """The actions whose results a page shows: its own, and those that the rows on it show."""
    rows = [page, *listed_on(page, pages)]
    told = (TOLD_EVERYWHERE,) if page.area is not None else ()
    return list(dict.fromkeys((*told, *(name for one in rows for name in one.reads))))


def words(page: Page, pages: Iterable[Page], language: Language) -> Mapping[str, object]:
    """`navigation`: what leads an area, and which is `current` (as in aria-current). `above`: the page that a page is
    listed on, if it is in no navigation itself. `parts`: what is listed on it."""
    leading = sorted((p for p in pages if p.leads and p.title), key=lambda p: p.place)
    above = next((p for p in leading if p.area == page.area and p.path != page.path), None)
    return {
        "navigation": [{**_entry(p, language), "current": _current(p, page)} for p in leading],
        "above": _entry(above, language) if above is not None else None,
        "parts": [
            {**_entry(p, language), "parts": [_entry(q, language) for q in listed_on(p, pages)]}
            for p in listed_on(page, pages)
        ],
    }


def _current(entry: Page, page: Page) -> str:
    return "page" if entry.path == page.path else "true" if entry.area == page.area else ""


def _entry(page: Page, language: Language) -> dict[str, str]:
    return {
        "path": page.path,
        "title": language.gettext(page.title),
        "hint": language.gettext(page.hint),
        "row": page.row,
    }
