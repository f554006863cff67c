"""Where imports stand; which layer may import which is in pyproject.toml, under importlinter."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.shape.tree import SOURCE, functions, modules, parsed, shown

# (module, function): the one place where an optional dependency is taken in.
OPTIONAL: set[tuple[str, str]] = {
    ("src/doorward/primitives/webauthn.py", "_verify_statement"),
    ("src/doorward/primitives/webauthn.py", "maker_of"),
}

# Adapters carry requests to features without knowing one of them.
NAMELESS = ("http", "stores", "limits", "delivery", "cpu", "flask", "django", "asgi", "fastapi")


def test_functions_import_nothing() -> None:
    found = {
        (shown(path), function.name)
        for path in modules("src")
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert found - OPTIONAL == set()


def test_the_list_of_exceptions_holds_only_what_exists() -> None:
    existing = {(shown(path), function.name) for path in modules("src") for function in functions(path)}
    assert OPTIONAL - existing == set()


def test_only_applications_and_presets_name_features() -> None:
    offenders = {
        f"{shown(path)}: {name}"
        for path in modules("src")
        if path.relative_to(SOURCE).parts[0].removesuffix(".py") in NAMELESS
        for name in _imported(path)
        if name.startswith("doorward.features.")
    }
    assert offenders == set()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
