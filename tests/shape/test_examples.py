"""No example stands unread: each folder below examples/ is named by a test that runs it."""

import pytest

from doorward.core.settings import SETTINGS
from doorward.server import template
from tests.shape.tree import ROOT

EXAMPLES = sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_dir() and path.name != "__pycache__")
RUNNERS = [*(ROOT / "tests" / "examples").glob("*.py"), *(ROOT / "tests").glob("*/test_example*.py")]
TESTS = "".join(path.read_text(encoding="utf-8") for path in RUNNERS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_run(example: str) -> None:
    assert f'"examples" / "{example}"' in TESTS or f"examples/{example}" in TESTS
    assert (ROOT / "examples" / example / "README.md").is_file()


def test_the_configuration_file_has_an_example_of_every_setting() -> None:
    """`doorward init` writes them all."""
    needed = {setting.attribute for setting in SETTINGS} - {"secret", "origin", *template.HOSTS_ONLY}
    assert set(template.EXAMPLES) == needed
