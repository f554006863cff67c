"""Contrast by the formula of WCAG 2.2, with values that are published."""

import pytest

from doorward.primitives.colours import BLACK, WHITE, Colour, contrast, nearest


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000", "#fff", 21.0),
        ("#777777", "#fff", 4.48),
        ("#767676", "#fff", 4.54),  # the lightest grey that passes AA on white
        ("#ff0000", "#fff", 4.0),
        ("#0000ff", "#fff", 8.59),
        ("#123456", "#123456", 1.0),
    ],
)
def test_contrasts_are_those_of_wcag(one: str, other: str, ratio: float) -> None:
    pair = Colour.parse(one), Colour.parse(other)
    assert contrast(*pair) == contrast(*reversed(pair)) == pytest.approx(ratio, abs=0.005)


def test_the_nearest_is_itself_where_it_passes_and_none_where_nothing_does() -> None:
    colour = Colour.parse("#1a73e8")
    assert nearest(colour, lambda one: True) == colour
    assert nearest(colour, lambda one: False) is None
    found = nearest(colour, lambda one: contrast(one, WHITE) >= 4.5)
    assert found is not None
    assert contrast(found, WHITE) < 4.6


def test_a_colour_is_written_as_it_is_read() -> None:
    assert str(Colour.parse("#0D6854")) == "#0d6854"
    assert str(Colour.parse("#0af")) == "#00aaff"
    assert str(BLACK.mixed(WHITE, 0.5)) == "#808080"
    for wrong in ("0d6854", "#0d685", "#0d6854 ", "", "#"):
        with pytest.raises(ValueError, match="no colour"):
            Colour.parse(wrong)
