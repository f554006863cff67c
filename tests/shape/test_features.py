"""A feature has one name everywhere: its source, its test and its page."""

import pytest

from tests.shape.tree import ROOT, SOURCE

FEATURES = sorted(
    path.stem
    for path in (SOURCE / "features").iterdir()
    if not path.name.startswith("_") and (path.suffix == ".py" or (path / "__init__.py").is_file())
)


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_has_its_test(feature: str) -> None:
    assert (ROOT / "tests" / "features" / f"test_{feature}.py").is_file()


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_has_its_page(feature: str) -> None:
    assert (ROOT / "docs" / "features" / f"{feature}.md").is_file()


# What people use beside the features: these pages belong to no file of that folder.
AROUND = {
    "index",
    "pages",
    "breached_passwords",
    "letters",
    "text_messages",
    "languages",
    "templates",
    "cli",
    "https",
    "doctor",
    "moving",
    "policy",
    "testing",
}


def test_no_page_is_without_its_feature() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "features").glob("*.md")}
    assert pages - set(FEATURES) - AROUND == set()
