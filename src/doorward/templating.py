"""Templates of pages and letters: escaping, sandboxed, translated; a host's own are checked at start."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Set
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateSyntaxError,
    meta,
    nodes,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from doorward.core.refusals import Misconfigured
from doorward.locale import Language

log = logging.getLogger("doorward.templates")

_JINJAS = frozenset({"caller", "kwargs", "varargs", "loop", "self", "super"})  # inside macros, loops and blocks
NEAR = 0.8  # how much a name is like one of ours before it counts as a slip of the pen


class Takes(Protocol):
    """Which words a template of this name is given; None where that is not known."""

    def __call__(self, name: str, /) -> Set[str] | None: ...


def environment(ours: Path, folder: str | Path = "", *, reload: bool = False) -> Environment:
    """Looks into a host's folder first, then into ours; `doorward/NAME` is ours in any case.

    Sandboxed: who may change how pages look, such as a designer, can't run code by that. `reload`: changes hold at
    once, which is for developing; else what was checked at start is what is shown.
    """
    own = FileSystemLoader(ours)
    hosts = [FileSystemLoader(folder)] if folder else []
    made = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*hosts, own, PrefixLoader({"doorward": own})]),
        autoescape=select_autoescape(enabled_extensions=("html",), disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        auto_reload=reload,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # `_("…")` and `{% trans %}` in templates, in the language that each rendering is given.
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    return made


@pass_context
def _gettext(context: Context, message: str) -> str:
    language: Language = context["language"]
    return language.gettext(message)


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int) -> str:
    language: Language = context["language"]
    return language.ngettext(one, many, number)


def names_in(folder: str | Path, ending: str = "html") -> set[str]:
    """The templates in a folder, by their names."""
    return {path.name for path in Path(folder).glob(f"*.{ending}")}


def check(
    templates: Environment, folder: str | Path, *, ours: Set[str], takes: Takes, endings: tuple[str, ...]
) -> None:
    """Read every template of a host's folder, once and at start. `ours` are the names that take the place of ours.

    Raises `Misconfigured` (templates.E1 to E3), naming file and line, where one can't be read or asks for a word that
    it is not given.
    """
    if not Path(folder).is_dir():
        raise Misconfigured("templates.E1", f"TEMPLATES: {folder} is no folder; make it, or leave the setting out")
    found = {name for ending in endings for name in names_in(folder, ending)}
    used = set(ours)
    for name in sorted(found):
        path = Path(folder) / name
        tree = _parsed(templates, path)
        used |= {one for one in meta.find_referenced_templates(tree) if one}
        _check_words(templates, path, tree, takes(name))
    for name in sorted(found - used):
        if near := get_close_matches(name, ours, 1, NEAR):
            log.warning("%s takes the place of nothing; did you mean %s?", Path(folder) / name, near[0])


def _parsed(templates: Environment, path: Path) -> nodes.Template:
    try:
        source = path.read_text(encoding="utf-8")
        tree = templates.parse(source, path.name, str(path))
        templates.compile(source, path.name, str(path))
    except (OSError, UnicodeError) as error:
        raise Misconfigured("templates.E1", f"{path} can't be read: {error}") from None
    except TemplateSyntaxError as error:
        raise Misconfigured("templates.E2", f"{path}, line {error.lineno}: {error.message}") from None
    return tree


def _check_words(templates: Environment, path: Path, tree: nodes.Template, given: Set[str] | None) -> None:
    if given is None:
        return
    missing = _asked(templates, tree) - given
    for line, name in sorted((node.lineno, node.name) for node in tree.find_all(nodes.Name) if node.name in missing):
        near = get_close_matches(name, given, 1)
        hint = f"did you mean {near[0]}?" if near else f"it is given {', '.join(sorted(given))}"
        raise Misconfigured("templates.E3", f"{path}, line {line}: there is no word {name!r}; {hint}")


def words_of(templates: Environment, names: Iterable[str]) -> set[str]:
    """The words that these templates ask for."""
    assert templates.loader is not None  # noqa: S101
    found: set[str] = set()
    for name in names:
        source, _, _ = templates.loader.get_source(templates, name)
        found |= _asked(templates, templates.parse(source))
    return found


def _asked(templates: Environment, tree: nodes.Template) -> set[str]:
    """The words that a template wants to be given. What it makes or imports anywhere is its own, also inside blocks."""
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    own |= {node.name for node in tree.find_all(nodes.Macro)} | {node.target for node in tree.find_all(nodes.Import)}
    for node in tree.find_all(nodes.FromImport):
        own |= {name if isinstance(name, str) else name[1] for name in node.names}
    return meta.find_undeclared_variables(tree) - own - templates.globals.keys() - _JINJAS
