"""An HTML page as the tests read it: its elements, its forms, its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Element:
    """A tag with its attributes; `form` is the number of the form around it, or None; `text` what stands inside."""

    tag: str
    attributes: dict[str, str]
    form: int | None
    text: str = ""

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")


@dataclass
class Form:
    """Where a form goes, and the names and values of its fields."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Document(HTMLParser):
    """Parses once; then look at `elements`, `forms` and `text`."""

    VOID = frozenset({"meta", "link", "input", "br", "path", "img", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.forms: list[Form] = []
        self.text = ""
        self._open: list[Element] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(attributes["action"], attributes["method"]))
        inside = tag == "form" or any(element.tag == "form" for element in self._open)
        element = Element(tag, attributes, len(self.forms) - 1 if inside else None)
        self.elements.append(element)
        if tag == "input" and inside and "name" in attributes:
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
        if tag not in self.VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        last = self._open.pop()
        assert last.tag == tag, f"</{tag}> closes <{last.tag}>"

    def handle_data(self, data: str) -> None:
        self.text += data
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def by_id(self, name: str) -> Element:
        (found,) = [element for element in self.elements if element.get("id") == name]
        return found
