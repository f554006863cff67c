"""A host's look on our pages: its theme as a part of our style, and its logo, both as files that caches keep."""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.etree import ElementTree

from doorward.core.refusals import Misconfigured
from doorward.core.theme import SCHEMES, Theme
from doorward.http.views import Static
from doorward.primitives import tokens

MOST_LOGO = 128 * 1024  # bytes
_SVG = "{http://www.w3.org/2000/svg}"
_PICTURES = ((b"\x89PNG\r\n\x1a\n", "png", "image/png"), (b"\xff\xd8\xff", "jpg", "image/jpeg"))


def kept(content_type: str, body: bytes) -> Static:
    """A file with its entity tag (RFC 9110 §8.8.3)."""
    return Static(content_type, body, f'"{tokens.encode(hashlib.sha256(body).digest()[:12])}"')


def style_of(theme: Theme) -> bytes:
    """What follows our own style: variables alone, of values that `parse_theme` has taken apart. Not on paper."""
    shapes = {"radius": theme.radius, "text": theme.font, "display": theme.heading_font}
    given = "".join(f"--{name}: {value};" for name, value in shapes.items() if value)
    light, dark = ("".join(f"--{n}: {c};" for n, c in theme.palette(scheme).items()) for scheme in SCHEMES)
    return (
        f"\n@media screen {{ :root {{ {given} {light} }} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        "@media screen and (prefers-contrast: more) { :root { --soft: var(--ink); --line: var(--edge); } }\n"
    ).encode()


def read_logo(path: str) -> tuple[str, Static]:
    """The name below `/static` and the file. Raises `Misconfigured` (logo.E1 to logo.E4)."""
    try:
        with Path(path).open("rb") as file:
            body = file.read(MOST_LOGO + 1)
    except OSError as error:
        raise Misconfigured("logo.E1", f"LOGO: {path} can't be read: {error.strerror}") from None
    if len(body) > MOST_LOGO:
        raise Misconfigured("logo.E2", f"LOGO: {path} has more than {MOST_LOGO // 1024} KiB; make it smaller")
    for begins, ending, content_type in _PICTURES:
        if body.startswith(begins):
            return f"logo.{ending}", kept(content_type, body)
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "logo.webp", kept("image/webp", body)
    if why := _unfit(body):
        raise Misconfigured(*(part.format(path=path) for part in why))
    return "logo.svg", kept("image/svg+xml; charset=utf-8", body)


def _unfit(body: bytes) -> tuple[str, str] | None:
    """Why this is no SVG of ours to give out. As an `<img>` it runs nothing, and opened by itself its policy holds it
    (http/headers.py); what would want to run or load is refused all the same, since it would not work."""
    if b"<!" in body.replace(b"<!--", b""):  # no DOCTYPE, so no entities that grow
        return "logo.E4", "LOGO: {path} has a DOCTYPE; save it as plain SVG, without one"
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 (the operator's file, bounded, and without entities)
    except ElementTree.ParseError:
        root = None
    if root is None or root.tag != f"{_SVG}svg":
        return "logo.E3", "LOGO: {path} is no picture that we know; give an SVG, PNG, JPEG or WebP"
    for element in root.iter():
        tag = str(element.tag).removeprefix(_SVG).lower()
        for name, value in element.attrib.items():
            local = name.rpartition("}")[2].lower()
            if local.startswith("on") or (local in ("href", "src") and not value.startswith(("#", "data:image/"))):
                return "logo.E4", "LOGO: {path} has scripts or loads something; save it as plain SVG"
        if tag in ("script", "foreignobject", "iframe", "handler"):
            return "logo.E4", "LOGO: {path} has scripts or loads something; save it as plain SVG"
    return None
