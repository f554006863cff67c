"""How pages look: a few colours, a radius and fonts, which make a whole palette that can be read in light and dark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import partial
from typing import Any, Literal

from doorward.primitives.colours import BLACK, WHITE, Colour, contrast, nearest

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
Palette = dict[str, Colour]

# The colours of doorward.css, where nothing else is set; a test compares them.
OURS: Mapping[Scheme, Mapping[str, str]] = {
    "light": {
        "paper": "#f5f2ec", "card": "#fffdf9", "ink": "#1c2421", "soft": "#57615c", "line": "#ddd7ca",
        "edge": "#84897f", "accent": "#0d6854", "accent-deep": "#084a3c", "on-accent": "#ffffff", "tint": "#e4efe9",
        "bad": "#9d2a1f",
    },
    "dark": {
        "paper": "#101513", "card": "#181f1c", "ink": "#e9ede9", "soft": "#a4b0aa", "line": "#2c3632",
        "edge": "#708079", "accent": "#72d3b5", "accent-deep": "#a3e6d0", "on-accent": "#06251b", "tint": "#1b3029",
        "bad": "#ffa294",
    },
}  # fmt: skip
# What stands on what, how much it has to differ (WCAG 2.2, 1.4.3 and 1.4.11), what it is, and which setting mends it.
PAIRS = (
    ("on-accent", "accent", 4.5, "text on buttons", "accent"),
    ("on-accent", "accent-deep", 4.5, "text on a button under the mouse", "accent"),
    ("accent", "card", 4.5, "links on a card", "accent"),
    ("accent", "paper", 4.5, "links on the page", "accent"),
    ("accent-deep", "tint", 4.5, "text on a badge", "accent"),
    ("ink", "tint", 4.5, "text in a note", "accent"),
    ("ink", "paper", 4.5, "text on the page", "background"),
    ("soft", "paper", 4.5, "hints on the page", "background"),
    ("soft", "card", 4.5, "hints on a card", "background"),
    ("bad", "card", 4.5, "what is said to be wrong", "background"),
    ("edge", "paper", 3.0, "the edge of a field", "background"),
)
LEAST_TEXT = 4.5
_RADIUS = re.compile(r"(\d{1,2}|\d?\.\d{1,3}|\d\.\d{1,3})(px|rem)", re.ASCII)
_FAMILY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 -]{0,38}[A-Za-z0-9])?", re.ASCII)
_GENERIC = frozenset(
    {"serif", "sans-serif", "monospace", "system-ui", "ui-serif", "ui-sans-serif", "ui-rounded", "ui-monospace"}
)
MOST_FAMILIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """What a host sets; everything else follows. Colours as `#0d6854`, fonts as families with commas between."""

    accent: str = ""
    accent_dark: str = ""
    background: str = ""
    background_dark: str = ""
    radius: str = ""
    font: str = ""
    heading_font: str = ""

    def palette(self, scheme: Scheme) -> Palette:
        """The colours of one scheme, by the variables of doorward.css."""
        ours = {name: Colour.parse(value) for name, value in OURS[scheme].items()}
        background = self.background if scheme == "light" else self.background_dark
        if background:
            ours |= _around(Colour.parse(background), ours, scheme)
        if scheme == "light":
            return ours | (_accents(Colour.parse(self.accent), ours, scheme) if self.accent else {})
        if self.accent_dark:
            return ours | _accents(Colour.parse(self.accent_dark), ours, scheme)
        if self.accent:  # the same hue, as light as it must be
            chosen = nearest(
                Colour.parse(self.accent), lambda one: not _blamed({**ours, **_accents(one, ours, scheme)})
            )
            return ours | (_accents(chosen, ours, scheme) if chosen else {})
        return ours


def _around(background: Colour, ours: Palette, scheme: Scheme) -> Palette:
    ink = ours["ink"]
    return {
        "paper": background,
        "card": background.mixed(WHITE, 0.7 if scheme == "light" else 0.04),
        "soft": background.mixed(ink, 0.74),
        "line": background.mixed(ink, 0.12),
        "edge": background.mixed(ink, 0.52),
    }


def _accents(accent: Colour, ours: Palette, scheme: Scheme) -> Palette:
    deep = accent.mixed(BLACK, 0.3) if scheme == "light" else accent.mixed(WHITE, 0.4)
    return {
        "accent": accent,
        "accent-deep": deep,
        "on-accent": max((WHITE, accent.mixed(BLACK, 0.85)), key=lambda one: contrast(one, accent)),
        "tint": ours["card"].mixed(accent, 0.1 if scheme == "light" else 0.14),
    }


def _blamed(palette: Palette) -> tuple[str, str, float, float] | None:
    """The first pair that can't be read: which setting is to blame, what it is, its contrast and what is asked for."""
    for one, other, least, what, blame in PAIRS:
        if (found := contrast(palette[one], palette[other])) < least:
            return blame, what, found, least
    return None


def parse_theme(value: Any) -> Theme:
    """A table, or `accent=#0d6854; radius=8px`. Raises `ValueError` naming what can't be used, and the cure."""
    if isinstance(value, Theme):
        return value
    table = dict(value) if isinstance(value, Mapping) else _table(value)
    known = [field.name for field in fields(Theme)]
    for name, given in table.items():
        if name not in known:
            near = get_close_matches(str(name), known, 1)
            raise ValueError(f"unknown {name!r}; " + (f"did you mean {near[0]}?" if near else f"known: {known}"))
        if not isinstance(given, str):
            raise ValueError(f"{name}: expected text, not {type(given).__name__}")
    theme = Theme(**{name: _CHECKS.get(name, _colour)(name, given.strip()) for name, given in table.items()})
    _check_contrast(theme)
    return theme


def _table(value: Any) -> dict[str, str]:
    if not isinstance(value, str):
        raise ValueError(f"expected a table or text, not {type(value).__name__}")
    pairs = [part.partition("=") for part in value.split(";") if part.strip()]
    for name, sign, _ in pairs:
        if not sign:
            raise ValueError(f"{name.strip()!r} has no value; write accent=#0d6854; radius=8px")
    return {name.strip(): given.strip() for name, _, given in pairs}


def _colour(name: str, value: str) -> str:
    try:
        return str(Colour.parse(value)) if value else ""
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _radius(name: str, value: str) -> str:
    found = _RADIUS.fullmatch(value)
    if value and (not found or float(found[1]) > (32 if found[2] == "px" else 2)):
        raise ValueError(f"{name}: {value!r} is no radius; write 0px to 32px, or 0rem to 2rem")
    return value


def _families(name: str, value: str) -> str:
    """Each family in quotes of ours, so that nothing else of CSS can stand here."""
    families = [part.strip().strip("\"'") for part in value.split(",")] if value else []
    for family in families:
        if not _FAMILY.fullmatch(family) or len(families) > MOST_FAMILIES:
            raise ValueError(
                f"{name}: {family!r} is no font family; write names of letters, digits and spaces, "
                f"{MOST_FAMILIES} at most, with commas between"
            )
    return ", ".join(family if family in _GENERIC else f'"{family}"' for family in families)


_CHECKS = {"radius": _radius, "font": _families, "heading_font": _families}


def _check_contrast(theme: Theme) -> None:
    for scheme in SCHEMES:
        fault = _blamed(theme.palette(scheme))
        if fault is None:
            continue
        blame, what, found, least = fault
        setting = _named(theme, blame, scheme)
        given = getattr(theme, setting)
        cure = nearest(Colour.parse(given), partial(_mends, theme, setting, scheme))
        advice = f"the nearest that passes is {cure}" if cure else "choose one that is much lighter or darker"
        raise ValueError(
            f"{setting} {given}: {what} would have a contrast of {found:.2f}:1 in {scheme}, and {least}:1 is the least "
            f"that people can read (WCAG 2.2 AA); {advice}"
        )


def _named(theme: Theme, blame: str, scheme: Scheme) -> str:
    """The setting that makes it so: the one to blame if it is set, else whichever is."""
    dark = "_dark" if scheme == "dark" else ""
    names = (f"{blame}{dark}", blame, f"background{dark}", f"accent{dark}")
    return next(name for name in names if getattr(theme, name))


def _mends(theme: Theme, setting: str, scheme: Scheme, colour: Colour) -> bool:
    given = {field.name: getattr(theme, field.name) for field in fields(Theme)}
    changed = Theme(**{**given, setting: str(colour)})
    fault = _blamed(changed.palette(scheme))
    return fault is None or _named(changed, fault[0], scheme) != setting
