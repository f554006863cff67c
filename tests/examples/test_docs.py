"""What the pages show is run: every Python block, and every `curl` with the answer printed below it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.examples.console import Terminal, commands
from tests.examples.pages import ROOT, Block, blocks, pages

# Beside no word (run in a process of its own, after the page's blocks above it) a block may be marked with these:
# «names» uses names that its text explains, and «check» is run by another test of this folder.
MARKS = ("", "names", "check", "wait")

SAMPLES = {"ATTEMPT", "TOKEN", "REFRESH", "CODE", "SMS", "LINK", "UNDO", "TOTP", "RECOVERY", "ID", "KEY"}


def shown(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


WITH_PYTHON = [page for page in pages() if any(block.how == "" for block in blocks(page, "python"))]
WITH_CONSOLE = [page for page in pages() if any(block.how != "check" for block in blocks(page, "console"))]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=shown)
def test_python_runs(page: Path, tmp_path: Path) -> None:
    source = "\n".join(_at_its_line(block) for block in blocks(page, "python") if block.how == "")
    program = tmp_path / "page.py"
    program.write_text(source, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOORWARD_", "FLASK_"))}
    ran = subprocess.run([sys.executable, program], cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


def _at_its_line(block: Block) -> str:
    return f"# {block}\n{block.text}"


@pytest.mark.parametrize("page", WITH_CONSOLE, ids=shown)
def test_answers_are_as_printed(page: Path) -> None:
    terminal = Terminal()
    for block in blocks(page, "console"):
        word, _, minutes = block.how.partition(" ")
        if word == "wait":
            terminal.host.clock.forward(minutes=float(minutes.split()[0]))
        if word != "check":
            terminal.run(block)
    assert terminal.ran, f"{page} shows no command"


@pytest.mark.parametrize("page", pages(), ids=shown)
def test_every_block_is_python_and_marked_with_what_is_known(page: Path) -> None:
    for block in blocks(page, "python", "console"):
        assert block.how.partition(" ")[0] in MARKS, f"{block}: {block.how}"
        if block.language == "python" and block.how != "check":
            ast.parse(block.text, filename=str(block))


def test_an_answer_that_is_not_as_printed_is_found() -> None:
    page = ROOT / "docs" / "features" / "sessions.md"

    def wrong(printed: str) -> None:
        Terminal().run(Block(page, 1, "console", "", f"$ curl http://localhost:8000/auth/session\n{printed}\n"))

    for printed in ("{}", '{"reason": "not_signed_in"}', "HTTP/1.1 200 OK\n\n{}", ""):
        with pytest.raises(AssertionError):
            wrong(printed)
    wrong('HTTP/1.1 401 Unauthorized\n\n{"reason": "not_signed_in", "…": "…"}')


def test_only_words_that_the_index_explains_stand_in_commands() -> None:
    explained = (ROOT / "docs" / "features" / "index.md").read_text(encoding="utf-8")
    assert [word for word in sorted(SAMPLES) if f"`${word}`" not in explained] == []
    for page in WITH_CONSOLE:
        for block in blocks(page, "console"):
            for command, _ in commands(block.text):
                used = {part.split('"')[0].split("'")[0] for part in command.split("$")[1:]}
                assert block.how == "check" or used <= SAMPLES, f"{block}: {command}"


def test_the_collector_sees_marks_and_lines(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n<!-- run: names -->\n```python\nx\n```\n\n```python\ny\n```\n", encoding="utf-8")
    found: list[Any] = [(block.how, block.line, block.text) for block in blocks(page, "python")]
    assert found == [("names", 5, "x\n"), ("", 9, "y\n")]
