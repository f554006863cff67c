"""A host's look: a theme that everybody can read, a logo that runs nothing, and no setting that gets into the style."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from doorward.core.refusals import Misconfigured
from doorward.core.settings import load_settings
from doorward.core.theme import OURS, PAIRS, SCHEMES, Theme, parse_theme
from doorward.http.pages import STATIC, STYLE, Pages
from doorward.http.pages.brand import MOST_LOGO, read_logo, style_of
from doorward.primitives.colours import Colour, contrast
from doorward.testing.doubles import ORIGIN, SECRET
from tests.http.bare import Bare
from tests.scenarios.client import Browser

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><style>path{fill:red}</style><path d="M0 0h9v9z"/></svg>'


def loaded(**given: Any) -> Any:
    return load_settings({"secret": SECRET, "origin": ORIGIN, **given})


def variables(style: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): ([^;]+);", style))


def test_our_own_colours_are_those_of_the_style() -> None:
    style = STATIC[STYLE].body.decode()
    light, dark = style.partition("@media (prefers-color-scheme: dark)")[::2]
    for scheme, text in (("light", light), ("dark", dark.partition("\n}")[0])):
        found = variables(text)
        ours = {name: Colour.parse(value) for name, value in OURS[scheme].items()}  # type: ignore[index]
        assert {name: Colour.parse(found[name]) for name in ours} == ours


@pytest.mark.parametrize("value", [{"accent": "#C2185B", "radius": "8px"}, "accent = #c2185b; radius=8px;"])
def test_a_theme_is_a_table_or_one_line(value: Any) -> None:
    assert loaded(theme=value).theme == Theme(accent="#c2185b", radius="8px")
    assert load_settings(
        {"secret": SECRET, "origin": ORIGIN}, {"DOORWARD_THEME": "accent=#c2185b;radius=8px"}
    ).theme == Theme(accent="#c2185b", radius="8px")
    assert loaded().theme is None
    assert loaded(theme="").theme is None


@pytest.mark.parametrize("hue", ["#c2185b", "#0d47a1", "#1b5e20", "#5d4037", "#4a148c", "#000", "#37474f"])
def test_one_colour_makes_a_palette_that_can_be_read_in_light_and_dark(hue: str) -> None:
    theme = parse_theme({"accent": hue})
    for scheme in SCHEMES:
        palette = theme.palette(scheme)
        for one, other, least, what, _ in PAIRS:
            assert contrast(palette[one], palette[other]) >= least, (scheme, what)
    assert str(theme.palette("light")["accent"]) == str(Colour.parse(hue))
    assert theme.palette("dark")["accent"].luminance > theme.palette("light")["accent"].luminance


@pytest.mark.parametrize(
    ("theme", "setting"),
    [
        ({"accent": "#ff9800"}, "accent"),
        ({"accent": "#1a73e8"}, "accent"),
        ({"accent": "#0d6854", "accent_dark": "#333333"}, "accent_dark"),
        ({"background": "#777777"}, "background"),
        ({"background_dark": "#444455"}, "background_dark"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_nearest_that_can(theme: dict[str, str], setting: str) -> None:
    with pytest.raises(Misconfigured, match=rf"settings\.E2: the argument theme: {setting} {theme[setting]}") as raised:
        loaded(theme=theme)
    (cure,) = re.findall(r"the nearest that passes is (#[0-9a-f]{6})", str(raised.value))
    assert loaded(theme={**theme, setting: cure}).theme is not None


ATTACKS = (
    "red",
    "#fff;} body{display:none",
    "#fff}",
    "#ffff",
    "#12345",
    "#gggggg",
    "url(https://evil.example)",
    "var(--x)",
    "#000000\n",
    "＃000000",
    "#١٢٣",
    "rgb(0,0,0)",
    "expression(alert(1))",
)


@pytest.mark.parametrize("name", ["accent", "accent_dark", "background", "background_dark"])
@pytest.mark.parametrize("value", ATTACKS)
def test_only_a_colour_is_a_colour(name: str, value: str) -> None:
    if value.strip() == "#000000":
        assert str(parse_theme({"accent": value}).accent) == "#000000"  # what is around it is left out
        return
    with pytest.raises(Misconfigured, match=r"settings\.E2"):
        loaded(theme={name: value})


@pytest.mark.parametrize("value", ["8", "99px", "3rem", "-1px", "8px;}", "calc(1px)", "1e3px", "8 px", "8px/2", "٣px"])
def test_only_a_length_is_a_radius(value: str) -> None:
    with pytest.raises(Misconfigured, match=r"settings\.E2.*radius"):
        loaded(theme={"radius": value})


@pytest.mark.parametrize(
    "value",
    [
        'Inter"; } body { x: "',
        "Inter\\",
        "url(x)",
        "Inter; color: red",
        "Inter}",
        "a" * 41,
        ",".join("abcdefghi"),
        "Ünser",
        "x,,y",
        "</style>",
    ],
)
def test_only_names_are_fonts(value: str) -> None:
    with pytest.raises(Misconfigured, match=r"settings\.E2.*font"):
        loaded(theme={"font": value})


@pytest.mark.parametrize("theme", [{"acent": "#000"}, {"accent": 1}, ["accent"], 7, "accent", {"__class__": "#000"}])
def test_unknown_and_wrong_types_are_refused(theme: Any) -> None:
    with pytest.raises(Misconfigured, match=r"settings\.E2"):
        loaded(theme=theme)


def test_the_style_has_variables_of_a_few_signs_and_nothing_else() -> None:
    theme = parse_theme({"accent": "#c2185b", "radius": ".5rem", "font": "Inter, 'Open Sans', system-ui"})
    style = style_of(theme).decode()
    assert "url" not in style
    assert "--text: \"Inter\", \"Open Sans\", system-ui;" in style  # fmt: skip
    left = "".join(re.sub(r'--[\w-]+: [#\w., "()-]+;', "", style).split())
    assert left == (
        "@mediascreen{:root{}}@mediascreenand(prefers-color-scheme:dark){:root{}}"
        "@mediascreenand(prefers-contrast:more){:root{}}"
    )


def test_a_theme_is_a_part_of_the_cached_style_and_changes_its_address() -> None:
    pages = [Pages(), Pages(theme=parse_theme("accent=#c2185b")), Pages(theme=parse_theme("accent=#0d47a1"))]
    urls = []
    for views in pages:
        browser = Browser(Bare(views=views))
        page = browser.page("/sign-in").text
        (url,) = re.findall(r'href="(/auth/static/doorward\.css\?[\w-]+)"', page)
        file = browser.send("GET", url)
        assert (file.status, file.header("cache-control")) == (200, "public, max-age=300")
        again = browser.send("GET", url, headers={"If-None-Match": file.header("etag") or ""})
        assert (again.status, again.body) == (304, b"")
        assert "<style" not in page
        urls.append(url)
    assert len(set(urls)) == 3


# The logo


def test_a_logo_stands_beside_the_name_and_is_kept_by_caches(tmp_path: Path) -> None:
    (tmp_path / "acme.svg").write_bytes(SVG)
    browser = Browser(Bare(views=Pages(logo=str(tmp_path / "acme.svg"))))
    page = browser.page("/sign-in").text
    (url,) = re.findall(r'<img src="(/auth/static/logo\.svg\?[\w-]+)" alt="Doorward">', page)
    file = browser.send("GET", url)
    assert (file.status, file.body, file.header("cache-control")) == (200, SVG, "public, max-age=300")
    assert file.header("content-type") == "image/svg+xml; charset=utf-8"
    assert file.header("x-content-type-options") == "nosniff"
    assert file.header("content-security-policy") == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@pytest.mark.parametrize(
    ("body", "name"),
    [(PNG, "logo.png"), (b"\xff\xd8\xff\xe0", "logo.jpg"), (b"RIFF\x10\0\0\0WEBPVP8 ", "logo.webp"), (SVG, "logo.svg")],
)
def test_a_logo_is_known_by_what_is_in_it(tmp_path: Path, body: bytes, name: str) -> None:
    (tmp_path / "any.name").write_bytes(body)
    assert read_logo(str(tmp_path / "any.name"))[0] == name


def svg(inside: str) -> bytes:
    xlink = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {xlink}>{inside}</svg>'.encode()


@pytest.mark.parametrize(
    ("body", "id"),
    [
        (PNG + b"\0" * MOST_LOGO, "logo.E2"),
        (b"", "logo.E3"),
        (b"<html><script>alert(1)</script></html>", "logo.E3"),
        (b"GIF89a", "logo.E3"),
        (b"<svg></svg>", "logo.E3"),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + SVG, "logo.E4"),
        (svg("<script>alert(1)</script>"), "logo.E4"),
        (svg("<foreignObject><p/></foreignObject>"), "logo.E4"),
        (svg('<path onclick="alert(1)"/>'), "logo.E4"),
        (svg('<a href="javascript:alert(1)"/>'), "logo.E4"),
        (svg('<image xlink:href="https://evil.example/x.png"/>'), "logo.E4"),
        (svg('<use href="//evil.example/x.svg#a"/>'), "logo.E4"),
    ],
)
def test_what_is_no_harmless_picture_is_refused_at_start(tmp_path: Path, body: bytes, id: str) -> None:
    (tmp_path / "logo").write_bytes(body)
    with pytest.raises(Misconfigured, match=id.replace(".", r"\.")):
        Pages(logo=str(tmp_path / "logo"))


def test_a_logo_that_is_not_there_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"logo\.E1"):
        Pages(logo=str(tmp_path / "none.svg"))
    with pytest.raises(Misconfigured, match=r"logo\.E1"):
        Pages(logo=str(tmp_path))
