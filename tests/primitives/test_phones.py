"""Phone numbers: one form for all spellings, and none that a person can't be reached at."""

from __future__ import annotations

from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives import phones
from doorward.primitives.phones import (
    canonical_phone,
    is_available,
    is_region,
    masked_phone,
    region_of,
    takes_texts,
)

KINDS = phonenumbers.PhoneNumberType
PERSONS = {KINDS.MOBILE, KINDS.FIXED_LINE, KINDS.FIXED_LINE_OR_MOBILE, KINDS.VOIP, KINDS.PERSONAL_NUMBER}


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_examples_of_every_numbering_plan(region: str) -> None:
    """A person's number is taken as it is, in every spelling; premium, shared cost, toll-free and pagers are not."""
    for kind in KINDS.values():
        example: Any = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        expected = e164 if kind in PERSONS else None
        assert canonical_phone(e164) == expected, (kind, e164)
        international = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        assert canonical_phone(international) == expected, (kind, international)


@pytest.mark.parametrize(
    "typed", ["+49 171 1234567", "+49(171)123-4567", "0171 1234567", " 0171/1234567 ", "01711234567"]
)
def test_all_spellings_are_one_number(typed: str) -> None:
    assert canonical_phone(typed, region="DE") == "+491711234567"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "+",
        "112",
        "110",
        "22833",
        "+1 555 0100",
        "+1 900 234 5678",
        "+49 171",
        "+49 171 1234567 ext. 5",
        "+49 171 1234567;ext=5",
        "tel:+491711234567",
        "+1 800 FLOWERS",
        "+999 123456789",
        "+４９１７１１２３４５６７",
        "+٤٩١٧١١٢٣٤٥٦٧",
        "+49171123456\n7",
        "++491711234567",
        "0" * 41,
    ],
)
def test_what_is_no_number_of_a_person(typed: str) -> None:
    assert canonical_phone(typed, region="DE") is None


def test_without_a_region_only_whole_numbers_are_known() -> None:
    assert canonical_phone("0171 1234567") is None
    assert [is_region(region) for region in ("DE", "de", "XX", "", "001")] == [True, False, False, False, False]


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_none_and_the_form_stays(typed: str) -> None:
    number = canonical_phone(typed, region="US")
    assert number is None or canonical_phone(number) == number


def test_without_the_extra_nothing_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phones, "_library", None)
    assert (is_available(), is_region("DE"), canonical_phone("+491711234567")) == (False, False, None)


@pytest.mark.parametrize(
    ("number", "region", "texts", "masked"),
    [
        ("+491711234567", "DE", True, "+49 ••• 67"),
        ("+4930123456", "DE", False, "+49 ••• 56"),  # a fixed line
        ("+445612345678", "GB", False, "+44 ••• 78"),  # VoIP proves no device (NIST SP 800-63B-4 §3.1.3.1)
        ("+12015550123", "US", True, "+1 ••• 23"),  # fixed lines and mobiles look the same there
        ("+18762101234", "JM", True, "+1 ••• 34"),
        ("+870773111632", "001", True, "+870 ••• 32"),  # a satellite, of no country
        ("nonsense", "", False, "•••"),
    ],
)
def test_where_a_number_is_from_and_whether_it_takes_texts(number: str, region: str, texts: bool, masked: str) -> None:
    assert masked_phone(number) == masked
    if region:
        assert (region_of(number), takes_texts(number)) == (region, texts)
        assert is_region(region) is (region != "001")
