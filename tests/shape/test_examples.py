"""No example stands unread: each folder below examples/ is named by a test that runs it."""

import pytest

from tests.shape.tree import ROOT

EXAMPLES = sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_dir() and path.name != "__pycache__")
RUNNERS = [*(ROOT / "tests" / "examples").glob("*.py"), *(ROOT / "tests").glob("*/test_example*.py")]
TESTS = "".join(path.read_text(encoding="utf-8") for path in RUNNERS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_run(example: str) -> None:
    assert f'"examples" / "{example}"' in TESTS or f"examples/{example}" in TESTS
    assert (ROOT / "examples" / example / "README.md").is_file()
