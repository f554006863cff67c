"""What the pages say of files, functions, actions and settings is so."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from doorward.core.feature import Feature
from doorward.core.policy import Policy
from doorward.core.settings import PREFIX, SETTINGS, Settings
from tests.shape.tree import ROOT, SOURCE, parsed, shown

PAGES = sorted(
    {*ROOT.glob("*.md"), *(path for folder in ("docs", "decisions") for path in (ROOT / folder).rglob("*.md"))}
)

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]+)\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE_NAME = re.compile(r"`([A-Za-z_][\w.]*)(?:\(…?\))?`")
_LINE_NUMBER = re.compile(r"[\w/]+\.py:\d+")


def links(page: Path) -> Iterator[tuple[str, str]]:
    """(text, target) of the links to other files of the project."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in _LINK.finditer(text):
        if "://" not in link["target"]:
            yield link["text"], link["target"]


def anchors(page: Path) -> set[str]:
    """What headings can be linked by, as code hosts make it."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def names_in(path: Path) -> set[str]:
    """What a module defines: functions, classes, constants, and `Class.member`."""
    return {name for node in parsed(path).body for name in _defined(node)}


def _defined(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.name
        case ast.ClassDef():
            yield node.name
            for inner in node.body:
                for name in _defined(inner):
                    yield from (name, f"{node.name}.{name}")
        case ast.Assign():
            yield from (n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    for text, target in links(page):
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.is_relative_to(ROOT), f"[{text}]({target}) leads out of the project"
        assert path.exists(), f"[{text}]({target})"
        assert not anchor or anchor in anchors(path), f"[{text}]({target}): there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_name_that_is_linked_to_a_file_stands_in_it(page: Path) -> None:
    for text, target in links(page):
        name = _CODE_NAME.fullmatch(text)
        if name is not None and target.endswith(".py") and not name[1].endswith(".py"):
            assert name[1] in names_in((page.parent / target).resolve()), f"[{text}]({target})"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_places_are_named_by_function(page: Path) -> None:
    assert _LINE_NUMBER.findall(page.read_text(encoding="utf-8")) == [], "line numbers move; name the function"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [(page.parent / target.partition("#")[0]).resolve() for _, target in links(page)]
    assert {shown(page) for page in PAGES if page.is_relative_to(ROOT / "docs")} - {shown(p) for p in reached} == set()


FEATURES = sorted(path.stem for path in (SOURCE / "features").glob("*.py") if not path.name.startswith("_"))


@pytest.mark.parametrize("name", FEATURES)
def test_a_features_page_names_its_actions_and_their_arguments(name: str) -> None:
    page = (ROOT / "docs" / "features" / f"{name}.md").read_text(encoding="utf-8")
    module = importlib.import_module(f"doorward.features.{name}")
    (feature,) = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Feature) and value.__module__ == module.__name__
    ]
    for action in feature.actions:
        (row,) = [line for line in page.splitlines() if line.startswith("| `") and f"`{action.name}`" in line]
        assert f"{action.method} /auth{action.path}" in row
        for argument in action.arguments:
            mark = "" if argument.required else "?"
            assert re.search(rf"`{argument.name}(\?|: \w+)?`", row), f"{action.name}: `{argument.name}{mark}`"


def rows(heading: str) -> dict[str, list[str]]:
    """The table below a heading of docs/settings.md, by its first cell without backticks."""
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {first.strip("`"): rest for first, *rest in cells[2:]}


def test_a_documented_setting_exists_and_an_existing_one_is_documented() -> None:
    assert list(rows("Settings")) == [setting.name for setting in SETTINGS]
    assert list(rows("Policy")) == list(Policy.__dataclass_fields__)


def test_documented_defaults_are_the_defaults() -> None:
    for name, (shown_default, *_) in rows("Settings").items():
        default = Settings.__dataclass_fields__[name.lower()].default
        if isinstance(default, str | int):
            assert shown_default.strip("`") == (
                str(default).lower() if isinstance(default, bool) else str(default) or "none"
            )
    for name, (standard, strict, *_) in rows("Policy").items():
        assert value_of(standard) == getattr(Policy.standard(), name), name
        assert value_of(strict or standard) == getattr(Policy.strict(), name), name


def value_of(text: str) -> object:
    """`10 min`, `15` or `true`, as a policy holds it."""
    units = {"d": "days", "h": "hours", "min": "minutes", "s": "seconds"}
    amount, _, unit = text.replace(",", "").partition(" ")
    if unit:
        return timedelta(**{units[unit]: float(amount)})
    return {"true": True, "false": False}[amount] if amount in ("true", "false") else int(amount)


# Names of ours that look like settings and are none.
NO_SETTINGS = {"DOORWARD_CONFIG", "DOORWARD_TEST_POSTGRES", "DOORWARD_TEST_VALKEY"}


def test_no_page_names_a_setting_that_there_is_not() -> None:
    known = {PREFIX + setting.name for setting in SETTINGS} | NO_SETTINGS
    named = {
        name for page in PAGES for name in re.findall(rf"\b{PREFIX}[A-Z][A-Z_]+\b", page.read_text(encoding="utf-8"))
    }
    assert {name for name in named if not name.startswith(("DOORWARD_SERVICE_", "DOORWARD_PORT"))} - known == set()
