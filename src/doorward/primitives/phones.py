"""Phone numbers in the one form under which they are unique: E.164, and only those of a person."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any

# The extra `phone`. Without it no text is a phone number.
_library: Any = import_module("phonenumbers") if find_spec("phonenumbers") else None

LONGEST = 40  # characters as they are typed; E.164 has 15 digits
_TYPED = re.compile(r"\+?[0-9 ().\-/]+")


def is_available() -> bool:
    """Whether phone numbers are understood here."""
    return _library is not None


def is_region(region: str) -> bool:
    """Whether it names a country or region with numbers of its own, by its ISO 3166 code: `DE`."""
    return _library is not None and region in _library.SUPPORTED_REGIONS


def canonical_phone(typed: str, *, region: str = "") -> str | None:
    """The number in E.164, or None when it is none that a person can be reached at.

    `region` says where a number without `+` is from. Refused: what numbering plans do not assign, emergency and short
    numbers, and those that cost the caller more or are nobody's own (premium, shared cost, toll-free, pagers).
    """
    typed = typed.strip(" ")
    if _library is None or len(typed) > LONGEST or not _TYPED.fullmatch(typed):
        return None
    try:
        number = _library.parse(typed, region or None)
    except _library.NumberParseException:
        return None
    kinds = _library.PhoneNumberType
    persons = {kinds.MOBILE, kinds.FIXED_LINE, kinds.FIXED_LINE_OR_MOBILE, kinds.VOIP, kinds.PERSONAL_NUMBER}
    if not _library.is_valid_number(number) or _library.number_type(number) not in persons:
        return None
    return str(_library.format_number(number, _library.PhoneNumberFormat.E164))


def region_of(number: str) -> str:
    """The region whose number it is (E.164), by its ISO 3166 code; "" for none. `+1` alone is 25 of them."""
    if _library is None:
        return ""
    return str(_library.region_code_for_number(_library.parse(number)) or "")


def takes_texts(number: str) -> bool:
    """Whether a text message to it (E.164) reaches one device. NIST SP 800-63B-4 §3.1.3.1: VoIP proves none."""
    if _library is None:
        return False
    kinds = _library.PhoneNumberType
    return _library.number_type(_library.parse(number)) in (kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE)


def masked_phone(number: str) -> str:
    """`+491711234567` as `+49 ••• 67`: enough to know one's own again."""
    if _library is None:
        return "•••"
    try:
        code = _library.parse(number).country_code
    except _library.NumberParseException:
        return "•••"
    return f"+{code} ••• {number[-2:]}"
